from __future__ import annotations

import socket
import struct
import sys

import pytest

from trioecho.capture.packet import attach_filter
from trioecho.capture.portfilter import port_filter

TCP, UDP, HOP_BY_HOP = 6, 17, 0
PORTS = struct.pack("!HH", 40_000, 7)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")


def ipv4(protocol: int, ports: bytes, *, options: bytes = b"", fragment: int = 0) -> bytes:
    """An IPv4 packet that has ports where TCP and UDP have them."""
    version = 0x40 | (20 + len(options)) // 4
    fields = (version, 0, 40, 1, fragment, 64, protocol, 0, bytes(4), bytes(4))
    return struct.pack("!BBHHHBBH4s4s", *fields) + options + ports + bytes(16)


def ipv6(next_header: int, ports: bytes) -> bytes:
    """An IPv6 packet that has ports behind its header."""
    return struct.pack("!IHBB32s", 6 << 28, 20, next_header, 64, bytes(32)) + ports + bytes(16)


def passes(packet: bytes, *, port: int, ethertype: int | None) -> bool:
    """Whether the kernel lets a packet through the filter, and then all of it.

    A filter can be attached to any socket, so a pair of Unix sockets will do.
    """
    link = b"" if ethertype is None else bytes(12) + struct.pack("!H", ethertype)
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        receiver.setblocking(False)
        attach_filter(receiver, port_filter(port, len(link)))
        sender.send(link + packet)
        try:
            assert receiver.recv(65536) == link + packet
        except BlockingIOError:
            return False
        return True


CASES = [
    pytest.param(0x0800, ipv4(TCP, PORTS), True, id="IPv4"),
    pytest.param(0x0800, ipv4(TCP, PORTS, options=bytes(40)), True, id="IPv4 with options"),
    pytest.param(0x0800, ipv4(TCP, PORTS, options=PORTS * 2), True, id="ports in the options too"),
    pytest.param(0x0800, ipv4(TCP, PORTS, fragment=0x4000), True, id="do not fragment"),
    pytest.param(0x0800, ipv4(TCP, PORTS, fragment=0x2000), True, id="first fragment"),
    pytest.param(0x0800, ipv4(TCP, PORTS, fragment=0x2001), False, id="later fragment"),
    pytest.param(0x0800, ipv4(UDP, PORTS), False, id="UDP on IPv4"),
    pytest.param(0x86DD, ipv6(TCP, PORTS), True, id="IPv6"),
    pytest.param(0x86DD, ipv6(UDP, PORTS), False, id="UDP on IPv6"),
    pytest.param(0x86DD, ipv6(HOP_BY_HOP, PORTS), False, id="extension header"),
]


@pytest.mark.parametrize("port", [7, 40_000])
@pytest.mark.parametrize(("ethertype", "packet", "expected"), CASES)
def test_one_port_in_either_place(ethertype: int, packet: bytes, expected: bool, port: int) -> None:
    assert passes(packet, port=port, ethertype=ethertype) is expected
    assert passes(packet, port=port, ethertype=None) is expected


@pytest.mark.parametrize("port", [1, 8, 65535])
@pytest.mark.parametrize(("ethertype", "packet", "expected"), CASES)
def test_no_other_port(ethertype: int, packet: bytes, expected: bool, port: int) -> None:
    assert not passes(packet, port=port, ethertype=ethertype)
    assert not passes(packet, port=port, ethertype=None)


@pytest.mark.parametrize("packet", [b"", b"\x45", bytes(13), ipv4(TCP, b"")[:20]])
def test_what_is_cut_short_does_not_pass(packet: bytes) -> None:
    assert not passes(packet, port=7, ethertype=0x0800)
    assert not passes(packet, port=7, ethertype=None)


def test_other_protocols_do_not_pass() -> None:
    assert not passes(bytes(28), port=7, ethertype=0x0806)
    assert not passes(bytes(60), port=7, ethertype=None)
