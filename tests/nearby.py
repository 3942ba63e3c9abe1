"""What the engine tells of ladders that differ a little from those where a rule decides, as text.

In each, every number of every line is made one more and one less (a time by a microsecond), and
each control bit is turned. A wire of ours loses each segment, doubles it, and lets the next
overtake it. And the whole is played further on in its stream, and with windows that are scaled.

Those that are told otherwise stand here, by line and change: each rung that is, with both ends'
states and the kinds of what is said of it. The handshake is changed in a ladder of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from condition_ladders import ROWS
from ladders import OPEN
from msgspec.structs import replace
from rule_ladders import LADDERS, played

from trioecho.render.notation import LadderLine, parse

#: What was told when `make examples` was last run.
NEARBY = Path(__file__).parent / "tcp" / "nearby.txt"
#: By how much a field is changed.
STEPS = {"seq": 1, "length": 1, "ack": 1, "window": 1, "delta": 1000}
BITS = "SFRP."
FATES = ("lost", "doubled", "overtaken")
#: What only a wire of ours can do to a segment, as a ladder says it.
OURS = ("forged", "lost", "stopped 1", "gone 1")
HANDSHAKE = f"{OPEN}+.1   > P. 1:101(100) ack 1\n+.01  < .  1:1(0) ack 101"
#: How many bytes each end has sent further on, and how.
FURTHER = {"client": 700, "server": 900}
EXCHANGE = """
+.1   > P. 1:701(700) ack 1 win 1000
+.01  < .  1:1(0) ack 701 win 1000
+.1   < P. 1:901(900) ack 701 win 1000
+.01  > .  701:701(0) ack 901 win 1000
"""
Ladder = list[LadderLine]


def nearby() -> str:
    """What is told of each."""
    ladders = {
        "handshake": HANDSHAKE,
        **{name: both.fires for name, both in LADDERS.items()},
        **{name: text for name, (text, _) in ROWS.items()},
    }
    lines: list[str] = []
    for name, text in ladders.items():
        found: dict[str, list[str]] = {}
        opens = text.startswith(OPEN) and text is not HANDSHAKE
        for change, differs in _changes(list(parse(text)), opens=opens):
            found.setdefault("; ".join(differs), []).append(change)
        lines += [f"== {name}", *(f"{', '.join(each)}: {told}" for told, each in found.items())]
    return "\n".join([*lines, ""])


def _changes(ladder: Ladder, *, opens: bool) -> Iterator[tuple[str, list[str]]]:
    """Each change that makes a difference, and what is told then."""
    usual = _told(ladder)
    first = 3 if opens else 0
    for number, change, line in _others(ladder, first):
        told = _told([*ladder[:number], line, *ladder[number + 1 :]])
        if told != usual:
            yield f"{number + 1} {change}", [one for one in told if one not in usual]
    if opens:
        for change, other in (("further", _further(ladder)), ("scaled", _scaled(ladder))):
            told = _told(other)
            if told != usual:
                yield change, [one for one in told if one not in usual]
    if not any(word in " ".join(map(str, ladder)) for word in OURS):
        usual = _told(ladder, {})
        for number in range(first, len(ladder)):
            for fate in FATES:
                told = _told(ladder, {number + 1: fate})
                if told != usual:
                    yield f"{number + 1} {fate}", [one for one in told if one not in usual]


def _others(ladder: Ladder, first: int) -> Iterator[tuple[int, str, LadderLine]]:
    """Each line as it may be instead, its index, and in which way, from the first that changes."""
    for number, line in enumerate(ladder[first:], first):
        for name, step in STEPS.items():
            value = getattr(line, name)
            for change in (-step, step):
                if value is not None and value + change >= 0:
                    other = replace(line, **{name: value + change})
                    yield number, f"{name}{change // step:+}", other
        for bit in BITS:
            flags = line.flags.strip("-")
            flags = flags.replace(bit, "") or "-" if bit in flags else bit + flags
            ack = (line.ack or 0) if "." in flags else None
            yield number, flags, replace(line, flags=flags, ack=ack)


def _further(ladder: Ladder) -> Ladder:
    """It behind some data of both ends."""
    return [*ladder[:3], *parse(EXCHANGE), *map(_moved, ladder[3:])]


def _moved(line: LadderLine) -> LadderLine:
    mine, theirs = FURTHER["client"], FURTHER["server"]
    if line.sender == "server":
        mine, theirs = theirs, mine
    words = [
        f"sack {':'.join(str(int(edge) + theirs) for edge in word[5:].split(':'))}"
        if word.startswith("sack ")
        else word
        for word in (line.options or "").split(",")
    ]
    ack = None if line.ack is None else line.ack + theirs
    return replace(line, seq=line.seq + mine, ack=ack, options=",".join(words) or None)


def _scaled(ladder: Ladder) -> Ladder:
    """It with windows that are told in fours."""
    syns = [
        replace(line, options=(line.options or "").replace("wscale 0", "wscale 2"))
        for line in ladder[:2]
    ]
    rest = [replace(line, window=line.window and line.window // 4) for line in ladder[2:]]
    return [*syns, *rest]


def _told(ladder: Ladder, fates: Mapping[int, str] | None = None) -> list[str]:
    """What is told of each segment, by its line; a clock that begins at 1 ns times them."""
    told = []
    added = len(list(parse(EXCHANGE))) if len(ladder) > 7 and ladder[3].length == 700 else 0
    for rung in played("\n".join(map(str, ladder)), 1, fates):
        line = rung.segment.frame.number
        if line > 3:
            line -= added
        if line > 3 or rung.segment.frame.number <= 3:
            kinds = sorted(note.kind for note in rung.notes)
            states = f"{rung.client_state} {rung.server_state}"
            if rung.kind != "copy" or kinds:
                told.append(" ".join((str(line), states, *kinds)))
    return told
