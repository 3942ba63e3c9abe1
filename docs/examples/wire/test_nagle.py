"""A protocol must not stall on Nagle's algorithm and a delayed ACK."""

import pytest
import trio


async def one_write(sock, body):
    await sock.send(len(body).to_bytes(4, "big") + body)


async def two_writes(sock, body):
    await sock.send(len(body).to_bytes(4, "big"))
    await sock.send(body)


async def serve(listener):
    """Answer each message of 104 bytes with one byte."""
    sock, _ = await listener.accept()
    with sock:
        got = 0
        while data := await sock.recv(4096):
            got += len(data)
            if got % 104 == 0:
                await sock.send(b".")


@pytest.mark.trio
@pytest.mark.parametrize("send", [one_write, two_writes])
async def test_the_protocol_does_not_stall(wire, send):
    listener = trio.socket.from_stdlib_socket(wire.server.listen(7000))
    with wire.client.inside():
        sock = trio.socket.socket()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, listener)
        with sock:
            await sock.connect((wire.server.address, 7000))
            for _ in range(2):
                await send(sock, b"x" * 100)
                assert await sock.recv(1) == b"."
    assert not wire.connection().notes("nagle-delayed-ack")
