"""What is known of one end: what it has in flight, and what of it comes again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from frames import tcp

from trioecho.model import ACK, RST, SYN, Frame, Rung, Segment
from trioecho.tcp import notes
from trioecho.tcp.decode import decode
from trioecho.tcp.half import MOST_SENT, Sent
from trioecho.tcp.link import RAW
from trioecho.tcp.tracker import Tracker

ISN = 99


class Looked(deque[Sent]):
    """Counts the segments that are looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        self.looks += 1
        return super().__getitem__(at)

    def __iter__(self) -> Iterator[Sent]:
        for sent in super().__iter__():
            self.looks += 1
            yield sent


class Flight:
    """A client that has opened a connection and sends what nobody acknowledges."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.number = 0
        self.see(tcp("client", SYN, ISN))
        self.see(tcp("server", SYN | ACK, 499, ISN + 1))
        self.see(tcp("client", ACK, ISN + 1, 500))
        self.half = self.tracker.connections[0].client

    def see(self, data: bytes) -> Rung:
        self.number += 1
        segment = decode(Frame(self.number, self.number * 1_000, data, RAW, len(data)))
        assert isinstance(segment, Segment)
        return self.tracker.seen(segment)

    def send(self, seq: int, payload: bytes, flags: int = ACK) -> Rung:
        return self.see(tcp("client", flags, ISN + seq, 500, payload))


@pytest.mark.parametrize("seq", [1, MOST_SENT // 2, MOST_SENT - 1])
def test_what_is_repeated_is_looked_up(seq: int) -> None:
    flight = Flight()
    for at in range(MOST_SENT):
        flight.send(1 + at, b"x")
    flight.half.sent = sent = Looked(flight.half.sent)
    rung = flight.send(seq, b"x")
    (note,) = (one for one in rung.notes if isinstance(one, notes.Retransmission))
    assert note.of == 3 + seq
    assert 0 < sent.looks < 200
    assert flight.half.original(seq) == Sent(
        seq, seq + 1, 3 + seq, 1_000 * (3 + seq), 0, b"x", True
    )


def test_it_stays_in_order_whatever_comes() -> None:
    chance = Random(7)
    for _ in range(200):
        flight = Flight()
        for _ in range(60):
            flags = RST if chance.random() < 0.05 else ACK
            far = 1 << 28 if chance.random() < 0.05 else 0
            length = chance.randrange(1, 40)
            seq = chance.randrange(1, 400) if chance.random() < 0.5 else flight.half.next or 1
            flight.send(seq + far, bytes(length), flags)
        sent = list(flight.half.sent)
        assert len(sent) > 1
        assert all(one.seq < one.end for one in sent)
        assert all(one.end <= other.seq for one, other in pairwise(sent))
        assert flight.half.kept == sum(len(one.payload) for one in sent)


def test_each_number_has_its_original() -> None:
    flight = Flight()
    for seq in (1, 101, 301, 201, 501):
        flight.send(seq, bytes(100))
    found = [flight.half.original(seq) for seq in (0, 1, 100, 101, 250, 399, 400, 401, 501, 601)]
    assert [one and one.number for one in found] == [1, 4, 4, 5, 7, 6, 6, None, 8, None]


def test_a_far_segment_is_not_taken_for_an_original() -> None:
    flight = Flight()
    flight.send(1, bytes(100))
    flight.send(1 << 28, bytes(100))
    flight.send(101, bytes(100))
    assert [one.seq for one in flight.half.sent] == [1, 101]
    conflict = flight.send(101, b"y" * 100)
    assert notes.SegmentOverlapConflict(6, 101) in conflict.notes
