"""A capture file of many connections with losses, to measure on.

Each connection opens, sends data with ACKs in between, loses some segments and repeats them after
duplicate ACKs or a timeout, and closes. The frames of all connections that are open at the same
time are interleaved, as on a busy link.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

FIN, SYN, PSH, ACK = 1, 2, 8, 16
_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
_RECORD = struct.Struct("<IIII").pack
_PACKET = struct.Struct("!12sHBBHHHBBHIIHHIIBBHHHBBBBII").pack
_PAYLOAD = bytes(range(256)) * 6
_MASK = 0xFFFFFFFF


def write(path: Path, frames: int, connections: int, live: int = 400, seed: int = 1) -> int:
    """Write a capture.

    Args:
        path: the pcap file, with nanosecond times.
        frames: about how many frames.
        connections: how many connections they belong to.
        live: how many are open at the same time.
        seed: the same seed gives the same file.

    Returns:
        How many frames were written.
    """
    chance = random.Random(seed)
    waiting = iter(range(connections))
    each = frames // connections
    open_now: list[Iterator[bytes]] = []
    written, time = 0, 1_700_000_000_000_000_000
    pieces: list[bytes] = [_HEADER]
    with path.open("wb") as file:
        while True:
            while len(open_now) < live and (number := next(waiting, None)) is not None:
                open_now.append(_connection(number, each, chance))
            if not open_now:
                break
            at = chance.randrange(len(open_now))
            for _ in range(chance.randrange(1, 6)):
                packet = next(open_now[at], None)
                if packet is None:
                    del open_now[at]
                    break
                time += 10_000
                seconds, rest = divmod(time, 1_000_000_000)
                pieces += _RECORD(seconds, rest, len(packet), len(packet)), packet
                written += 1
            if len(pieces) > 10_000:
                file.write(b"".join(pieces))
                pieces.clear()
        file.write(b"".join(pieces))
    return written


def _connection(number: int, frames: int, chance: random.Random) -> Iterator[bytes]:
    """One connection's packets: a client that sends most of the data, a server that answers."""
    client, server = 0x0A000000 + number // 30_000 + 1, 0x0A800001
    port = 1024 + 2 * (number % 30_000)  # of one parity, as Linux picks them
    isn, peer = chance.randrange(1 << 32), chance.randrange(1 << 32)
    clock = chance.randrange(1 << 31)

    def packet(mine: bool, seq: int, ack: int, flags: int, length: int = 0) -> bytes:
        nonlocal clock
        clock += 1
        ends = (client, server, port, 9000) if mine else (server, client, 9000, port)
        start, other = (isn, peer) if mine else (peer, isn)
        source, destination, sport, dport = ends
        return (
            _PACKET(
                *(b"\2" * 12, 0x0800, 0x45, 0, 52 + length, 0, 0x4000, 64, 6, 0),
                *(source, destination, sport, dport, start + seq & _MASK),
                *(other + ack & _MASK if flags & ACK else 0, 0x80, flags, 501, 0, 0),
                *(1, 1, 8, 10, clock & _MASK, clock - 5 & _MASK),
            )
            + _PAYLOAD[:length]
        )

    yield packet(True, 0, 0, SYN)
    yield packet(False, 0, 1, SYN | ACK)
    yield packet(True, 1, 1, ACK)
    seq, ack, made = 1, 1, 3
    while made < frames - 4:
        burst = [chance.randrange(1, 200) for _ in range(chance.randrange(1, 8))]
        lost = chance.randrange(len(burst)) if chance.random() < 0.02 else -1
        start = seq
        for at, length in enumerate(burst):
            if at != lost or chance.random() < 0.5:  # lost before the tap, or behind it
                yield packet(True, seq, ack, PSH | ACK, length)
                made += 1
            seq += length
        if lost >= 0:
            hole = start + sum(burst[:lost])
            for _ in range(len(burst) - lost):
                yield packet(False, ack, hole, ACK)
                made += 1
            yield packet(True, hole, ack, PSH | ACK, burst[lost])
            made += 1
        yield packet(False, ack, seq, ACK)
        made += 1
        if chance.random() < 0.3:
            length = chance.randrange(1, 200)
            yield packet(False, ack, seq, PSH | ACK, length)
            ack += length
            yield packet(True, seq, ack, ACK)
            made += 2
    yield packet(True, seq, ack, FIN | ACK)
    yield packet(False, ack, seq + 1, FIN | ACK)
    yield packet(True, seq + 1, ack + 1, ACK)
