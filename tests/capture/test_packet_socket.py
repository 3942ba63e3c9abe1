"""The packet socket of this process, in a network namespace that ``unshare -Urn`` gives it."""

from __future__ import annotations

import os
import sys
from textwrap import dedent

from needs import need_namespaces, need_tool, without_capabilities
from wiring import script

PRELUDE = dedent("""
    import fcntl, socket, struct, trio
    from trioecho.capture import open_capture
    from trioecho.errors import TrioechoError

    def lo(up):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, 0x8914, struct.pack("16sh22x", b"lo", up))

    def attempt(function, *arguments, **names):
        try:
            return function(*arguments, **names)
        except TrioechoError as error:
            print(error)
""")


def unshared(source: str) -> str:
    """What a script prints in a network namespace of its own, whose loopback is down."""
    need_namespaces()
    done = script(PRELUDE + dedent(source), need_tool("unshare"), "-Urn")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_machines_own_loopback() -> None:
    printed = unshared("""
        async def main():
            with open_capture("ring", interface="lo") as capture:
                send, receive = trio.open_memory_channel(1)
                async with trio.open_nursery() as nursery:
                    await nursery.start(capture.run, send)
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                        sock.sendto(b"hello", ("127.0.0.1", 9))
                    frames = await receive.receive()
                    nursery.cancel_scope.cancel()
            print(frames[0].data[42:])

        lo(1)
        trio.run(main)
    """)
    assert printed == "b'hello'\n"


def test_an_interface_that_is_down() -> None:
    printed = unshared("attempt(open_capture, 'ring'), attempt(open_capture, 'scapy')")
    line = "The interface lo is down. sudo ip link set lo up brings it up\n"
    assert printed == line * 2


def test_an_interface_that_goes_down() -> None:
    printed = unshared("""
        async def main(sniffer):
            with open_capture(sniffer) as capture:
                send, receive = trio.open_memory_channel(1)
                try:
                    async with trio.open_nursery() as nursery:
                        await nursery.start(capture.run, send)
                        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                            sock.sendto(b"hello", ("127.0.0.1", 9))
                        lo(0)
                        print(sum([len(batch) async for batch in receive]))
                except* TrioechoError as group:
                    print(*group.exceptions)
        lo(1)
        trio.run(main, "ring")
        lo(1)
        trio.run(main, "scapy")
    """)
    line = "The interface lo is down. sudo ip link set lo up brings it up"
    assert printed.splitlines() == ["2", line] * 2


def test_an_interface_that_is_not_there() -> None:
    printed = unshared("attempt(open_capture, interface='nowhere0')")
    assert printed.startswith("There is no interface 'nowhere0'. ")
    assert "lo" in printed.split()


def test_no_capability_names_the_interpreter_to_give_it_to() -> None:
    source = PRELUDE + "attempt(open_capture)\nattempt(open_capture, 'scapy')"
    done = script(source, *without_capabilities())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("takes CAP_NET_RAW") == 2
    assert f"sudo setcap cap_net_raw+ep {os.path.realpath(sys.executable)} " in done.stdout
