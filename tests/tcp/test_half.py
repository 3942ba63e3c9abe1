"""What is known of one end: what it has in flight, and what of it comes again."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from random import Random
from types import FrameType
from typing import Any

import pytest
from frames import tcp

from trioecho.model import ACK, RST, SYN, Endpoint, Frame, Rung, Segment, State
from trioecho.packet.decode import decode
from trioecho.packet.link import RAW
from trioecho.tcp import flight as flights
from trioecho.tcp.flight import Sent
from trioecho.tcp.half import Gap, Half
from trioecho.tcp.rules.overlap import SegmentOverlapConflict
from trioecho.tcp.rules.repetition import Retransmission
from trioecho.tcp.states import Event
from trioecho.tcp.tracker import Tracker

ISN = 99
#: The limits by their numbers: so many segments and bytes of payload are kept.
MOST_SENT, MOST_KEPT = 10_000, 1_048_576


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of Python a call runs, whatever they are."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


class Flight:
    """A client that has opened a connection and sends what nobody acknowledges."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.number = 0
        self.see(tcp("client", SYN, ISN))
        self.see(tcp("server", SYN | ACK, 499, ISN + 1))
        self.see(tcp("client", ACK, ISN + 1, 500))
        self.half = self.tracker.connections[0].client

    def see(self, data: bytes, missing: int = 0) -> Rung:
        self.number += 1
        segment = decode(Frame(self.number, self.number * 1_000, data, RAW, len(data) + missing))
        assert isinstance(segment, Segment)
        return self.tracker.seen(segment)

    def send(self, seq: int, payload: bytes, flags: int = ACK, cut: int = 0) -> Rung:
        """``cut``: of how many of its last bytes the capture has none, at most of all."""
        cut = min(cut, len(payload))
        data = tcp("client", flags, ISN + seq, 500, payload)
        return self.see(data[: len(data) - cut], cut)


@pytest.mark.parametrize("seq", [1, MOST_SENT // 2, MOST_SENT - 1])
def test_what_is_repeated_is_found_in_a_full_flight(seq: int) -> None:
    flight = Flight()
    for at in range(MOST_SENT):
        flight.send(1 + at, b"x")
    rung = flight.send(seq, b"x")
    (note,) = (one for one in rung.notes if isinstance(one, Retransmission))
    assert note.of == 3 + seq
    first = flight.half.flight.original(seq)
    assert first is not None
    assert first == Sent(seq, seq + 1, 3 + seq, 1_000 * (3 + seq), 0, first.segment, True)
    assert first.payload == b"x"


@pytest.mark.parametrize("claimed", [1, MOST_SENT])
def test_a_cut_frame_that_claims_to_repeat_all_takes_no_more_work_in_a_full_flight(
    claimed: int,
) -> None:
    """It stands for as many bytes as it likes, and has a header only."""
    cut = bytearray(tcp("client", ACK, ISN + 1, 500))
    cut[2:4] = struct.pack("!H", 40 + claimed)
    work = []
    for many in (MOST_SENT // 10, MOST_SENT):
        flight = Flight()
        for at in range(many):
            flight.send(1 + at, b"x")
        assert flight.see(bytes(cut), claimed).segment.length == claimed
        work.append(lines_run(partial(flight.see, bytes(cut), claimed)))
    few, full = work
    assert 0 < full <= few * 1.1


def test_an_ack_of_what_came_again_in_one_piece_measures_nothing() -> None:
    """Which of them it acknowledges, Karn's algorithm says, nobody knows; in a large one too."""
    flight = Flight()
    for at in range(40):
        flight.send(1 + 36 * at, bytes(36))
    flight.send(1, bytes(36 * 40))
    for at in range(1, 41):
        flight.see(tcp("server", ACK, 500, ISN + 1 + 36 * at))
    assert flight.half.acked == 1 + 36 * 40
    assert flight.half.rtt is None


def test_it_stays_in_order_whatever_comes() -> None:
    chance = Random(7)
    for _ in range(200):
        flight = Flight()
        for _ in range(60):
            flags = RST if chance.random() < 0.05 else ACK
            far = 1 << 28 if chance.random() < 0.05 else 0
            length = chance.randrange(1, 40)
            seq = chance.randrange(1, 400) if chance.random() < 0.5 else flight.half.next or 1
            flight.send(seq + far, bytes(length), flags, chance.choice((0, 0, 1, 50)))
        sent = list(flight.half.flight.sent)
        assert len(sent) > 1
        assert all(one.seq < one.end for one in sent)
        assert all(one.end <= other.seq for one, other in pairwise(sent))
        assert flight.half.flight.kept == sum(len(one.payload) for one in sent)
        for ack in (sent[len(sent) // 2].end, sent[-1].end):
            flight.half.flight.acknowledged(ack)
            left = flight.half.flight.sent
            assert flight.half.flight.kept == sum(len(one.payload) for one in left)
        assert not left


def test_each_number_has_its_original() -> None:
    flight = Flight()
    for seq in (1, 101, 301, 201, 501):
        flight.send(seq, bytes(100))
    found = [
        flight.half.flight.original(seq) for seq in (0, 1, 100, 101, 250, 399, 400, 401, 501, 601)
    ]
    assert [one and one.number for one in found] == [1, 4, 4, 5, 7, 6, 6, None, 8, None]


def test_the_bytes_of_a_syn_are_not_kept() -> None:
    """They stand one behind its number."""
    flight = Flight()
    flight.send(6, b"later")
    syn = flight.send(0, b"first", SYN).segment
    kept = flight.half.flight
    kept.insert(0, 6, 9, 0, syn)
    assert [(one.seq, one.payload) for one in kept.sent] == [(0, b""), (6, b"later")]
    assert kept.kept == 5


@pytest.mark.parametrize("seq", [6, 1])
@pytest.mark.parametrize(("before", "kept"), [(MOST_KEPT - 5, True), (MOST_KEPT - 4, False)])
def test_so_many_bytes_are_kept(before: int, kept: bool, seq: int) -> None:
    """Of what follows all others, and of what fills a gap."""
    segment = Flight().send(1, b"bytes").segment
    flight = flights.Flight([Sent(6, 6, 1, 0)], before)
    flight.insert(seq, seq + 5, 2, 0, segment)
    (new,) = (one for one in flight.sent if one.number == 2)
    assert new.payload == (b"bytes" if kept else b"")
    assert flight.kept == before + 5 * kept
    flight.acknowledged(11)
    assert flight.kept == before


@pytest.mark.parametrize("seq", [0, 3 * MOST_SENT])
@pytest.mark.parametrize(("full", "many"), [(0, MOST_SENT), (1, MOST_SENT)])
def test_so_many_segments_are_kept(full: int, many: int, seq: int) -> None:
    segment = Flight().send(1, b"x").segment
    sent = [Sent(1 + at, 2 + at, 1, 0) for at in range(MOST_SENT - 1 + full)]
    flight = flights.Flight(sent)
    flight.insert(seq, seq + 1, 2, 0, segment)
    assert len(flight.sent) == many


@pytest.mark.parametrize(
    ("begin", "end", "new", "again"),
    [
        (1, 11, None, [1]),
        (5, 15, None, [1]),
        (5, 21, None, [1]),
        (11, 21, (11, 21), []),
        (15, 25, (31, 25), [21]),
        (5, 35, (31, 35), [1, 21]),
        (31, 35, (31, 35), []),
    ],
)
def test_what_comes_again_is_marked_and_only_new_bytes_are_added(
    begin: int, end: int, new: tuple[int, int] | None, again: list[int]
) -> None:
    """Behind all that was sent: the holes are told otherwise."""
    segment = Flight().send(1, bytes(end - begin)).segment
    flight = flights.Flight([Sent(1, 11, 1, 0), Sent(21, 31, 2, 0)])
    flight.insert(begin, end, 3, 0, segment)
    added = [(one.seq, one.end) for one in flight.sent if one.number == 3]
    assert added == ([new] if new is not None and new[0] < new[1] else [])
    assert [one.seq for one in flight.sent if one.repeated] == again


@pytest.mark.parametrize(
    ("ack", "last", "left"), [(10, None, 2), (11, 1, 1), (30, 1, 1), (31, 2, 0)]
)
def test_an_ack_drops_what_it_covers_whole(ack: int, last: int | None, left: int) -> None:
    flight = flights.Flight([Sent(1, 11, 1, 0), Sent(21, 31, 2, 0)])
    dropped = flight.acknowledged(ack)
    assert (dropped and dropped.number, len(flight.sent)) == (last, left)


def test_a_far_segment_is_not_taken_for_an_original() -> None:
    flight = Flight()
    flight.send(1, bytes(100))
    flight.send(1 << 28, bytes(100))
    flight.send(101, bytes(100))
    assert [one.seq for one in flight.half.flight.sent] == [1, 101]
    conflict = flight.send(101, b"y" * 100)
    assert SegmentOverlapConflict(6, 101) in conflict.notes


def test_no_state_lasts_less_than_no_time() -> None:
    half = Half(Endpoint("192.0.2.1", 1), State.SYN_SENT, state_since=10)
    half.meet(Event.RECEIVE_SYN_ACK, 5)
    assert (half.state, half.state_since, half.spent) == (State.ESTABLISHED, 5, {})
    half.meet(Event.SEND_FIN, 8)
    assert half.spent == {State.ESTABLISHED: 3}


HERE = Endpoint("192.0.2.1", 1)


@pytest.mark.parametrize(
    ("state", "following", "ack", "accepted"),
    [
        (State.SYN_SENT, 1, 0, False),
        (State.SYN_SENT, 1, 1, True),
        (State.SYN_SENT, 1, 2, False),
        (State.SYN_SENT, 0, 0, False),
        (State.SYN_SENT, 0, 1, True),
        (State.SYN_RECEIVED, 1, 0, False),
        (State.SYN_RECEIVED, 1, 1, True),
        (State.SYN_RECEIVED, 1, 1 + 65_536, True),
        (State.SYN_RECEIVED, 1, 2 + 65_536, False),
        (State.ESTABLISHED, 1, -1, True),
        (State.CLOSED, 1, 9, True),
    ],
)
def test_which_acks_count(state: State, following: int, ack: int, accepted: bool) -> None:
    """RFC 9293 §3.10.7: ISS < ack <= SND.NXT; of a server, some of which may not have been seen."""
    half = Half(HERE, state, next=following)
    assert half.accepts(ack, Half(HERE)) is accepted
    assert half.accepts(ack) is (accepted and (ack <= 1 or state is not State.SYN_RECEIVED))


@pytest.mark.parametrize(
    ("state", "ack", "received", "seq", "told", "taken"),
    [
        (State.SYN_SENT, None, None, 0, None, False),
        (State.SYN_SENT, None, None, 0, 1, True),
        (State.SYN_SENT, None, None, 0, 2, False),
        (State.SYN_RECEIVED, 1, 6, 1, None, True),
        (State.SYN_RECEIVED, 1, 6, 6, None, True),
        (State.SYN_RECEIVED, 1, 6, 5, None, False),
        (State.ESTABLISHED, 1, 6, 1, None, False),
        (State.ESTABLISHED, 1, None, 77, None, True),
        (State.ESTABLISHED, 1, 6, 5, None, False),
        (State.CLOSE_WAIT, 1, 6, 5, None, True),
        (State.CLOSE_WAIT, 1, 6, 7, None, False),
    ],
)
def test_which_resets_count(
    state: State, ack: int | None, received: int | None, seq: int, told: int | None, taken: bool
) -> None:
    """RFC 9293 §3.10.7.3, RFC 5961 §3."""
    half = Half(HERE, state, next=1, ack=ack)
    if received is not None:
        half.received.advance(received)
    assert half.takes_reset(seq, told) is taken


@pytest.mark.parametrize(
    ("state", "islands", "sack", "taken"),
    [
        (State.ESTABLISHED, [(8, 12)], True, {6, 12}),
        (State.ESTABLISHED, [(8, 12), (14, 20)], True, {6, 20}),
        (State.ESTABLISHED, [(8, 12)], False, {6}),
        (State.CLOSE_WAIT, [(8, 12)], True, {5, 6, 12}),
        (State.FIN_WAIT_2, [(8, 12)], True, {6, 12}),
        (State.SYN_SENT, [(8, 12)], True, set()),
    ],
)
def test_behind_a_hole_a_reset_counts_that_stands_behind_all_that_came(
    state: State, islands: list[tuple[int, int]], sack: bool, taken: set[int]
) -> None:
    half = Half(HERE, state, next=1, ack=6)
    half.received.advance(6)
    for first, end in islands:
        half.received.add(first, end)
    assert {seq for seq in range(25) if half.takes_reset(seq, None, sack=sack)} == taken


def test_room_is_what_the_window_says_and_never_less_than_64_kib() -> None:
    assert Half(HERE).room == 65_536
    assert Half(HERE, window=3, shift=14, shift_known=True).room == 65_536
    assert Half(HERE, window=5, shift=14, shift_known=True).room == 81_920
    assert Half(HERE, window=65_537, shift_known=True).room == 65_537
    assert Half(HERE, window=5).room == 81_920  # its scale was not seen: the largest


@pytest.mark.parametrize(("seq", "time"), [(4, None), (5, 1), (9, 1), (10, None), (12, 2)])
def test_in_which_gap_a_number_lies(seq: int, time: int | None) -> None:
    half = Half(
        HERE, gaps=(Gap(5, 10, 1, None, 0), Gap(12, 14, 3, None, 0), Gap(12, 13, 2, None, 0))
    )
    gap = half.gap(seq)
    assert (gap and gap.time) == time
