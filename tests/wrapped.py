"""Frames of every link type and tunnel, made byte by byte from what the RFCs and registries say.

Each holds one segment, the same in all of them: 192.0.2.1 (or 2001:db8::1), port 40000, to
198.51.100.2 (or 2001:db8::2), port 80, seq 1000, ack 2000, "hello".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from struct import pack
from typing import NamedTuple

from trioecho.packet.build import checksum, ip_packet

CLIENT4, SERVER4 = ip_address("192.0.2.1").packed, ip_address("198.51.100.2").packed
CLIENT6, SERVER6 = ip_address("2001:db8::1").packed, ip_address("2001:db8::2").packed
OUTER4 = ip_address("203.0.113.1").packed, ip_address("203.0.113.2").packed
OUTER6 = ip_address("2001:db8:f::1").packed, ip_address("2001:db8:f::2").packed

MACS = bytes.fromhex("020000000002020000000001")
PAYLOAD = b"hello"
ETHERNET = 1


def segment(
    source: bytes, destination: bytes, payload: bytes = PAYLOAD, port: int = 40000
) -> bytes:
    """A TCP segment, its checksum right."""
    tcp = pack("!HHIIHHHH", port, 80, 1000, 2000, 5 << 12 | 0x18, 64000, 0, 0) + payload
    pseudo = source + destination + pack("!II", len(tcp), 6)
    return tcp[:16] + checksum(pseudo + tcp) + tcp[18:]


def ip4(payload: bytes = PAYLOAD, port: int = 40000) -> bytes:
    return ip_packet(CLIENT4, SERVER4, 6, segment(CLIENT4, SERVER4, payload, port))


def ip6(payload: bytes = PAYLOAD, port: int = 40000) -> bytes:
    return ip_packet(CLIENT6, SERVER6, 6, segment(CLIENT6, SERVER6, payload, port))


def type_of(packet: bytes) -> bytes:
    """The EtherType of an IP packet."""
    return b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0"


def ethernet(packet: bytes, kind: bytes = b"") -> bytes:
    return MACS + (kind or type_of(packet)) + packet


def udp(port: int, payload: bytes, source: int = 50000) -> bytes:
    return pack("!HHHH", source, port, 8 + len(payload), 0) + payload


def ppp(packet: bytes) -> bytes:
    return (b"\0\x57" if packet[0] >> 4 == 6 else b"\0\x21") + packet


def snap(packet: bytes) -> bytes:
    return b"\xaa\xaa\x03\0\0\0" + type_of(packet) + packet


def labels(packet: bytes, *numbers: int) -> bytes:
    """MPLS (RFC 3032 §2.1): 20 bits of label, 3 of class, the bottom bit, a TTL."""
    last = len(numbers) - 1
    stack = (pack("!I", n << 12 | (at == last) << 8 | 64) for at, n in enumerate(numbers))
    return b"".join(stack) + packet


# What is in an IP packet: protocol and payload, and the tunnel's name.
Outer = tuple[int, bytes, str]


def gre(packet: bytes, bits: int = 0, fields: bytes = b"", kind: bytes = b"") -> bytes:
    return pack("!H", bits) + (kind or type_of(packet)) + fields + packet


def gtp(packet: bytes, flags: int = 0x30, optional: bytes = b"") -> bytes:
    """3GPP TS 29.281 §5.1."""
    return pack("!BBHI", flags, 255, len(optional) + len(packet), 0x1234) + optional + packet


TUNNELS: dict[str, Callable[[bytes], Outer]] = {
    "IP in IP": lambda p: (41 if p[0] >> 4 == 6 else 4, p, ""),
    "GRE": lambda p: (47, gre(p), ""),
    "GRE with a key": lambda p: (47, gre(p, 0x2000, pack("!I", 7)), "GRE key 7"),
    "GRE with all fields": lambda p: (47, gre(p, 0xB000, pack("!HHII", 0, 0, 7, 1)), "GRE key 7"),
    "GRE with a route (RFC 1701)": lambda p: (
        47,
        gre(p, 0x4000, bytes(4) + b"\x08\0\0\4\1\2\3\4" + bytes(4)),
        "",
    ),
    "GRE of a frame": lambda p: (47, gre(ethernet(p), kind=b"\x65\x58"), ""),
    "WCCP": lambda p: (47, gre(bytes(4) + p, kind=b"\x88\x3e"), ""),
    "NVGRE": lambda p: (
        47,
        gre(ethernet(p), 0x2000, pack("!I", 0x12345 << 8 | 99), b"\x65\x58"),
        f"NVGRE {0x12345}",
    ),
    "gretap with a key": lambda p: (
        47,
        gre(ethernet(p), 0x2000, pack("!I", 42), b"\x65\x58"),
        "GRE key 42",
    ),
    "PPTP": lambda p: (
        47,
        pack("!HHHHII", 0x3081, 0x880B, 4 + len(p), 5, 1, 1) + b"\xff\x03" + ppp(p),
        "",
    ),
    "ERSPAN I": lambda p: (47, gre(ethernet(p), kind=b"\x88\xbe"), ""),
    "ERSPAN II": lambda p: (
        47,
        gre(pack("!II", 1 << 28 | 5 << 16 | 100, 3) + ethernet(p), 0x1000, bytes(4), b"\x88\xbe"),
        "ERSPAN 100",
    ),
    "ERSPAN III": lambda p: (
        47,
        gre(pack("!IIHH", 2 << 28 | 100, 1, 0, 0) + ethernet(p), 0x1000, bytes(4), b"\x22\xeb"),
        "ERSPAN 100",
    ),
    "ERSPAN III with a subheader": lambda p: (
        47,
        gre(pack("!IIHHQ", 2 << 28 | 100, 1, 0, 1, 0) + ethernet(p), 0x1000, bytes(4), b"\x22\xeb"),
        "ERSPAN 100",
    ),
    "EtherIP": lambda p: (97, b"\x30\0" + ethernet(p), ""),
    "MPLS in IP": lambda p: (137, labels(p, 100, 200), ""),
    "VXLAN": lambda p: (17, udp(4789, pack("!II", 0x08000000, 42 << 8) + ethernet(p)), "VXLAN 42"),
    "VXLAN of Linux": lambda p: (
        17,
        udp(8472, pack("!II", 0x08000000, 42 << 8) + ethernet(p)),
        "VXLAN 42",
    ),
    "VXLAN with a group policy": lambda p: (
        17,
        udp(4789, pack("!II", 0x88000007, 42 << 8) + ethernet(p)),
        "VXLAN 42",
    ),
    "VXLAN and a VLAN": lambda p: (
        17,
        udp(
            4789,
            pack("!II", 0x08000000, 42 << 8) + ethernet(b"\0\5" + type_of(p) + p, b"\x81\0"),
        ),
        "VXLAN 42",
    ),
    "VXLAN-GPE": lambda p: (
        17,
        udp(4790, pack("!II", 0x0C000000 | (2 if p[0] >> 4 == 6 else 1), 42 << 8) + p),
        "VXLAN 42",
    ),
    "VXLAN with what follows": lambda p: (
        17,
        udp(4789, pack("!II", 0x0C000003, 42 << 8) + ethernet(p)),
        "VXLAN 42",
    ),
    "VXLAN-GPE of a frame": lambda p: (
        17,
        udp(4790, pack("!II", 0x0C000003, 42 << 8) + ethernet(p)),
        "VXLAN 42",
    ),
    "VXLAN-GPE and NSH": lambda p: (
        17,
        udp(
            4790,
            pack("!II", 0x0C000004, 42 << 8)
            + pack("!BBBBI", 0, 0x42, 2, 2 if p[0] >> 4 == 6 else 1, 1 << 8 | 255)
            + p,
        ),
        "VXLAN 42",
    ),
    "GENEVE": lambda p: (17, udp(6081, pack("!BB2sI", 0, 0, type_of(p), 42 << 8) + p), "GENEVE 42"),
    "GENEVE of a frame": lambda p: (
        17,
        udp(6081, pack("!BBHI", 0, 0, 0x6558, 42 << 8) + ethernet(p)),
        "GENEVE 42",
    ),
    "GENEVE with options": lambda p: (
        17,
        udp(
            6081,
            pack("!BBHI", 5, 0x40, 0x6558, 42 << 8)
            + pack("!HBBQ", 0x0108, 1, 2, 7)
            + pack("!HBBI", 0x0108, 3, 1, 9)
            + ethernet(p),
        ),
        "GENEVE 42",
    ),
    "GTP-U": lambda p: (17, udp(2152, gtp(p)), "GTP-U"),
    "GTP-U with a number": lambda p: (17, udp(2152, gtp(p, 0x32, b"\0\1\0\0")), "GTP-U"),
    "GTP-U with an N-PDU's number": lambda p: (17, udp(2152, gtp(p, 0x31, b"\0\0\7\0")), "GTP-U"),
    "GTP-U with extensions": lambda p: (
        17,
        udp(2152, gtp(p, 0x36, b"\0\1\0\x85" + b"\1\0\x09\x40" + b"\1\0\0\0")),
        "GTP-U",
    ),
    "GRE in UDP": lambda p: (17, udp(4754, gre(p)), ""),
    "GRE in UDP with a key": lambda p: (17, udp(4754, gre(p, 0x2000, pack("!I", 7))), "GRE key 7"),
    "MPLS in UDP": lambda p: (17, udp(6635, labels(p, 100, 200)), ""),
    "a frame in MPLS in UDP": lambda p: (17, udp(6635, labels(bytes(4) + ethernet(p), 100)), ""),
}

# IPv6 alone (RFC 4380).
TEREDO: dict[str, Callable[[bytes], Outer]] = {
    "Teredo": lambda p: (17, udp(3544, p), "Teredo"),
    "Teredo from a server": lambda p: (17, udp(50000, p, 3544), "Teredo"),
    "Teredo with an origin": lambda p: (17, udp(3544, b"\0\0" + bytes(6) + p), "Teredo"),
    "Teredo, authenticated": lambda p: (
        17,
        udp(3544, b"\0\1\2\3" + b"id" + b"key" + bytes(9) + b"\0\0" + bytes(6) + p),
        "Teredo",
    ),
}

# What is in an Ethernet frame, from the EtherType on.
BRIDGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "plain": (lambda p: type_of(p) + p, ""),
    "VLAN": (lambda p: b"\x81\0\0\5" + type_of(p) + p, ""),
    "QinQ": (lambda p: b"\x88\xa8\0\1\x81\0\0\2" + type_of(p) + p, ""),
    "802.3": (lambda p: pack("!H", 8 + len(p)) + snap(p), ""),
    "802.3 in a VLAN": (lambda p: b"\x81\0\0\5" + pack("!H", 8 + len(p)) + snap(p), ""),
    "PPPoE": (lambda p: pack("!HHHH", 0x8864, 0x1100, 7, 2 + len(p)) + ppp(p), ""),
    "MPLS": (lambda p: b"\x88\x47" + labels(p, 16, 17, 18), ""),
    "a frame in MPLS": (lambda p: b"\x88\x47" + labels(bytes(4) + ethernet(p), 16), ""),
    "PBB": (
        lambda p: b"\x88\xa8\0\7" + b"\x88\xe7" + pack("!I", 0xA0012345) + ethernet(p),
        f"PBB {0x12345}",
    ),
    "VN-Tag": (lambda p: b"\x89\x26" + pack("!I", 0x80050003) + type_of(p) + p, ""),
    "E-TAG": (lambda p: b"\x89\x3f" + bytes(6) + type_of(p) + p, ""),
    "a security group": (lambda p: b"\x89\x09" + b"\1\1\0\1\0\7" + type_of(p) + p, ""),
    "FabricPath": (lambda p: b"\x89\x03" + pack("!H", 1 << 6 | 32) + ethernet(p), ""),
    "NSH": (
        lambda p: pack("!HBBBBI", 0x894F, 0x0F, 0xC6, 1, 3, 1 << 8 | 255) + bytes(16) + ethernet(p),
        "",
    ),
}


def wireless(
    packet: bytes,
    control: int = 0x0108,
    *,
    more: bytes = b"",
    sequence: int = 0,
    body: bytes | None = None,
) -> bytes:
    """A data frame of 802.11: control and duration, three addresses, sequence, what follows."""
    head = pack("<HH", control, 0) + MACS + b"\2\0\0\0\0\3" + pack("<H", sequence)
    return head + more + (snap(packet) if body is None else body)


def aggregate(*packets: bytes) -> bytes:
    """An A-MSDU: each frame padded to a multiple of 4, but for the last."""
    body = b""
    for packet in packets:
        body += bytes(-len(body) % 4) + MACS + pack("!H", 8 + len(packet)) + snap(packet)
    return wireless(b"", 0x0188, more=b"\x80\0", body=body)


RADIOTAP = bytes.fromhex("0000080000000000")


def tlv(order: str, kind: int, value: bytes) -> bytes:
    return pack(order + "HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def nflog(packet: bytes, order: str = "<") -> bytes:
    family = 10 if packet[0] >> 4 == 6 else 2
    attributes = tlv(order, 10, b"\0") + tlv(order, 1, type_of(packet) + b"\3\0")
    return bytes((family, 0, 0, 0)) + attributes + tlv(order, 9, packet)


def relay(packet: bytes) -> bytes:
    """Frame relay (RFC 2427 §3): the address, a UI, an NLPID."""
    return b"\x18\x41\x03" + (b"\x8e" if packet[0] >> 4 == 6 else b"\xcc") + packet


LINKS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "NULL": (0, lambda p: pack("<I", 24 if p[0] >> 4 == 6 else 2) + p),
    "LOOP": (108, lambda p: pack("!I", 24 if p[0] >> 4 == 6 else 2) + p),
    "raw": (101, lambda p: p),
    "PPP": (9, ppp),
    "PPP in HDLC": (50, lambda p: b"\xff\x03" + ppp(p)),
    "Cisco's HDLC in PPP's": (50, lambda p: b"\x0f\0" + type_of(p) + p),
    "PPP squeezed": (9, lambda p: b"\xff\x03" + ppp(p)[1:]),
    "pppd": (166, lambda p: b"\1\x03" + ppp(p)),
    "PPP with a direction": (204, lambda p: b"\1\xff\x03" + ppp(p)),
    "PPPoE alone": (51, lambda p: pack("!HHH", 0x1100, 7, 2 + len(p)) + ppp(p)),
    "C-HDLC": (104, lambda p: b"\x0f\0" + type_of(p) + p),
    "C-HDLC to all": (104, lambda p: b"\x8f\0" + type_of(p) + p),
    "C-HDLC with a direction": (205, lambda p: b"\0\x0f\0" + type_of(p) + p),
    "frame relay": (107, relay),
    "frame relay, four bytes of address": (107, lambda p: b"\x18\x40\x02\x01" + relay(p)[2:]),
    "frame relay and SNAP": (
        107,
        lambda p: b"\x18\x41\x03\0\x80\0\0\0" + type_of(p) + p,
    ),
    "frame relay, bridged": (
        107,
        lambda p: b"\x18\x41\x03\0\x80\0\x80\xc2\0\7" + ethernet(p),
    ),
    "frame relay of Cisco": (107, lambda p: b"\x18\x41" + type_of(p) + p),
    "frame relay with a direction": (206, lambda p: b"\1" + relay(p)),
    "MPLS": (219, lambda p: labels(p, 16)),
    "cooked": (113, lambda p: bytes(14) + type_of(p) + p),
    "cooked 802.2": (113, lambda p: bytes(14) + b"\0\4" + snap(p)),
    "cooked v2": (276, lambda p: type_of(p) + bytes(18) + p),
    "NFLOG": (239, nflog),
    "NFLOG of a big-endian machine": (239, lambda p: nflog(p, ">")),
    "PKTAP": (258, lambda p: pack("<III", 108, 1, 1).ljust(108, b"\0") + ethernet(p)),
    "PKTAP of raw IP": (258, lambda p: pack("<III", 108, 1, 12).ljust(108, b"\0") + p),
    "802.11": (105, wireless),
    "802.11 QoS": (105, lambda p: wireless(p, 0x0188, more=b"\0\0")),
    "802.11 QoS, four addresses": (105, lambda p: wireless(p, 0x0388, more=bytes(8))),
    "802.11 four addresses": (105, lambda p: wireless(p, 0x0308, more=bytes(6))),
    "802.11 QoS and HT": (105, lambda p: wireless(p, 0x8188, more=bytes(6))),
    "802.11 A-MSDU": (105, aggregate),
    "radiotap": (127, lambda p: RADIOTAP + wireless(p)),
    "radiotap with a check sequence": (
        127,
        lambda p: pack("<BBHIB", 0, 0, 9, 2, 0x10) + wireless(p) + b"\1\2\3\4",
    ),
    "radiotap with a time": (
        127,
        lambda p: pack("<BBHIQB", 0, 0, 17, 3, 1, 0x10) + wireless(p) + b"\1\2\3\4",
    ),
    "radiotap, padded": (
        127,
        lambda p: pack("<BBHIB", 0, 0, 9, 2, 0x20) + wireless(p, 0x0188, more=b"\0\0\0\0"),
    ),
    "radiotap of two words": (
        127,
        lambda p: pack("<BBHIIBx", 0, 0, 14, 1 << 31 | 2, 0, 0x10) + wireless(p) + b"\1\2\3\4",
    ),
    "PPI": (192, lambda p: pack("<BBHI", 0, 0, 8, 105) + wireless(p)),
    "PPI of Ethernet": (192, lambda p: pack("<BBHI", 0, 0, 8, 1) + ethernet(p)),
    "AVS": (163, lambda p: pack("!II", 0x80211001, 64).ljust(64, b"\0") + wireless(p)),
    "Prism": (119, lambda p: pack("<II", 0x44, 144).ljust(144, b"\0") + wireless(p)),
    "AVS in place of Prism": (
        119,
        lambda p: pack("!II", 0x80211001, 64).ljust(64, b"\0") + wireless(p),
    ),
}


class Crafted(NamedTuple):
    """A frame, what it is, and what names the tunnel in it."""

    name: str
    link: int
    data: bytes
    tunnel: str


def crafted() -> Iterator[Crafted]:
    """Every format, with IPv4 and IPv6 within, and over both where there is something outside."""
    for version, packet in (("IPv4", ip4()), ("IPv6", ip6())):
        for name, (link, build) in LINKS.items():
            yield Crafted(f"{version} in {name}", link, build(packet), "")
        for name, (build, tunnel) in BRIDGES.items():
            yield Crafted(f"{version} in {name}", ETHERNET, MACS + build(packet), tunnel)
        tunnels = TUNNELS if packet[0] >> 4 == 4 else TUNNELS | TEREDO
        for name, outer in tunnels.items():
            protocol, payload, tunnel = outer(packet)
            for over, ends in (("IPv4", OUTER4), ("IPv6", OUTER6)):
                data = ethernet(ip_packet(*ends, protocol, payload))
                yield Crafted(f"{version} in {name} over {over}", ETHERNET, data, tunnel)


def nested(*names: str, packet: bytes = b"") -> bytes:
    """An IP packet within tunnels, the innermost named first."""
    packet = packet or ip4()
    for at, name in enumerate(names):
        protocol, payload, _ = (TUNNELS | TEREDO)[name](packet)
        packet = ip_packet(*(OUTER6 if at % 2 else OUTER4), protocol, payload)
    return packet


def pcap(frames: list[tuple[bytes, int]], link: int) -> bytes:
    """A capture file of frames, each with its length on the wire."""
    records = b"".join(
        struct.pack("<IIII", 0, at, len(data), length) + data
        for at, (data, length) in enumerate(frames)
    )
    return struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link) + records
