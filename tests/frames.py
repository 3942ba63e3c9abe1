"""Frames with real bytes, made from the lines of a ladder."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from trioecho.model import ConnectionSummary, Frame, Rung
from trioecho.packet.decode import decode
from trioecho.render.notation import LETTERS, LadderLine, parse
from trioecho.tcp.rules.repetition import FastRetransmission, Retransmission, SpuriousRetransmission
from trioecho.tcp.tracker import Tracker

REPETITIONS = (Retransmission, FastRetransmission, SpuriousRetransmission)

CLIENT = (b"\x0a\x00\x00\x01", 40000)
SERVER = (b"\x0a\x00\x00\x02", 7)
RAW = 101
START = 1_700_000_000_000_000_000


def tcp(
    sender: str,
    flags: int,
    seq: int,
    ack: int = 0,
    payload: bytes = b"",
    window: int = 65535,
    options: bytes = b"",
    port: int = 0,
) -> bytes:
    """An IPv4 packet with a TCP segment; its checksums are left 0."""
    (source, sport), (destination, dport) = (
        (CLIENT, SERVER) if sender == "client" else (SERVER, CLIENT)
    )
    sport, dport = (sport + port, dport) if sender == "client" else (sport, dport + port)
    options += b"\x00" * (-len(options) % 4)
    header = struct.pack(
        "!HHIIHHHH",
        sport,
        dport,
        seq & 0xFFFFFFFF,
        ack & 0xFFFFFFFF,
        (5 + len(options) // 4) << 12 | flags,
        window,
        0,
        0,
    )
    total = 40 + len(options) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, 6, 0, source, destination)
    return ip + header + options + payload


def fragments(packet: bytes) -> list[bytes]:
    """An IPv4 packet in two fragments."""
    body, cut = packet[20:], []
    for offset, data, more in ((0, body[:64], 1), (64, body[64:], 0)):
        head = bytearray(packet[:20])
        struct.pack_into("!HHH", head, 2, 20 + len(data), 7, more << 13 | offset // 8)
        cut.append(bytes(head) + data)
    return cut


def frames(
    text: str | Sequence[LadderLine],
    client_isn: int = 1000,
    server_isn: int = 5000,
    echo: int = 0,
    time: int = START,
) -> Iterator[tuple[LadderLine, Frame]]:
    """The frames that a ladder's left side describes, in any place of the sequence space.

    ``echo``: the TSecr of those with timestamps. ``time``: when it begins.
    """
    for number, line in enumerate(parse(text) if isinstance(text, str) else text, 1):
        time += line.delta or 0
        mine, theirs = (
            (client_isn, server_isn) if line.sender == "client" else (server_isn, client_isn)
        )
        options = b""
        for word in (line.options or "").split(","):
            match word.split():
                case ["mss", value]:
                    options += struct.pack("!BBH", 2, 4, int(value))
                case ["sackOK"]:
                    options += b"\x04\x02"
                case ["wscale", value]:
                    options += struct.pack("!BBB", 3, 3, int(value))
                case ["ts", value]:
                    options += b"\1\1" + struct.pack("!BBII", 8, 10, int(value), echo)
                case ["sack", value]:
                    block = (theirs + int(edge) & 0xFFFFFFFF for edge in value.split(":"))
                    options += b"\1\1" + struct.pack("!BBII", 5, 10, *block)
                case ["tfo", value]:
                    options += struct.pack("!BB", 34, 2 + int(value)) + bytes(int(value))
                case ["mptcp", value]:
                    options += struct.pack("!BBH", 30, 4, int(value) << 12)
        data = tcp(
            line.sender,
            sum(1 << LETTERS.index(letter) for letter in line.flags if letter != "-"),
            mine + line.seq,
            theirs + line.ack if line.ack is not None else 0,
            b"x" * line.length,
            line.window if line.window is not None else 65535,
            options,
            line.connection - 1,
        )
        data = _changed(data, line.options or "")
        yield line, Frame(number, time, data, RAW, len(data))


def _changed(data: bytes, options: str) -> bytes:
    """A packet with what stands among a line's options and is none."""
    packet = bytearray(data)
    end = 20 + (packet[32] >> 4) * 4
    for word in options.split(","):
        match word.split():
            case ["id", value]:
                packet[4:6] = int(value).to_bytes(2, "big")
            case ["ecn", value]:
                packet[1] |= int(value)
            case ["urg", value]:
                packet[38:40] = int(value).to_bytes(2, "big")
            case ["byte", value]:
                packet[end:] = bytes([int(value)]) * (len(packet) - end)
            case ["sum", value]:
                packet[36:38] = b"\0\0"
                pseudo = bytes(packet[12:20]) + struct.pack("!HH", 6, len(packet) - 20)
                odd = b"\0" * (len(packet) % 2)
                total = sum(one for (one,) in struct.iter_unpack("!H", pseudo + packet[20:] + odd))
                packet[36:38] = (-total % 0xFFFF + int(value)).to_bytes(2, "big")
            case ["offload", value]:
                pseudo = bytes(packet[12:20]) + struct.pack("!HH", 6, len(packet) - 20)
                total = sum(struct.unpack("!6H", pseudo)) + int(value)
                packet[36:38] = (total % 0xFFFF or 0xFFFF).to_bytes(2, "big")
    return bytes(packet)


def play(text: str, client_isn: int = 1000, server_isn: int = 5000) -> list[Rung]:
    """Let the engine see a ladder's segments at one tap; if one is lost, on a wire that knows."""
    wire = any(line.lost for line, _ in frames(text))
    return (on_wire if wire else seen)(text, client_isn, server_isn)[1]


def come_to(text: str) -> tuple[list[Rung], ConnectionSummary]:
    """A ladder's segments at one tap, and what the last connection among them came to."""
    tracker, rungs = seen(text)
    return rungs, tracker.summaries()[-1]


def seen(
    text: str, client_isn: int = 1000, server_isn: int = 5000, echo: int = 0, time: int = START
) -> tuple[Tracker, list[Rung]]:
    """A ladder's segments at one tap, and the tracker that saw them."""
    tracker = Tracker()
    rungs = []
    for _, frame in frames(text, client_isn, server_isn, echo, time):
        segment = decode(frame)
        assert segment is not None
        rungs.append(tracker.seen(segment))
    return tracker, rungs


def on_wire(
    text: str, client_isn: int = 1000, server_isn: int = 5000
) -> tuple[Tracker, list[Rung]]:
    """A ladder's segments on a wire that knows which are lost; the others arrive at once."""
    tracker = Tracker()
    rungs = []
    for line, frame in frames(text, client_isn, server_isn):
        segment = decode(frame)
        assert segment is not None
        rung = tracker.sent(segment)
        connection = tracker.find(segment.source, segment.destination)
        assert connection is not None
        if line.lost:
            connection.lost(rung)
        else:
            rung = connection.arrived(rung, frame.time)
        rungs.append(rung)
    return tracker, rungs
