"""The bytes of a direction in order, with the times at which they left and came."""

from __future__ import annotations

from frames import START
from tapes import MS, Tape

from trioecho.capture.source import ToldFrames
from trioecho.model import ENDS, OTHER
from trioecho.reading.reading import Reading
from trioecho.requests.flow import Flow


def flow(tape: Tape) -> list[tuple[bytes, float, float]]:
    """What the client sends: the bytes, and when they left and came, in milliseconds."""
    reading, flows = Reading(), {end: Flow() for end in ENDS}
    told = any(one.way for one in tape.frames)
    rungs = reading.rungs(ToldFrames(tape.frames) if told else tape.frames)
    found = []
    for rung in [*rungs, *reading.rest()]:
        parts = flows[OTHER[rung.sender]].acknowledged(rung) if rung.sender == "server" else []
        taken = flows[rung.sender].take(rung)
        for part in [*parts, *(taken if rung.sender == "client" else [])]:
            left, came = part.moment.left, part.moment.came
            found.append((part.data, (left - START) / MS, (came - START) / MS))
    return found


def test_a_lost_segment_holds_back_what_came_behind_it() -> None:
    tape = Tape(way=10)
    tape.open()
    seq = tape.say(20, "client", b"one", lost=True)
    tape.say(21, "client", b"two")
    tape.put(230, "client", 24, b"one", seq=seq)
    assert flow(tape) == [(b"one", 20, 240), (b"two", 21, 240)]


def test_a_repair_that_also_has_what_came_before() -> None:
    """A sender may put what it sends again together: all of it has come only then."""
    tape = Tape(way=10)
    tape.open()
    seq = tape.say(20, "client", b"one", lost=True)
    tape.say(21, "client", b"two")
    tape.put(230, "client", 24, b"onetwo", seq=seq)
    assert flow(tape) == [(b"onetwo", 20, 240)]


def test_one_that_is_late_behind_the_repair_comes_when_it_does() -> None:
    tape = Tape(way=10)
    tape.open()
    seq = tape.say(20, "client", b"one", lost=True)
    tape.say(21, "client", b"two")
    late = tape.frames[-1]
    assert late.way is not None
    way = type(late.way)(took=500 * MS)
    tape.frames[-1] = type(late)(late.number, late.time, late.data, late.link, late.length, 0, way)
    tape.put(230, "client", 24, b"one", seq=seq)
    assert flow(tape) == [(b"one", 20, 240), (b"two", 21, 521)]


def test_what_is_acknowledged_was_not_captured() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", b"one")
    tape.say(21, "client", b"two")
    del tape.frames[-2]
    tape.put(40, "server", 16)
    assert flow(tape) == [(b"\0\0\0two", 21, 21)]
