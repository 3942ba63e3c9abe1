from __future__ import annotations

import errno
import socket
import struct

import pytest
import trio
import trio.testing
from wiring import LOOPBACK, kernel_info, stream_socket

from trioecho.errors import TrioechoError
from trioecho.hosts.host import open_host
from trioecho.hosts.tcp_info import parse_info, state_of
from trioecho.model import Kernel, State

SECOND = 1_000_000_000

# Where the fields of linux/tcp.h are, in words behind the first eight bytes.
WORDS = {"rtt": 15, "rttvar": 16, "snd_ssthresh": 17}


def tcp_info(**fields: int) -> bytes:
    """A struct tcp_info of Linux 2.6, each word of it its own number: 8 bytes, then 24 words."""
    small = struct.pack("=8B", fields.pop("state", 1), 0, fields.pop("retransmits", 0), *[0] * 5)
    words = list(range(1000, 1024))
    for name, value in fields.items():
        words[WORDS[name]] = value
    return small + struct.pack("=24I", *words)


@pytest.mark.usefixtures("namespaces")
async def test_both_ends_of_a_connection() -> None:
    async with open_host() as host:
        with (
            await stream_socket(host, socket.AF_INET, bind=7) as listener,
            await stream_socket(host, socket.AF_INET) as client,
        ):
            fresh = kernel_info(client)
            assert fresh.state is State.CLOSED
            assert (fresh.rtt, fresh.rtt_variance, fresh.ssthresh) == (None, None, None)
            assert fresh.rto == SECOND

            listening = kernel_info(listener)
            assert listening.state is State.LISTEN
            assert listening.in_flight == 0

            await client.connect((LOOPBACK[socket.AF_INET], 7))
            # one waits for accept, which Linux writes where others have what is in flight
            assert kernel_info(listener).in_flight == 0
            server, _ = await listener.accept()
            with server:
                await client.send(b"testing")
                assert await server.recv(100) == b"testing"
                await server.send(b"purposes")  # and acknowledges
                assert await client.recv(100) == b"purposes"
                here, there = kernel_info(client), kernel_info(server)
                assert here.state is there.state is State.ESTABLISHED
                for end in (here, there):
                    assert end.rtt is not None
                    assert end.rtt_variance is not None
                    assert end.rto is not None
                    assert 0 < end.rtt < end.rto
                    assert (end.cwnd or 0) >= 10
                    assert end.ssthresh is None
                    assert end.retransmits == end.total_retransmits == 0
                assert here.in_flight == 0


@pytest.mark.usefixtures("namespaces")
async def test_a_half_close() -> None:
    async with open_host() as host:
        with (
            await stream_socket(host, socket.AF_INET6, bind=7) as listener,
            await stream_socket(host, socket.AF_INET6) as client,
        ):
            await client.connect((LOOPBACK[socket.AF_INET6], 7))
            server, _ = await listener.accept()
            with server:
                client.shutdown(socket.SHUT_WR)
                assert await server.recv(1) == b""
                await server.send(b"x")  # and acknowledges the FIN
                assert await client.recv(1) == b"x"
                assert kernel_info(client).state is State.FIN_WAIT_2
                assert kernel_info(server).state is State.CLOSE_WAIT
            assert await client.recv(1) == b""
            assert kernel_info(client).state is State.CLOSED  # TIME-WAIT has left the socket


@pytest.mark.usefixtures("namespaces")
async def test_a_syn_that_nobody_answers() -> None:
    """A listener whose queue is full lets SYNs pass by; this waits for the first RTO, a second."""
    async with open_host() as host:
        with (
            await stream_socket(host, socket.AF_INET) as listener,
            await stream_socket(host, socket.AF_INET) as first,
            await stream_socket(host, socket.AF_INET) as second,
        ):
            await listener.bind((LOOPBACK[socket.AF_INET], 7))
            listener.listen(0)
            await first.connect((LOOPBACK[socket.AF_INET], 7))
            second.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1)  # ms
            async with trio.open_nursery() as nursery:

                async def connect() -> None:
                    with pytest.raises(OSError) as caught:  # noqa: PT011
                        await second.connect((LOOPBACK[socket.AF_INET], 7))
                    assert caught.value.errno == errno.ETIMEDOUT

                nursery.start_soon(connect)
                await trio.testing.wait_all_tasks_blocked()
                waiting = kernel_info(second)
                assert waiting.state is State.SYN_SENT
                assert waiting.in_flight == 1
                assert waiting.rto == SECOND
                assert waiting.retransmits == waiting.total_retransmits == 0
            given_up = kernel_info(second)
            assert given_up.state is State.CLOSED
            assert given_up.total_retransmits == 1


def test_the_words_are_taken_from_their_places() -> None:
    assert parse_info(tcp_info(state=8, retransmits=3)) == Kernel(
        state=State.CLOSE_WAIT,
        rtt=1_015_000,
        rtt_variance=1_016_000,
        rto=1_000_000,
        cwnd=1018,
        ssthresh=1017,
        in_flight=1004,
        retransmits=3,
        total_retransmits=1023,
    )


def test_what_a_newer_kernel_adds_does_not_matter() -> None:
    newer = tcp_info() + bytes(88)
    assert parse_info(newer + bytes(200)) == parse_info(newer)


def test_the_limits_of_linux_4_10() -> None:
    told = parse_info(tcp_info() + bytes(64) + struct.pack("=QQQ", 30, 20, 10))
    times = (told.busy, told.receiver_limited, told.send_buffer_limited)
    assert times == (30_000, 20_000, 10_000)
    older = parse_info(tcp_info() + bytes(64))
    assert (older.busy, older.receiver_limited, older.send_buffer_limited) == (None, None, None)


@pytest.mark.parametrize("ssthresh", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_no_threshold(ssthresh: int) -> None:
    assert parse_info(tcp_info(snd_ssthresh=ssthresh)).ssthresh is None


def test_no_sample_yet() -> None:
    kernel = parse_info(tcp_info(rtt=0, rttvar=250_000))
    assert (kernel.rtt, kernel.rtt_variance) == (None, None)


def test_too_short() -> None:
    with pytest.raises(TrioechoError, match="has 103 bytes, not 104"):
        parse_info(tcp_info()[:-1])


def test_half_a_handshake_is_syn_received() -> None:
    assert state_of(3) is state_of(12) is State.SYN_RECEIVED


@pytest.mark.parametrize("number", [0, 14, 255])
def test_an_unknown_state(number: int) -> None:
    with pytest.raises(TrioechoError, match=f"TCP state {number}, which is unknown"):
        parse_info(tcp_info(state=number))
