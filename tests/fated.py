"""Packets sent through the fates of a wire, and what their bytes are."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import IPv6Address

import frames

from trioecho.faults.fate import Decision, Packet
from trioecho.faults.fates import Fates
from trioecho.faults.faults import parse
from trioecho.model import End, Frame, Segment
from trioecho.packet.decode import decode

MS, SECOND = 1_000_000, 1_000_000_000
START = 1_700_000_000 * SECOND


def segment_in(data: bytes) -> Segment | None:
    return decode(Frame(1, 0, data, frames.RAW, len(data)))


class Wire:
    """Sends packets through the fates, a millisecond apart where no time is given."""

    def __init__(self, *script: str) -> None:
        self.fates = Fates([parse(text) for text in script])
        self.time = START
        self.number = 0

    def send(self, end: End, data: bytes, after: int = MS) -> Decision:
        self.number += 1
        self.time += after
        return self.fates.decide(Packet(self.number, end, self.time, data, segment_in(data)))

    def play(self, ladder: str, client_isn: int = 1000, server_isn: int = 5000) -> list[Decision]:
        decisions = []
        for line, frame in frames.frames(ladder, client_isn, server_isn):
            decisions.append(self.send(line.sender, frame.data))
        return decisions


def lost(decisions: Sequence[Decision]) -> list[int]:
    return [number for number, one in enumerate(decisions, 1) if one.lost]


def good_checksums(data: bytes) -> bool:
    """Whether the checksums of an IP packet with TCP or ICMP are right (RFC 1071: summed up)."""

    def total(octets: bytes) -> int:
        octets += bytes(len(octets) % 2)
        number: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
        while number >> 16:
            number = (number >> 16) + (number & 0xFFFF)
        return number

    if data[0] >> 4 == 4:
        header, payload, protocol = data[:20], data[20:], data[9]
        pseudo = header[12:20] + struct.pack("!HH", protocol, len(payload))
        whole = int.from_bytes(data[2:4], "big") == len(data) and total(header) == 0xFFFF
        return whole and total(payload if protocol == 1 else pseudo + payload) == 0xFFFF
    payload = data[40:]
    pseudo = data[8:40] + struct.pack("!II", len(payload), data[6])
    return len(payload) == int.from_bytes(data[4:6], "big") and total(pseudo + payload) == 0xFFFF


def over_ipv6(data: bytes) -> bytes:
    """The same TCP segment in an IPv6 packet."""
    last = data[15], data[19]
    source, destination = (IPv6Address(f"fd00::{one}").packed for one in last)
    return struct.pack("!IHBB", 6 << 28, len(data) - 20, 6, 64) + source + destination + data[20:]


def with_checksum(data: bytes) -> bytes:
    """Fill in the checksum fields, which are 0."""
    ip = 20 if data[0] >> 4 == 4 else 40
    if ip == 20:
        data = data[:10] + missing(data[:20]) + data[12:]
    return data[: ip + 16] + missing(pseudo(data) + data[ip:]) + data[ip + 18 :]


def missing(data: bytes) -> bytes:
    """What there is to add to make a multiple of 0xffff."""
    return (-int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF).to_bytes(2, "big")


def pseudo(data: bytes) -> bytes:
    if data[0] >> 4 == 4:
        return data[12:20] + struct.pack("!HH", 6, len(data) - 20)
    return data[8:40] + struct.pack("!II", len(data) - 40, 6)
