"""Small captures with everything that a packet may be wrapped in, made byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from captures import Blocks, pcap
from frames import frames
from ladders import MARKS, STATES, VERDICTS

from trioecho.packet import link as links

MACS = b"\2\0\0\0\0\1\2\0\0\0\0\2"
IP4, IP6 = b"\x08\x00", b"\x86\xdd"
#: The ladders that a crafted capture holds: loss, repetition, windows, and ports used again.
LADDERS = list({**STATES, **MARKS, **VERDICTS}.values())

Wrap = Callable[[bytes, int], list[bytes]]


def ethernet(before: bytes = b"") -> Wrap:
    return lambda packet, _: [MACS + before + IP4 + packet]


def prefix(head: bytes) -> Wrap:
    return lambda packet, _: [head + packet]


def ip4(payload: bytes, protocol: int, number: int = 0, fragment: int = 0) -> bytes:
    """An IPv4 packet between two routers."""
    head = (0x45, 0, 20 + len(payload), number & 0xFFFF, fragment, 64, protocol, 0)
    return struct.pack("!BBHHHBBH4s4s", *head, b"\xc0\0\2\1", b"\xc0\0\2\2") + payload


def ip6(payload: bytes, following: int) -> bytes:
    """An IPv6 packet between two routers."""
    ends = b"\x20\1\x0d\xb8" + b"\0" * 11, b"\x20\1\x0d\xb8" + b"\1" * 11
    head = struct.pack("!IHBB", 6 << 28, len(payload), following, 64)
    return head + ends[0] + b"\1" + ends[1] + b"\2" + payload


def as_ip6(packet: bytes) -> bytes:
    """The same segment over IPv6, its addresses mapped into 2001:db8::/32."""
    mapped = [b"\x20\1\x0d\xb8" + b"\0" * 8 + packet[at : at + 4] for at in (12, 16)]
    total = int.from_bytes(packet[2:4], "big")
    head = struct.pack("!IHBB", 6 << 28, total - 20, 6, 64)
    return head + mapped[0] + mapped[1] + packet[20:]


def in_fragments(packet: bytes, number: int) -> list[bytes]:
    """A 4in4 packet in pieces of 24 bytes, the last piece first."""
    pieces = [packet[at : at + 24] for at in range(0, len(packet), 24)]
    count = len(pieces)
    return [
        MACS + IP4 + ip4(piece, 4, number, (0x2000 if at < count - 1 else 0) | at * 3)
        for at, piece in reversed(list(enumerate(pieces)))
    ]


def in_fragments6(packet: bytes, number: int) -> list[bytes]:
    """The same in IPv6, with fragment headers."""
    pieces = [packet[at : at + 24] for at in range(0, len(packet), 24)]
    return [
        MACS
        + IP6
        + ip6(struct.pack("!BBHI", 4, 0, at * 24 | (at < len(pieces) - 1), number) + piece, 44)
        for at, piece in enumerate(pieces)
    ]


#: Each with its link type and the frames it makes of an IPv4 packet and its number.
WRAPPINGS: dict[str, tuple[int, Wrap]] = {
    "raw": (links.RAW, prefix(b"")),
    "ethernet": (links.ETHERNET, ethernet()),
    "vlan": (links.ETHERNET, ethernet(b"\x81\0\0\5")),
    "qinq": (links.ETHERNET, ethernet(b"\x88\xa8\0\1\x81\0\0\2")),
    "snap": (
        links.ETHERNET,
        lambda packet, _: [
            MACS + struct.pack("!H", len(packet) + 8) + b"\xaa\xaa\3\0\0\0" + IP4 + packet
        ],
    ),
    "mpls": (links.ETHERNET, prefix(MACS + b"\x88\x47\0\1\0\x40\0\2\1\x40")),
    "pseudowire": (
        links.ETHERNET,
        prefix(MACS + b"\x88\x47\0\2\1\x40" + b"\0" * 4 + MACS + IP4),
    ),
    "pppoe": (
        links.ETHERNET,
        lambda packet, _: [
            MACS + b"\x88\x64\x11\0\0\1" + struct.pack("!H", len(packet) + 2) + b"\0\x21" + packet
        ],
    ),
    "ppp": (links.PPP, prefix(b"\xff\3\0\x21")),
    "cooked": (links.LINUX_SLL, prefix(b"\0\0\0\1\0\6" + MACS[:6] + b"\0\0" + IP4)),
    "cooked-2": (
        links.LINUX_SLL2,
        prefix(IP4 + b"\0\0\0\0\0\1\0\1\0\6" + MACS[:6] + b"\0\0"),
    ),
    "null": (links.NULL, prefix(b"\2\0\0\0")),
    "ipv6": (links.ETHERNET, lambda packet, _: [MACS + IP6 + as_ip6(packet)]),
    "4in4": (links.ETHERNET, lambda packet, _: [MACS + IP4 + ip4(packet, 4)]),
    "6in4": (links.ETHERNET, lambda packet, _: [MACS + IP4 + ip4(as_ip6(packet), 41)]),
    "4in6": (links.ETHERNET, lambda packet, _: [MACS + IP6 + ip6(packet, 4)]),
    "gre": (links.ETHERNET, lambda packet, _: [MACS + IP4 + ip4(b"\0\0" + IP4 + packet, 47)]),
    "gre-key": (
        links.ETHERNET,
        lambda packet, _: [MACS + IP4 + ip4(b"\x20\0" + IP4 + b"\0\0\0\7" + packet, 47)],
    ),
    "extension": (
        links.ETHERNET,
        lambda packet, _: [MACS + IP6 + ip6(b"\4\0" + b"\1\4" + b"\0" * 4 + packet, 60)],
    ),
    "fragments": (links.ETHERNET, in_fragments),
    "fragments-6": (links.ETHERNET, in_fragments6),
}


def crafted() -> Iterator[tuple[str, bytes]]:
    """A name and a capture file for each wrapping, and one file that has them all.

    Each holds ladders between the same two ports, so that ports are used again.
    """
    everything = Blocks()
    parts = [everything.section()]
    for number, (name, (link, wrap)) in enumerate(WRAPPINGS.items()):
        packets = []
        text = LADDERS[number % len(LADDERS)], LADDERS[-1 - number]
        for serial, (time, packet) in enumerate(_ladders(*text)):
            packets += [(time, data) for data in wrap(packet, serial)]
        yield (
            name,
            pcap(
                *((*divmod(time, 10**9), data, len(data)) for time, data in packets),
                magic=0xA1B23C4D,
                link=link,
            ),
        )
        parts.append(everything.interface((9, b"\x09"), link=link))
        parts += [everything.packet(time, data, interface=number) for time, data in packets]
    yield "everything", b"".join(parts)


def _ladders(*texts: str) -> Iterator[tuple[int, bytes]]:
    """Times and packets of ladders, one a minute after the other."""
    for minute, text in enumerate(texts):
        for _, frame in frames(text, 1000 + minute * 1_000_000, 5000 + minute * 2_000_000):
            yield frame.time + minute * 60 * 10**9, frame.data
