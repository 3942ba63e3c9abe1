"""Packets that no host has sent: broken ones, forged ones, and those of a router. PURE."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, inet_pton
from struct import pack

from trioecho.model import Endpoint, Segment
from trioecho.model.sequence import MASK

IPV6_MINIMUM = 1_280  # RFC 8200 §5: no link that carries IPv6 has a smaller MTU


def checksum(data: bytes) -> bytes:
    """The Internet checksum of some bytes, an even number of them or padded here (RFC 1071)."""
    number = int.from_bytes(data + bytes(len(data) % 2), "big")
    return (0xFFFF - number % 0xFFFF).to_bytes(2, "big")


def ip_packet(source: bytes, destination: bytes, protocol: int, payload: bytes) -> bytes:
    """An IP packet, IPv4 or IPv6 as its addresses are (RFC 791 §3.1, RFC 8200 §3)."""
    if len(source) == 16:
        return pack("!IHBB", 6 << 28, len(payload), protocol, 64) + source + destination + payload
    fields = (0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    header = pack("!BBHHHBBH", *fields) + source + destination
    return header[:10] + checksum(header) + header[12:] + payload


def tcp_packet(
    source: Endpoint, destination: Endpoint, seq: int, ack: int, flags: int, window: int = 0
) -> bytes:
    """An IP packet with a TCP segment that has neither options nor data (RFC 9293 §3.1)."""
    family = AF_INET6 if ":" in source.ip else AF_INET
    addresses = inet_pton(family, source.ip), inet_pton(family, destination.ip)
    fields = (source.port, destination.port, seq & MASK, ack, 5 << 12 | flags, window, 0, 0)
    tcp = pack("!HHIIHHHH", *fields)
    pseudo = b"".join(addresses) + pack("!HH", IPPROTO_TCP, len(tcp))
    return ip_packet(*addresses, IPPROTO_TCP, tcp[:16] + checksum(pseudo + tcp) + tcp[18:])


def corrupted(data: bytes, segment: Segment) -> bytes:
    """A packet with one bit of its payload flipped, or of its window where it has none.

    The checksum stays, and so is wrong.
    """
    start = pack("!HHI", segment.source.port, segment.destination.port, segment.seq)
    tcp = data.find(start, 40 if data[0] >> 4 == 6 else 20)
    payload = tcp + (data[tcp + 12] >> 4) * 4
    at = payload if segment.length and payload < len(data) else tcp + 15
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def too_big(data: bytes, size: int) -> bytes:
    """The ICMP message of a router whose next link is too small for a packet.

    Its source is the packet's destination: the router has no address of its own.

    Returns:
        The IP packet with the message, to the packet's source.

    Source: RFC 792, RFC 1191 §4, RFC 1812 §4.3.2.3 (576 bytes at most); RFC 4443 §3.2.
    """
    if data[0] >> 4 == 4:
        quote = data[:548]
        icmp = pack("!BBHHH", 3, 4, 0, 0, size) + quote
        icmp = icmp[:2] + checksum(icmp) + icmp[4:]
        return ip_packet(data[16:20], data[12:16], IPPROTO_ICMP, icmp)
    source, destination = data[24:40], data[8:24]
    quote = data[: IPV6_MINIMUM - 48]
    icmp = pack("!BBHI", 2, 0, 0, max(size, IPV6_MINIMUM)) + quote
    pseudo = source + destination + pack("!II", len(icmp), IPPROTO_ICMPV6)
    icmp = icmp[:2] + checksum(pseudo + icmp) + icmp[4:]
    return ip_packet(source, destination, IPPROTO_ICMPV6, icmp)
