from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from ctypes.util import find_library
from ipaddress import ip_address
from typing import Any

import pytest
from needs import missing
from wiring import passes_filter

from trioecho.capture.filters import (
    ETHERNET,
    RAW_IP,
    compile_expression,
    port_filter,
    segment_filter,
)
from trioecho.errors import TrioechoError
from trioecho.packet import tunnels

TCP, UDP, HOP_BY_HOP = 6, 17, 0
TUNNELS = sorted(tunnels.PORTS)
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
    """Whether the kernel lets a packet through the port's filter."""
    return lets_through(packet, ethertype, lambda link: port_filter(port, link))


def lets_through(packet: bytes, ethertype: int | None, make: Callable[[int], bytes]) -> bool:
    """Whether the kernel lets a packet through a filter, and then all of it."""
    link = b"" if ethertype is None else bytes(12) + struct.pack("!H", ethertype)
    return passes_filter(link + packet, make(len(link)))


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


HERE, THERE, ELSEWHERE = "192.0.2.1", "192.0.2.2", "192.0.2.3"
HERE6, THERE6 = "2001:db8::1:2", "2001:db8::2:1"
ELSEWHERE6 = ("2001:db8::1:1", "2001:db8::2:2", "::1:2", "2001:db8:1::1:2")


def between(source: str, destination: str, protocol: int = TCP) -> tuple[int, bytes]:
    """An ethertype and an IP packet from one address to another."""
    ends = ip_address(source).packed + ip_address(destination).packed
    if ":" in source:
        return 0x86DD, ipv6(protocol, PORTS)[:8] + ends + PORTS + bytes(16)
    return 0x0800, ipv4(protocol, PORTS)[:12] + ends + PORTS + bytes(16)


@pytest.mark.parametrize("port", [None, 7, 40_000])
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(("one", "other"), [(HERE, THERE), (HERE6, THERE6)])
def test_one_host_in_either_place(one: str, other: str, linked: bool, port: int | None) -> None:
    for source, destination in ((one, other), (other, one)):
        ethertype, packet = between(source, destination)
        for host in (one, other):
            address = ip_address(host).packed
            assert lets_through(
                packet,
                ethertype if linked else None,
                lambda link, address=address: segment_filter(
                    link, TUNNELS, host=address, port=port
                ),  # type: ignore[misc]
            )


@pytest.mark.parametrize("port", [None, 7])
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("host", [ELSEWHERE, HERE, *ELSEWHERE6, HERE6])
def test_no_other_host(host: str, linked: bool, port: int | None) -> None:
    pairs = [(HERE, THERE), (THERE, HERE)] if ":" in host else [(HERE6, THERE6), (THERE6, HERE6)]
    if host not in (HERE, HERE6):
        pairs += [(HERE, THERE), (HERE6, THERE6), (THERE6, HERE6)]
    for pair in pairs:
        ethertype, packet = between(*pair)
        assert not lets_through(
            packet,
            ethertype if linked else None,
            lambda link: segment_filter(link, TUNNELS, host=ip_address(host).packed, port=port),
        )


def test_a_host_without_the_port() -> None:
    ethertype, packet = between(HERE, THERE)
    make = lambda link: segment_filter(link, TUNNELS, host=ip_address(HERE).packed, port=8)  # noqa: E731
    assert not lets_through(packet, ethertype, make)


def test_a_hosts_later_fragments_pass_where_no_port_is_wanted() -> None:
    packet = ipv4(TCP, PORTS, fragment=0x2001)
    make = lambda link: segment_filter(link, TUNNELS, host=bytes(4))  # noqa: E731
    assert lets_through(packet, 0x0800, make)


TUNNEL, BACK = struct.pack("!HH", 50_000, 4789), struct.pack("!HH", 3544, 50_000)


@pytest.mark.parametrize(
    "bounds", [{}, {"port": 8}, {"host": bytes(3) + b"\1"}, {"host": bytes(15) + b"\1"}]
)
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(
    ("ethertype", "packet", "expected"),
    [
        pytest.param(0x0800, ipv4(TCP, PORTS), None, id="TCP"),
        pytest.param(0x0800, ipv4(47, PORTS), True, id="GRE"),
        pytest.param(0x0800, ipv4(4, PORTS), True, id="IP in IP"),
        pytest.param(0x0800, ipv4(UDP, PORTS), False, id="UDP"),
        pytest.param(0x0800, ipv4(UDP, PORTS, options=TUNNEL * 2), False, id="ports in options"),
        pytest.param(0x0800, ipv4(UDP, TUNNEL), True, id="VXLAN"),
        pytest.param(0x0800, ipv4(UDP, TUNNEL, options=bytes(40)), True, id="VXLAN, options"),
        pytest.param(0x0800, ipv4(UDP, BACK), True, id="Teredo's answer"),
        pytest.param(0x0800, ipv4(UDP, PORTS, fragment=0x4000), False, id="UDP, not to be split"),
        pytest.param(0x0800, ipv4(UDP, PORTS, fragment=0x2000), True, id="UDP, first fragment"),
        pytest.param(0x0800, ipv4(UDP, PORTS, fragment=0x0001), True, id="UDP, last fragment"),
        pytest.param(0x86DD, ipv6(TCP, PORTS), None, id="TCP on IPv6"),
        pytest.param(0x86DD, ipv6(HOP_BY_HOP, PORTS), True, id="an extension header"),
        pytest.param(0x86DD, ipv6(41, PORTS), True, id="IPv6 in IPv6"),
        pytest.param(0x86DD, ipv6(UDP, PORTS), False, id="UDP on IPv6"),
        pytest.param(0x86DD, ipv6(UDP, TUNNEL), True, id="VXLAN on IPv6"),
    ],
)
def test_what_may_hold_a_segment_passes(
    ethertype: int, packet: bytes, expected: bool | None, linked: bool, bounds: dict[str, Any]
) -> None:
    """A port and a host bound plain TCP alone, here none of it."""
    make = lambda link: segment_filter(link, TUNNELS, **bounds)  # noqa: E731
    wanted = not bounds if expected is None else expected
    assert lets_through(packet, ethertype if linked else None, make) is wanted


@pytest.mark.parametrize("port", TUNNELS)
def test_each_tunnels_port_passes(port: int) -> None:
    make = lambda link: segment_filter(link, TUNNELS, port=7)  # noqa: E731
    assert lets_through(ipv4(UDP, struct.pack("!HH", 1, port)), 0x0800, make)
    assert lets_through(ipv6(UDP, struct.pack("!HH", 1, port)), 0x86DD, make)


@pytest.mark.parametrize("port", [None, 7])
@pytest.mark.parametrize("ethertype", [0x8100, 0x88A8, 0x8847, 0x8864, 0x88E7])
def test_tags_labels_and_sessions_pass(ethertype: int, port: int | None) -> None:
    make = lambda link: segment_filter(link, TUNNELS, port=port)  # noqa: E731
    assert lets_through(ipv4(UDP, PORTS), ethertype, make)


def test_fragments_pass_where_a_port_is_wanted() -> None:
    make = lambda link: segment_filter(link, TUNNELS, port=7)  # noqa: E731
    assert lets_through(ipv4(TCP, PORTS, fragment=0x2000), 0x0800, make)
    assert lets_through(ipv4(TCP, bytes(4), fragment=0x2001), 0x0800, make)


LARGEST = 65_549  # of a frame on the loopback

# A TCP segment from 127.0.0.1:40000 to 127.0.0.1:7, as large as a frame can be.
IP = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 65_535, 0, 0, 64, 6, 0, *[bytes([127, 0, 0, 1])] * 2)
PACKET = IP + struct.pack("!HHIIHHHH", 40_000, 7, 1, 1, 5 << 12 | 16, 512, 0, 0)
FRAME = (bytes(12) + b"\x08\x00" + PACKET).ljust(LARGEST, b"x")


@pytest.fixture
def libpcap() -> None:
    if find_library("pcap") is None:
        missing("libpcap is not installed")


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("tcp port 7", True),
        ("", True),
        ("ip and (src port 40000 or udp)", True),
        ("tcp[tcpflags] & tcp-ack != 0 and greater 60000", True),
        ("host ::1", False),
        ("tcp port 8", False),
        ("not tcp", False),
    ],
)
def test_the_largest_frame_passes_whole_or_not_at_all(expression: str, expected: bool) -> None:
    assert passes_filter(FRAME, compile_expression(expression, ETHERNET)) is expected
    assert passes_filter(FRAME[14:], compile_expression(expression, RAW_IP)) is expected


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("tcp port", "syntax error"),
        ("tcp and udp", "expression rejects all packets"),
        ("a (b) and (", "syntax error"),
        ("len >", "syntax error"),
    ],
)
def test_what_libpcap_does_not_understand_is_said_in_its_words(expression: str, said: str) -> None:
    with pytest.raises(TrioechoError) as caught:
        compile_expression(expression, ETHERNET)
    begin = f"The filter {expression!r} is not understood by libpcap: "
    assert caught.value.what.startswith(begin)
    assert caught.value.what.endswith(said)
    assert "Failed to compile" not in str(caught.value)


def test_without_libpcap_it_says_what_to_install() -> None:
    code = """
import ctypes.util
ctypes.util.find_library = lambda name: None
from trioecho.capture.filters import compile_expression
from trioecho.errors import TrioechoError
try:
    compile_expression("tcp", 1)
except TrioechoError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "libpcap is not installed" in done.stdout
    assert "apt install libpcap" in done.stdout
