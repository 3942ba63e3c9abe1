"""Streams put in order again, fragments put together, durations added up: all of them bounded."""

# covers: packet/fragments

from __future__ import annotations

import struct
import tracemalloc
from itertools import pairwise

import pytest
from frames import play, tcp
from hypothesis import given
from hypothesis import strategies as st
from ladders import OPEN

from trioecho.model import ACK, PSH, Frame
from trioecho.model.spread import Spread
from trioecho.packet.decode import decode
from trioecho.packet.fragments import MOST_BYTES, Fragments
from trioecho.packet.link import RAW
from trioecho.tcp.stream import Piece, Stream

DATA = bytes(range(256)) * 4


def joined(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


@given(st.data())
def test_any_order_any_overlap(data: st.DataObject) -> None:
    """However it was cut, repeated and shuffled, the stream comes out as it was sent."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(DATA) - 1), max_size=12)) | {0, len(DATA)})
    segments = list(pairwise(cuts))
    segments += data.draw(st.lists(st.sampled_from(segments), max_size=5))
    first, *others = segments
    order = data.draw(st.permutations(others))
    whole, pieces = Stream(), []
    for start, end in [first, *order]:
        pieces += whole.push(1 + start, DATA[start:end])
    assert joined(pieces) == DATA
    assert not any(piece.missing for piece in pieces)
    assert whole.flush() == []


def test_a_gap_is_told_when_nothing_more_can_come() -> None:
    whole = Stream()
    assert whole.push(1, b"abc") == [Piece(0, b"abc")]
    assert whole.push(10, b"xyz") == []
    assert whole.flush() == [Piece(6, b"xyz")]


@pytest.mark.parametrize(("ack", "got"), [(101, 100), (200, 100), (201, 200), (301, 200)])
def test_what_was_dropped_waits_for_an_ack_of_all_of_it(ack: int, got: int) -> None:
    stream = Stream()
    opened = OPEN.replace("wscale 0", "wscale 0,ts 1")
    sent = "+.1 > P. 1:101(100) ack 1 <ts 9>\n+.1 > P. 101:201(100) ack 1 <ts 5>\n"
    rungs = play(opened + sent)
    pieces = [piece for rung in rungs if rung.sender == "client" for piece in stream.take(rung)]
    assert rungs[-1].notes[0].dropped
    pieces += stream.acknowledged(ack)
    assert sum(len(piece.data) for piece in pieces) == got


def followed(ladder: str, sender: str = "client") -> list[Piece]:
    """What one end of a ladder sends."""
    stream = Stream()
    rungs = [rung for rung in play(ladder) if rung.sender == sender]
    return [piece for rung in rungs for piece in stream.take(rung)]


def test_the_bytes_on_a_syn_stand_behind_its_number() -> None:
    fast = "+0 > S 0:5(5) <tfo 8,byte 97>\n+.01 < S. 0:0(0) ack 6\n+.01 > P. 6:9(3) ack 1"
    assert followed(fast) == [Piece(0, b"aaaaa"), Piece(0, b"xxx")]


def test_the_bytes_on_a_stray_syn_and_on_a_reset_are_not_the_streams() -> None:
    stray = "+.1 < S. 70:75(5) ack 1\n+.1 < P. 1:4(3) ack 1 <byte 97>\n+.1 < R. 4:9(5) ack 1"
    assert followed(OPEN + stray, "server") == [Piece(0, b"aaa")]


@pytest.mark.parametrize("between", ["", "+.1 > P. 6:11(5) ack 1\n"])
def test_a_wrong_checksum_counts_once_one_was_right(between: str) -> None:
    """Where none is right, no device has filled them in."""
    wrong = "+.1 > P. 11:16(5) ack 1 <sum 1>"
    right = f"+.1 > P. 1:6(5) ack 1 <sum 0>\n{between}"
    assert len(followed(OPEN + right + wrong)) == (2 if between else 1)
    assert len(followed(OPEN + "+.1 > P. 1:6(5) ack 1 <sum 1>")) == 1


def test_of_bytes_sent_twice_the_first_count() -> None:
    whole = Stream()
    assert joined(whole.push(1, b"abcd") + whole.push(3, b"XXef")) == b"abcdef"


def test_a_gap_that_is_never_filled_does_not_grow_for_ever() -> None:
    whole = Stream()
    whole.push(1, b"a")
    pieces = []
    block = bytes(1 << 16)
    for at in range(2 * 4_194_304 // len(block)):
        pieces += whole.push(10 + at * len(block), block)
    assert pieces[0].missing == 8
    assert whole._size <= 4_194_304


@pytest.mark.parametrize(("more", "given_up"), [(0, False), (1, True)])
def test_a_gap_is_kept_open_for_4_mib(more: int, given_up: bool) -> None:
    """With 192 bytes for each piece."""
    whole = Stream()
    whole.push(1, b"a")
    pieces = whole.push(10, bytes(4_194_304 - 192 + more))
    assert bool(pieces) is given_up


class Compared(int):
    """A sequence number or an offset that counts how often it is compared with another."""

    times = 0

    def __lt__(self, other: int) -> bool:
        Compared.times += 1
        return int(self) < int(other)

    def __gt__(self, other: int) -> bool:
        Compared.times += 1
        return int(self) > int(other)

    def __le__(self, other: int) -> bool:
        Compared.times += 1
        return int(self) <= int(other)

    def __ge__(self, other: int) -> bool:
        Compared.times += 1
        return int(self) >= int(other)


def test_a_piece_behind_a_gap_costs_the_same_however_many_wait() -> None:
    whole = Stream()
    whole.push(1, b"a")
    Compared.times = 0
    for at in range(2_000):
        assert whole.push(Compared(10 + at), b"x") == []
    whole.flush()
    assert 0 < Compared.times < 2_000 * 40


def test_tiny_pieces_behind_a_gap_do_not_grow_for_ever() -> None:
    """Each takes more memory than its bytes, and more than a gap's bound of them is not kept."""
    tracemalloc.start()
    whole = Stream()
    whole.push(1, b"a")
    given_up = 0
    for at in range(60_000):
        pieces = whole.push(10 + 3 * at, at.to_bytes(2, "big"))
        given_up += sum(piece.missing for piece in pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert given_up > 0
    assert peak < 1.5 * 4_194_304


def fragments_of(packet: bytes, size: int, identification: int = 7) -> list[bytes]:
    """An IPv4 packet in fragments of ``size`` bytes of data, a multiple of 8."""
    header, body = packet[:20], packet[20:]
    made = []
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        more = 0x2000 if at + size < len(body) else 0
        made.append(
            header[:2]
            + struct.pack("!HHH", 20 + len(piece), identification, more | at // 8)
            + header[8:]
            + piece
        )
    return made


PACKET = tcp("client", PSH | ACK, 1000, 2000, DATA)


def frame(data: bytes, number: int = 1) -> Frame:
    return Frame(number, number, data, RAW, len(data))


@given(st.permutations(fragments_of(PACKET, 200)))
def test_fragments_in_any_order(pieces: list[bytes]) -> None:
    fragments = Fragments()
    *early, last = [decode(frame(piece, at), fragments) for at, piece in enumerate(pieces)]
    assert early == [None] * len(early)
    assert last is not None
    assert (last.seq, last.payload) == (1000, DATA)
    assert last.frame.number == len(pieces) - 1


def test_a_fragment_alone_is_nothing() -> None:
    fragments = Fragments()
    for piece in fragments_of(PACKET, 200)[1:]:
        assert decode(frame(piece), fragments) is None
    assert decode(frame(PACKET), fragments) is not None


def test_fragments_do_not_grow_for_ever() -> None:
    """Neither datagrams that are never whole nor pieces that overlap take more than a bound."""
    tracemalloc.start()
    fragments = Fragments()
    for number in range(20_000):
        fragments.add(number.to_bytes(4, "big"), number, 0, True, bytes(60_000))
    for at in range(0, 60_000, 8):
        fragments.add(b"overlap", 20_000, at, True, bytes(65_000 - at))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * MOST_BYTES


def test_fragments_with_a_gap_before_them_are_not_sorted_again_and_again() -> None:
    """The last one comes first and is short, so there are soon as many bytes as it takes."""
    fragments = Fragments()
    fragments.add(b"it", 0, 8, False, b"x")
    Compared.times = 0
    for _ in range(3):
        for at in range(2, 700):
            assert fragments.add(b"it", 0, Compared(at * 8), True, b"x") is None
    assert Compared.times < 3 * 700 * 40
    assert fragments.add(b"it", 0, 0, True, b"01234567") == b"01234567x"


def test_tiny_fragments_take_no_more_memory_than_large_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trioecho.packet.fragments.MOST_BYTES", 1 << 20)
    tracemalloc.start()
    fragments = Fragments()
    for number in range(20):
        for at in range(1, 900):
            fragments.add(b"%d" % number, 0, at * 8, True, at.to_bytes(2, "big"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * (1 << 20)


def test_a_datagram_may_come_backwards_and_in_many_pieces() -> None:
    fragments = Fragments()
    body = bytes(range(250)) * 250
    whole = None
    for at in reversed(range(0, len(body), 8)):
        assert whole is None
        whole = fragments.add(b"it", 0, at, at + 8 < len(body), body[at : at + 8])
    assert whole == body


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8191), st.booleans(), st.binary())))
def test_any_fragments_at_all(pieces: list[tuple[int, int, bool, bytes]]) -> None:
    fragments = Fragments()
    for key, offset, more, data in pieces:
        fragments.add(bytes([key]), 0, offset * 8, more, data)


@given(st.lists(st.integers(0, 1 << 40), min_size=1), st.sampled_from([0.5, 0.95]))
def test_quantiles_are_close(samples: list[int], part: float) -> None:
    spread = Spread()
    for sample in samples:
        spread.add(sample)
    ordered = sorted(samples)
    at = next(i for i in range(len(ordered)) if i + 1 >= part * len(ordered))
    found = spread.quantile(part)
    assert found is not None
    assert abs(found - ordered[at]) <= ordered[at] / 32
    assert ordered[0] <= found <= ordered[-1]
    assert spread.least == ordered[0]


def test_no_samples_have_no_quantile() -> None:
    assert Spread().quantile(0.5) is None
