"""All that the engine tells of the tests' ladders, as text.

Of each segment, behind its number, both ends' states, its window, and what is said of it, with all
that is not 0; below them what the connection came to. Then the same from a wire that knows what
arrives: at once, and after 4 ms, when segments have crossed others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from condition_ladders import ROWS
from frames import frames
from ladders import MARKS, STATES, VERDICTS
from rule_ladders import LADDERS, played

from trioecho.model import ConnectionSummary, Rung
from trioecho.packet.decode import decode
from trioecho.tcp.tracker import Tracker

#: What was told when `make examples` was last run.
TOLD = Path(__file__).parent / "tcp" / "told.txt"
DELAYS = (0, 4_000_000)
#: What only a wire of ours can do to a segment: ``played`` knows how.
OURS = ("forged", "lost", "stopped 1", "gone 1")


def ladders() -> dict[str, str]:
    """Each ladder by its name."""
    found = {**STATES, **VERDICTS, **MARKS}
    for name, both in LADDERS.items():
        found |= {f"{name} fires": both.fires, f"{name} misses": both.misses}
    return found | {name: text for name, (text, _) in ROWS.items()}


def told(name: str) -> list[str]:
    """What is told of a ladder; of one that misses a rule, what the one that fires it is not."""
    rule, _, how = name.rpartition(" ")
    before = list(_told(LADDERS[rule].fires)) if rule in LADDERS and how == "misses" else []
    return [line for line in _told(ladders()[name]) if line not in before]


def _told(text: str) -> Iterator[str]:
    if any(word in text for word in OURS):
        yield from map(_rung, played(text))
        return
    lines = _tap(text)
    yield from lines
    for delay in DELAYS:
        slower = [line for line in _wire(text, delay) if line not in lines]
        yield from (f"{delay // 1_000_000} ms: {line}" for line in slower)
        lines += slower


def _tap(text: str) -> list[str]:
    tracker, lines = Tracker(), []
    for _, frame in frames(text):
        segment = decode(frame)
        assert segment is not None
        lines.append(_rung(tracker.seen(segment)))
    return [*lines, *map(_summary, tracker.summaries())]


def _wire(text: str, delay: int) -> list[str]:
    tracker = Tracker()
    rungs: list[Rung] = []
    arrived = 0
    for _, frame in frames(text):
        segment = decode(frame)
        assert segment is not None
        while arrived < len(rungs) and rungs[arrived].time + delay < frame.time:
            arrived = _arrive(tracker, rungs, arrived, delay)
        rungs.append(tracker.sent(segment))
    while arrived < len(rungs):
        arrived = _arrive(tracker, rungs, arrived, delay)
    return [*map(_rung, rungs), *map(_summary, tracker.summaries())]


def _arrive(tracker: Tracker, rungs: list[Rung], which: int, delay: int) -> int:
    rung = rungs[which]
    connection = tracker.find(rung.segment.source, rung.segment.destination)
    assert connection is not None
    rungs[which] = connection.arrived(rung, rung.time + delay)
    return which + 1


def _rung(rung: Rung) -> str:
    said = (_fields(msgspec.to_builtins(note)) for note in rung.notes)
    states = f"{rung.client_state} {rung.server_state}"
    return f"{rung.number} {states} {rung.window}: {', '.join(said)}"


def _summary(summary: ConnectionSummary) -> str:
    fields = msgspec.to_builtins(summary)
    for name in ("client", "server", "start", "end", "first_trouble"):
        del fields[name]
    return f"in all: {_fields(fields)}"


def _fields(fields: dict[str, object]) -> str:
    """What is not 0 of it, its kind first and without its name."""
    return " ".join(
        f"{value}" if name == "kind" else f"{name}={value!r}"
        for name, value in fields.items()
        if value
    )
