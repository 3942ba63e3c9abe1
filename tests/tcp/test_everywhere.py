"""What holds for every ladder, whatever it shows: for those of the rules, and the long ones."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from frames import REPETITIONS, seen
from ladders import MARKS, OPEN, STATES, VERDICTS
from rule_ladders import LADDERS

from trioecho.model import RST, Fact, Rung, State
from trioecho.tcp import sending
from trioecho.tcp.rules.marks import SequenceWrap
from trioecho.tcp.rules.overtaking import SamePacket
from trioecho.tcp.rules.timers import TailLossProbe
from trioecho.tcp.rules.windows import KeepAlive, ZeroWindowProbe
from trioecho.tcp.step import Seen

#: Rules about a number as it stands in the header.
ABSOLUTE = ("refusals.number_zero", "marks.sequence_wrap")
RELATIVE = [
    *(ladder for one in (STATES, VERDICTS, MARKS) for ladder in one.values()),
    *(
        ladder
        for name, one in LADDERS.items()
        for ladder in (one.fires, one.misses)
        if name not in ABSOLUTE
    ),
]
ALL = [*RELATIVE, *(LADDERS[name].fires for name in ABSOLUTE)]
Told = tuple[int, int | None, State, State, tuple[Fact, ...]]


def told(rungs: list[Rung]) -> list[Told]:
    """What is said of each segment, but for where the numbers of its header wrap."""
    return [
        (
            rung.seq,
            rung.ack,
            rung.client_state,
            rung.server_state,
            tuple(note for note in rung.notes if not isinstance(note, SequenceWrap)),
        )
        for rung in rungs
    ]


@pytest.mark.parametrize(("client_isn", "server_isn"), [(0xFFFFFFFD, 0xFFFFFF9C), (0, 0x7FFFFFFF)])
def test_only_distances_count(client_isn: int, server_isn: int) -> None:
    """RFC 9293 §3.4: numbers are compared modulo 2**32, wherever a connection begins."""
    for ladder in RELATIVE:
        assert told(seen(ladder, client_isn, server_isn)[1]) == told(seen(ladder)[1]), ladder


@pytest.mark.parametrize("echo", [1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_echoed_timestamp_tells_nothing(echo: int) -> None:
    """RFC 7323 §3.2: TSecr is the other end's clock; only TSval tells an old duplicate."""
    for ladder in ALL:
        if "<ts" in ladder or ",ts" in ladder:
            assert told(seen(ladder, echo=echo)[1]) == told(seen(ladder)[1]), ladder


@pytest.mark.parametrize("time", [0, 1])
def test_when_it_begins_makes_no_difference(time: int) -> None:
    """A simulator's clock begins at 0."""
    for ladder in ALL:
        assert told(seen(ladder, time=time)[1]) == told(seen(ladder)[1]), ladder


def pushed(ladder: str) -> str:
    """A ladder with PSH on each segment that had none, and off each that had it."""

    def other(line: re.Match[str]) -> str:
        flags = line[2].strip("-")
        return line[1] + (flags.replace("P", "") or "-" if "P" in flags else f"P{flags}")

    return re.sub(r"^(\s*(?:\+\S+ +)?[<>]\d? +)(\S+)", other, ladder, flags=re.MULTILINE)


def test_a_push_tells_nothing() -> None:
    """RFC 9293 §3.9.1: it is for the receiver's program, and no rule is about that."""
    for ladder in ALL:
        assert told(seen(pushed(ladder))[1]) == told(seen(ladder)[1]), ladder


def test_each_segment_is_counted_once_and_by_what_is_said_of_it() -> None:
    for ladder in ALL:
        tracker, rungs = seen(ladder)
        for one in tracker.summaries():
            own = [rung for rung in rungs if rung.connection == one.number]
            notes = [note for rung in own for note in rung.notes]
            again = sum(isinstance(note, REPETITIONS) for note in notes)
            copies = sum(isinstance(note, SamePacket) for note in notes)
            tails = sum(isinstance(note, TailLossProbe) for note in notes)
            probes = sum(isinstance(note, ZeroWindowProbe | KeepAlive) for note in notes)
            counted = (one.client_segments, one.server_segments, one.retransmissions, one.probes)
            senders = Counter(rung.sender for rung in own)
            assert counted == (
                *(senders["client"], senders["server"]),
                *(again - copies - tails, probes + tails),
            ), ladder
            assert one.troubles == sum(any(n.trouble for n in rung.notes) for rung in own), ladder
            assert one.resets == sum(rung.segment.flags & RST > 0 for rung in own), ladder


def test_no_rule_is_asked_about_what_is_ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    """New data in order, and ACKs of them: most of what is read, and read fast."""
    asked: dict[str, list[int]] = {name: [] for name in ("judge", "_control", "_marked")}
    for name, numbers in asked.items():

        def ask(seen: Seen, numbers: list[int] = numbers) -> None:
            numbers.append(seen.number)

        monkeypatch.setattr(sending, name, ask)
    seen(
        f"""{OPEN}
        +.1   > P. 1:101(100) ack 1
        +.01  < .  1:1(0) ack 101 win 1000
        +.01  < P. 1:51(50) ack 101 win 1000
        +.01  > P. 101:1001(900) ack 51 win 1000
        +.01  < .  51:51(0) ack 1001 win 900
        """
    )
    assert asked == {"judge": [1, 2], "_control": [1, 2], "_marked": [1, 2]}
