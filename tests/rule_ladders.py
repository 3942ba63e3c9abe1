"""The two ladders of each rule: one that fires it, and one that misses it by one number.

They stand in ``tests/tcp/rules``, a file for each module of rules, a section for each rule::

    == tail_loss_probe
            OPEN
            +.1   > P. 1:101(100) ack 1
    fires   +.03  > P. 1:101(100) ack 1
    misses  +.029999 > P. 1:101(100) ack 1
    says    retransmission of rung 4 after 30 ms, before a timeout: a tail loss probe

What the rule finds ``says`` that, in as many lines as it takes; a new rule may go without. The rule
is asked of the last segment. ``OPEN`` stands for a handshake of 20 ms between two ends with an MSS
of 100 and a window of 1000. Between ``<`` and ``>`` may also stand ``id 7`` (the IP
identification), ``ts 5`` (TSval), ``sack 101:201``, ``tfo 8`` (a cookie of so many bytes), ``mptcp
2`` (the subtype), ``urg 1`` (the urgent pointer), ``ecn 3`` (of the IP header), ``byte 121`` (of
which the payload is made), ``offload 0`` (by how much the checksum is not that of the pseudo header
alone), ``forged``, ``gone 1`` (the client is known to have given up then), and ``stopped 1`` (we
stopped the server then). ``lost`` behind a line: a wire that knows has lost it; with ``large 1``
because it was too large for the path, which told its sender.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from frames import START, frames
from ladders import OPEN
from msgspec.structs import replace

from trioecho.model import Fact, Rung
from trioecho.packet.decode import decode
from trioecho.render.notation import LadderLine
from trioecho.tcp.rules import QUESTIONS
from trioecho.tcp.rules.catalogue import rule_name
from trioecho.tcp.step import Rule
from trioecho.tcp.tracker import Tracker

FOLDER = Path(__file__).parent / "tcp" / "rules"
#: Each rule by the same name.
RULES = {rule_name(rule): rule for question in QUESTIONS for rule in question.rules}


class Ladders(NamedTuple):
    """A rule's two ladders, the lines in which they differ, and what the first one is told."""

    fires: str
    misses: str
    pairs: list[tuple[str, str]]
    says: str


def _read() -> Iterator[tuple[str, Ladders]]:
    for path in sorted(FOLDER.glob("*.ladder")):
        for section in path.read_text("utf-8").split("== ")[1:]:
            name, _, text = section.partition("\n")
            yield f"{path.stem}.{name.strip()}", _ladders(text)


def _ladders(text: str) -> Ladders:
    both: dict[str, list[str]] = {"fires": [], "misses": []}
    marked: dict[str, list[str]] = {"fires": [], "misses": []}
    says: list[str] = []
    for line in text.splitlines():
        mark = line[:8].strip()
        if mark == "says":
            says.append(line[8:].strip())
            continue
        rest = OPEN if line[8:].strip() == "OPEN" else line[8:].strip()
        for which in [mark] if mark else both:
            both[which].append(rest)
        if mark:
            marked[mark].append(rest)
    pairs = list(zip(marked["fires"], marked["misses"], strict=True))
    return Ladders("\n".join(both["fires"]), "\n".join(both["misses"]), pairs, " ".join(says))


#: Each rule's ladders by its name, such as ``loss.lost_segment``.
LADDERS = dict(_read())


def ask(rule: Rule, ladder: str) -> tuple[list[Fact], Rung]:
    """What a rule found of a ladder's last segment, and that segment's rung."""
    found: list[Fact] = []
    last: list[Fact] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is rule.__code__ and argument is not None:
            found.append(argument)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        for one in played(ladder):
            rung, last = one, found[:]
            found.clear()
    finally:
        sys.setprofile(before)
    return last, rung


def played(
    ladder: str | Sequence[LadderLine],
    time: int = START,
    fates: Mapping[int, str] | None = None,
    tracker: Tracker | None = None,
) -> Iterator[Rung]:
    """What the engine makes of a ladder's segments, each when it has arrived.

    ``time``: when it begins. ``fates``: if given, it is on a wire that knows what arrives, and may
    have ``lost`` or ``doubled`` the segment of a line, or let it be ``overtaken`` by the next.
    ``tracker``: what sees it.
    """
    tracker = tracker or Tracker()
    text = ladder if isinstance(ladder, str) else "\n".join(map(str, ladder))
    wire = fates is not None or "forged" in text or "lost" in text
    overtaken: list[Rung] = []
    for number, (line, frame) in enumerate(frames(ladder, time=time), 1):
        segment, fate = decode(frame), (fates or {}).get(number, "lost" if line.lost else "")
        assert segment is not None
        if not wire:
            rung = tracker.seen(segment)
        elif fate == "overtaken":
            overtaken.append(tracker.sent(segment))
            continue
        else:
            forged = "forged" in (line.options or "")
            rung = tracker.sent(segment, "injected" if forged else "original")
            rung = _fate(tracker, rung, fate, "large 1" in (line.options or ""))
        if "stopped 1" in (line.options or ""):
            tracker.stopped("server", frame.time)
        if "gone 1" in (line.options or ""):
            tracker.connections[-1].gave_up(frame.time)
        yield rung
        if fate == "doubled":
            yield _fate(tracker, tracker.sent(segment, "copy"))
        while overtaken:
            yield _fate(tracker, overtaken.pop(), time=frame.time)


def _fate(
    tracker: Tracker, rung: Rung, fate: str = "", large: bool = False, time: int | None = None
) -> Rung:
    """What becomes of a segment on a wire: it is lost, or arrives, at once or at some time."""
    connection = tracker.find(rung.segment.source, rung.segment.destination)
    assert connection is not None
    if fate == "lost":
        rung = replace(rung, lost=True, too_large=large)
        connection.lost(rung)
        return rung
    return connection.arrived(rung, rung.time if time is None else time)
