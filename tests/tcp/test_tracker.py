"""What a capture of very many connections takes."""

from __future__ import annotations

import tracemalloc

from frames import RAW, tcp

from trioecho.model import SYN, Frame, Segment
from trioecho.packet.decode import decode
from trioecho.tcp.tracker import Tracker


def syns(many: int) -> list[Segment]:
    """So many SYNs, each from a port of its own."""
    made = []
    for number in range(1, many + 1):
        data = tcp("client", SYN, number * 7919, port=number)
        segment = decode(Frame(number, number * 1_000_000, data, RAW, len(data)))
        assert segment is not None
        made.append(segment)
    return made


def test_a_flood_of_syns_takes_little_memory() -> None:
    """A connection that never came to a second segment takes about 2 KB."""
    flood = syns(5_000)
    tracker = Tracker()
    tracemalloc.start()
    for segment in flood:
        tracker.noticed(segment)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tracker.count == len(flood)
    assert taken / len(flood) < 2_500
