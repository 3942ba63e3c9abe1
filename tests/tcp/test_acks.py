"""What an ACK acknowledges: the rung that brought the last byte, as far as that is known."""

# covers: tcp/rules/data

from __future__ import annotations

import pytest
from frames import frames, on_wire, play
from ladders import OPEN

from trioecho.model import Kind, Rung, State
from trioecho.packet.decode import decode
from trioecho.tcp.rules.data import Ack
from trioecho.tcp.tracker import Tracker

DATA_100 = OPEN + "+.1 > P. 1:101(100) ack 1"


@pytest.mark.parametrize(
    ("ladder", "of"),
    [
        ("{} lost\n+.3 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101", 5),
        ("{}\n+.3 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101", 4),
        # Sent again in smaller segments.
        ("{} lost\n+.3 > P. 1:61(60) ack 1\n+.01 < . 1:1(0) ack 61", 5),
        (
            "{} lost\n+.3 > P. 1:61(60) ack 1\n+.01 > P. 61:101(40) ack 1\n+.01 < . 1:1(0) ack 101",
            6,
        ),
        # What fills the hole is not the last that arrived.
        (
            "{} lost\n+.1 > P. 101:201(100) ack 1\n+.3 > P. 1:101(100) ack 1\n"
            "+.01 < . 1:1(0) ack 201",
            5,
        ),
        ("{}\n+.01 > F. 101:101(0) ack 1\n+.01 < . 1:1(0) ack 102", 5),
    ],
)
def test_on_a_wire_what_arrived_is_credited(ladder: str, of: int) -> None:
    _, rungs = on_wire(ladder.format(DATA_100))
    assert credited(rungs) == (of, False)


def test_in_a_capture_either_may_have_arrived() -> None:
    again = DATA_100 + "\n+.3 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack "
    told = [play(again + ack)[-1] for ack in ("101", "51")]
    assert [note.text(rung) for rung in told for note in rung.notes] == [
        "a pure ACK: 100 bytes arrived, up to rung 4 or its retransmission",
        "a pure ACK: 50 bytes arrived",
    ]


def credited(rungs: list[Rung]) -> tuple[int | None, bool]:
    (ack,) = [note for note in rungs[-1].notes if isinstance(note, Ack)]
    return ack.of, ack.or_again


def test_a_capture_credits_no_probe_that_was_refused() -> None:
    """A window of 0 answers the first probe, and the second finds it open."""
    full = OPEN + "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101 win 0\n"
    probes = "+.3 > . 101:102(1) ack 1\n{}+.5 > . 101:102(1) ack 1\n+.01 < . 1:1(0) ack 102\n"
    answer = "+.01 < . 1:1(0) ack 101 win 0\n"
    assert credited(play(full + probes.format(answer))) == (8, False)
    assert credited(play(full + probes.format(""))) == (6, True)


def test_a_capture_credits_nothing_with_a_wrong_checksum() -> None:
    ladder = OPEN + "+.1 > P. 1:101(100) ack 1 <sum {}>\n+.3 > P. 1:101(100) ack 1 <sum 0>\n"
    answer = "+.01 < . 1:1(0) ack 101"
    assert credited(play(ladder.format(1) + answer)) == (5, False)
    assert credited(play(ladder.format(0) + answer)) == (4, True)


@pytest.mark.parametrize(
    ("last", "text"),
    [
        ("+.1 > P. 1:101(100) ack 1 lost\n+.01 < . 1:1(0) ack 1 win 1000", "that has arrived, and"),
        ("+.01 < . 1:1(0) ack 1 win 1000", "everything seen here, and repeats its ACK"),
        (
            "+.1 > P. 1:101(100) ack 1 lost\n+.01 > P. 101:201(100) ack 1\n"
            "+.01 < . 1:1(0) ack 1 win 1000",
            "still waits for the same byte",
        ),
        ("+.01 < . 1:1(0) ack 1 win 1000 <sack 0:1>", "acknowledges the SYN again"),
        ("+.01 < . 1:1(0) ack 1 win 1000 <sack 1:2>", "everything seen here, and repeats its ACK"),
    ],
)
def test_why_an_ack_is_repeated_on_a_wire(last: str, text: str) -> None:
    _, rungs = on_wire(f"{OPEN}{last}")
    (told,) = [note.text(rungs[-1]) for note in rungs[-1].notes if note.kind == "duplicate-ack"]
    assert text in told


@pytest.mark.parametrize(
    ("lost", "closed_by", "told"),
    [(" lost", None, "reset, but still open at the server"), ("", "rst", "cut by a reset")],
)
def test_a_reset_that_never_arrives_closes_one_end(
    lost: str, closed_by: str | None, told: str
) -> None:
    tracker, _ = on_wire(f"{DATA_100}\n+.1 > R. 101:101(0) ack 1{lost}")
    (summary,) = tracker.summaries()
    assert (summary.closed_by, summary.completeness.partition("; ")[2]) == (closed_by, told)


def reset_by(kind: Kind) -> tuple[Tracker, Rung]:
    """A connection whose client is reset; the RST itself is lost, and another arrives."""
    tracker, _ = on_wire(f"{DATA_100}\n")
    *_, (_, frame) = frames(f"{DATA_100}\n+.1 < R. 1:1(0) ack 101")
    segment = decode(frame)
    assert segment is not None
    connection = tracker.connections[0]
    if kind == "copy":
        connection.lost(tracker.sent(segment))
    return tracker, connection.arrived(tracker.sent(segment, kind), frame.time)


@pytest.mark.parametrize(
    ("kind", "by", "server"),
    [("copy", "server", State.CLOSED), ("injected", "wire", State.ESTABLISHED)],
)
def test_a_copied_reset_is_its_senders_and_a_forged_one_is_not(
    kind: Kind, by: str, server: State
) -> None:
    """Either ends the connection, also where its other end knows nothing of that."""
    tracker, rung = reset_by(kind)
    assert (rung.client_state, rung.server_state) == (State.CLOSED, server)
    assert tracker.summaries()[0].reset_by == by
    assert tracker.over()


@pytest.mark.parametrize(("ack", "of"), [(2, 6), (50, 6), (101, 6), (102, 5), (150, 5), (201, 5)])
def test_an_ack_is_of_what_brought_its_last_byte(ack: int, of: int) -> None:
    """Whatever part of that it acknowledges; the first 100 bytes came behind the others."""
    lost = "+.1 > P. 1:101(100) ack 1 lost\n+.1 > P. 101:201(100) ack 1\n"
    rung = play(f"{OPEN}{lost}+.2 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack {ack}")[-1]
    assert Ack(ack - 1, pure=True, of=of) in rung.notes
