"""Where a condition holds for the last time: each row fails when a number or a sign changes."""

from __future__ import annotations

import pytest
from frames import come_to, frames, on_wire, play
from ladders import OPEN

from trioecho.model import Endpoint, Rung, State
from trioecho.packet.decode import decode
from trioecho.tcp.flight import Flight
from trioecho.tcp.half import Half
from trioecho.tcp.rules.data import Data
from trioecho.tcp.rules.marks import EcnSetup
from trioecho.tcp.rules.overlap import SegmentOverlapConflict
from trioecho.tcp.rules.repetition import Retransmission
from trioecho.tcp.rules.resets import ConnectionRst
from trioecho.tcp.rules.words import byte_ranges
from trioecho.tcp.tracker import Tracker

HERE = Endpoint("10.0.0.1", 40000)
FAST = "+0 > S 0:5(5) <tfo 8>\n"


def cause(rung: Rung) -> str:
    (note,) = (note for note in rung.notes if isinstance(note, ConnectionRst))
    return note.cause


# ---- data on a SYN (RFC 7413): they are acknowledged before the handshake is complete ------------


@pytest.mark.parametrize(
    ("ack", "state"),
    [
        (1, State.SYN_RECEIVED),
        (5, State.SYN_RECEIVED),
        (6, State.SYN_RECEIVED),
        (7, State.ESTABLISHED),
    ],
)
def test_who_acknowledges_more_than_the_syn_brought_has_had_its_ack(ack: int, state: State) -> None:
    rung = play(f"{FAST}+.01 < S. 0:0(0) ack 1\n+.01 < . 1:1(0) ack {ack}")[-1]
    assert rung.server_state is state


@pytest.mark.parametrize(
    ("ack", "words"), [(6, "handshake not completed"), (7, "handshake and data seen")]
)
def test_so_has_the_handshake_been_completed(ack: int, words: str) -> None:
    _, summary = come_to(f"{FAST}+.01 < S. 0:0(0) ack 1\n+.01 < . 1:1(0) ack {ack}")
    assert summary.completeness.startswith(words)


@pytest.mark.parametrize(("ack", "why"), [(6, "after-handshake"), (7, "no-connection")])
def test_a_server_that_has_taken_more_than_the_syn_has_had_the_connection(
    ack: int, why: str
) -> None:
    ladder = f"{FAST}+.01 < S. 0:0(0) ack 6\n+.01 > P. 6:7(1) ack 1\n+.01 < . 1:1(0) ack {ack}\n"
    assert cause(play(f"{ladder}+.01 > P. 7:8(1) ack 1\n+.01 < R 1:1(0)")[-1]) == why


# ---- the tracker -------------------------------------------------------------------------------

LOSS = OPEN + "+.1 > P. 1:6(5) ack 1\n+.3 > P. 1:6(5) ack 1"


@pytest.mark.parametrize(
    ("by_frame", "numbers"), [(False, [1, 2, 3, 4, 5]), (True, [1, 3, 5, 7, 9])]
)
def test_rungs_are_numbered_by_themselves_or_by_frames(by_frame: bool, numbers: list[int]) -> None:
    """Every other frame is another protocol's."""
    seen, noticed = Tracker(by_frame=by_frame), Tracker(by_frame=by_frame)
    rungs = []
    for at, (_, frame) in enumerate(frames(LOSS)):
        segment = decode(type(frame)(2 * at + 1, frame.time, frame.data, frame.link, frame.length))
        assert segment is not None
        rungs.append(seen.seen(segment))
        noticed.noticed(segment)
    assert [rung.number for rung in rungs] == numbers
    trouble = f"rung {numbers[4]}: retransmission of rung {numbers[3]} after 300 ms"
    for tracker in (seen, noticed):
        assert tracker.summaries()[0].first_trouble.startswith(trouble)


CLOSING = OPEN + "+.1 > F. 1:1(0) ack 1\n+.01 < F. 1:1(0) ack 2\n"


@pytest.mark.parametrize(
    ("ladder", "over"),
    [
        ("", True),
        (OPEN, False),
        (OPEN + "+.1 < R. 1:1(0) ack 1", True),
        (CLOSING, False),
        (CLOSING + "+.01 > . 2:2(0) ack 2", True),
        (OPEN + "+.1 > F. 1:1(0) ack 1\n+.01 < . 1:1(0) ack 2", False),
        (CLOSING + "+.01 > . 2:2(0) ack 2\n+.1 >3 S 0:0(0)", False),
    ],
)
def test_it_is_over_when_every_connection_is(ladder: str, over: bool) -> None:
    tracker = Tracker()
    for _, frame in frames(ladder):
        segment = decode(frame)
        assert segment is not None
        tracker.seen(segment)
    assert tracker.over() is over


def test_a_connection_that_is_only_called_for_is_not_over() -> None:
    tracker = Tracker()
    tracker.expect(HERE, Endpoint("10.0.0.2", 7))
    assert not tracker.over()


# ---- what tells no round trip --------------------------------------------------------------------


@pytest.mark.parametrize(("acked", "first"), [(None, 100), (199, 100), (200, 400), (201, 400)])
def test_a_doubt_is_settled_when_all_of_it_is_acknowledged(acked: int | None, first: int) -> None:
    half = Half(HERE, acked=acked, doubt_from=100, doubt_to=200)
    half.doubt(400, 500)
    assert (half.doubt_from, half.doubt_to) == (first, 500)


def test_the_first_doubt_begins_where_it_begins() -> None:
    half = Half(HERE)
    half.doubt(100, 200)
    assert (half.doubt_from, half.doubt_to) == (100, 200)


def test_of_many_that_are_repeated_at_once_both_ends_are_marked() -> None:
    many, flight = 2 * 128 + 3, Flight()
    (segment,) = (decode(frame) for _, frame in frames("> . 1:2(1) ack 1"))
    assert segment is not None
    for seq in range(1, many + 1):
        flight.keep(seq, seq + 1, seq, 0, segment)
    flight.insert(1, many + 1, many + 1, 0, segment)
    marked = [one.repeated for one in flight.sent]
    assert marked == [True] * 128 + [False] * 3 + [True] * 128


def test_a_syn_is_remembered_behind_all_that_follows_it() -> None:
    gaps = "+.1 > . 101:201(100) ack 1\n+.1 > . 301:401(100) ack 1\n+.1 > . 501:601(100) ack 1\n"
    again = play(f"{OPEN}{gaps}+1 > S 0:0(0)")[-1]
    assert [note.of for note in again.notes if isinstance(note, Retransmission)] == [1]


# ---- a wire of ours: sent and arrived each at its time -------------------------------------------


def carried(ladder: str) -> Rung:
    """The last rung of a ladder whose segments arrive at once."""
    return on_wire(ladder)[1][-1]


@pytest.mark.parametrize(("seq", "state"), [(5, State.ESTABLISHED), (6, State.CLOSED)])
def test_what_has_arrived_moves_what_a_reset_must_have(seq: int, state: State) -> None:
    """RFC 5961 §3: exactly the next number."""
    rung = carried(f"{OPEN}+.1 > P. 1:6(5) ack 1\n+.01 > R. {seq}:{seq}(0) ack 1")
    assert rung.server_state is state


# ---- resets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("later", "why"), [("0", "unprompted"), (".000000001", "no-connection")])
def test_an_answer_needs_something_that_came_since(later: str, why: str) -> None:
    ladder = f"{OPEN}+.1 < P. 1:6(5) ack 1\n+{later} > . 1:1(0) ack 6\n"
    assert cause(play(f"{ladder}+.03 < R 6:6(0)")[-1]) == why


@pytest.mark.parametrize(("later", "why"), [(".9", "no-connection"), (".900000001", "unprompted")])
def test_or_something_unanswered_of_the_last_3_s(later: str, why: str) -> None:
    """The data crossed its last words, and its ACKs came before these."""
    ladder = OPEN + "+.1 > P. 1:6(5) ack 1\n+2 > . 6:6(0) ack 1\n+.1 < P. 1:6(5) ack 1\n"
    assert cause(play(f"{ladder}+{later} < R 6:6(0)")[-1]) == why


# ---- data --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ladder", "found"),
    [
        ("+.1 > P. 1:6(5) ack 1", Data(5, 5)),
        ("+.1 > P. 1:6(5) ack 1\n+.1 > P. 6:16(10) ack 1", Data(10, 15)),
        ("+.1 > P. 1:6(5) ack 1\n+.1 < . 1:1(0) ack 6\n+.1 > P. 6:16(10) ack 1", Data(10, 10)),
        ("+.1 > P. 1:6(5) ack 1\n+.1 < . 1:1(0) ack 4\n+.1 > P. 6:16(10) ack 1", Data(10, 12)),
        ("+.1 > P. 1:6(5) ack 1\n+.1 > P. 11:16(5) ack 1", Data(5, 15)),
        ("+.1 > P. 1:6(5) ack 1\n+.3 > P. 1:9(8) ack 1", Data(3, 8)),
        ("+.1 > P. 1:6(5) ack 1\n+.3 > P. 4:9(5) ack 1", Data(3, 8)),
    ],
)
def test_new_bytes_and_those_on_their_way(ladder: str, found: Data) -> None:
    assert found in play(OPEN + ladder)[-1].notes


@pytest.mark.parametrize("end", [2, 6])
def test_what_is_all_old_is_no_data(end: int) -> None:
    rung = play(f"{OPEN}+.1 > P. 1:6(5) ack 1\n+.3 > P. 1:{end}({end - 1}) ack 1")[-1]
    assert not any(isinstance(note, Data) for note in rung.notes)


# ---- ECN ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "found"), [("SEW", True), ("S.EW", False), (".EW", False), ("FEW", False)]
)
def test_only_a_syn_offers_ecn(flags: str, found: bool) -> None:
    ack = " ack 1" if "." in flags else ""
    rung = play(f"> {flags} 0:0(0){ack}")[-1]
    assert any(isinstance(note, EcnSetup) for note in rung.notes) is found


# ---- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ([(1, 2)], "byte 1"),
        ([(1, 3)], "bytes 1 to 2"),
        ([(101, 201)], "bytes 101 to 200"),
        ([(1, 2), (5, 6)], "bytes 1, 5"),
        ([(101, 201), (301, 302)], "bytes 101 to 200, 301"),
    ],
)
def test_ranges_name_their_first_and_their_last_byte(
    blocks: list[tuple[int, int]], text: str
) -> None:
    assert byte_ranges(*blocks) == text


# ---- why something is sent again ---------------------------------------------------------------

FIVE = (
    OPEN
    + "+.1 > . 1:101(100) ack 1\n"
    + "".join(f"+.001 > . {seq}:{seq + 100}(100) ack 1\n" for seq in (101, 201, 301, 401))
)
DUPLICATE = "+.001 < . 1:1(0) ack 101 win 1000\n"


def why(ladder: str) -> list[str]:
    """The classes of what was found of the last segment."""
    return [type(note).__name__ for note in play(ladder)[-1].notes if type(note) is not Data]


@pytest.mark.parametrize(
    ("duplicates", "after", "seq", "found"),
    [
        (1, ".001", 101, "Retransmission"),
        (2, ".001", 101, "FastRetransmission"),
        (2, ".019999999", 101, "FastRetransmission"),
        (2, ".02", 101, "Retransmission"),
        (2, ".001", 201, "Retransmission"),
        (3, ".001", 101, "FastRetransmission"),
    ],
)
def test_two_duplicates_ask_for_one_byte_within_20_ms(
    duplicates: int, after: str, seq: int, found: str
) -> None:
    """RFC 5681 §3.2; Linux asks two, as RFC 6675's early retransmit does."""
    acks = DUPLICATE * (1 + duplicates)
    assert why(f"{FIVE}{acks}+{after} > . {seq}:{seq + 100}(100) ack 1") == [found]


@pytest.mark.parametrize(
    ("end", "found"),
    [(400, "Rack"), (401, "Rack"), (402, "FastRetransmission")],
)
def test_more_than_two_segments_beyond_it_tell_it_lost(end: int, found: str) -> None:
    """RFC 6675 §4: IsLost. With less, only the time tells (RFC 8985 §6.2)."""
    sack = f"+.001 < . 1:1(0) ack 101 win 900 <sack 201:{end}>\n"
    assert why(f"{FIVE}{sack}+.001 > . 101:201(100) ack 1") == [found]


@pytest.mark.parametrize(
    ("told", "seq", "found"),
    [
        ("ack 201 win 1000", 201, "Recovery"),
        ("ack 201 win 1000", 301, "Retransmission"),
        ("ack 101 win 900 <sack 401:501>", 301, "Recovery"),
        ("ack 101 win 900 <sack 301:401>", 301, "Retransmission"),
        ("ack 101 win 900 <sack 301:401>", 401, "Retransmission"),
    ],
)
def test_a_recovery_repairs_the_holes_and_no_more(told: str, seq: int, found: str) -> None:
    """RFC 6675 §5: what the newest ACK asks for, or what lies below its blocks and in none."""
    lost = f"{FIVE}{DUPLICATE * 3}+.001 > . 101:201(100) ack 1\n+.001 < . 1:1(0) {told}\n"
    assert why(f"{lost}+.001 > . {seq}:{seq + 100}(100) ack 1") == [found]


@pytest.mark.parametrize(
    ("after", "flags", "found"),
    [
        (".199999999", "P.", ["TailLossProbe"]),
        (".2", "P.", ["Timeout"]),
        (".029999999", "P.", ["Retransmission"]),
        (".03", "P.", ["TailLossProbe"]),
    ],
)
def test_timers(after: str, flags: str, found: list[str]) -> None:
    """The handshake took 20 ms: a probe comes after 30, a timeout after 200."""
    data = f"{flags} 1:101(100) ack 1"
    assert why(f"{OPEN}+.1 > {data}\n+{after} > {data}") == found


def test_a_probe_is_sent_once_and_repeats_the_last() -> None:
    """RFC 8985 §7.2."""
    one, two = "P. 1:101(100) ack 1", "P. 101:201(100) ack 1"
    assert why(f"{OPEN}+.1 > {one}\n+0 > {two}\n+.05 > {two}") == ["TailLossProbe"]
    assert why(f"{OPEN}+.1 > {one}\n+0 > {two}\n+.05 > {one}") == ["Retransmission"]
    assert why(f"{OPEN}+.1 > {one}\n+.05 > {one}\n+.05 > {one}") == ["Retransmission"]


@pytest.mark.parametrize(
    ("at", "first", "other"), [(1, 1, 121), (50, 50, 121), (101, 101, 121), (1, 1, 120)]
)
def test_other_bytes_are_told_from_the_first_that_differs(at: int, first: int, other: int) -> None:
    """Every byte is an x, which is 120."""
    ladder = f"{OPEN}+.1 > P. 1:101(100) ack 1\n+0 > P. 101:201(100) ack 1\n"
    rung = play(f"{ladder}+.3 > P. {at}:201({201 - at}) ack 1 <byte {other}>")[-1]
    found = [note for note in rung.notes if isinstance(note, SegmentOverlapConflict)]
    of = 5 if at > 100 else 4
    assert found == ([SegmentOverlapConflict(of, first)] if other != 120 else [])


@pytest.mark.parametrize(
    ("stamp", "packet", "found"),
    [
        (4, 1001, "OutOfOrder"),
        (5, 999, "OutOfOrder"),
        (5, 1001, "FillsGap"),
        (6, 999, "FillsGap"),
    ],
)
def test_a_clock_tells_what_was_sent_later_and_else_the_packets_number(
    stamp: int, packet: int, found: str
) -> None:
    """RFC 7323 §3.2: the clock of a segment that is sent again has gone on."""
    ladder = f"{OPEN}+.1 > . 101:201(100) ack 1 <ts 5,id 1000>\n"
    assert found in why(f"{ladder}+.001 > . 1:101(100) ack 1 <ts {stamp},id {packet}>")
