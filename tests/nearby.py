"""What the engine tells of ladders that differ a little from those where a rule decides, as text.

In each, every number of every line is made one more and one less (a time by a microsecond), and
each control bit is turned. A wire of ours loses each segment, doubles it, and lets the next
overtake it. And the whole is played further on in its stream, with windows that are scaled, and
as one is seen of whose ends only one was captured.

Those that are told otherwise stand here, by line and change: each rung that is, with both ends'
states and the classes of what is said of it. The handshake is changed in a ladder of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from condition_ladders import ROWS
from ladders import OPEN
from msgspec.structs import replace
from rule_ladders import LADDERS, played

from trioecho.model import ENDS
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
        for change, told in _changes(list(parse(text)), first=3 if opens else 0):
            found.setdefault(told, []).append(change)
        lines += [f"== {name}", *(f"{', '.join(each)}: {told}" for told, each in found.items())]
    return "\n".join([*lines, ""])


def _changes(ladder: Ladder, first: int) -> Iterator[tuple[str, str]]:
    """Each change of the lines from the first on, and what is told otherwise then."""
    usual = set(_told(ladder))
    changed = [
        *(
            (f"{at + 1} {how}", [*ladder[:at], line, *ladder[at + 1 :]], range(1, len(ladder) + 1))
            for at, how, line in _others(ladder, first)
        ),
        *_wholes(ladder),
    ]
    for change, other, lines in changed:
        if differs := [one for one in _told(other, lines=lines) if one not in usual]:
            yield change, "; ".join(differs)
    if any(word in " ".join(map(str, ladder)) for word in OURS):
        return
    usual = set(_told(ladder, {}))
    for at in range(first, len(ladder)):
        for fate in FATES:
            if differs := [one for one in _told(ladder, {at + 1: fate}) if one not in usual]:
                yield f"{at + 1} {fate}", "; ".join(differs)


def _wholes(ladder: Ladder) -> Iterator[tuple[str, Ladder, Sequence[int]]]:
    """The whole ladder in other ways, with the line that each of its lines is; 0 for none."""
    if [line.flags for line in ladder[:3]] == ["S", "S.", "."] and not ladder[2].length:
        exchange = list(parse(EXCHANGE))
        lines = [1, 2, 3, *(0 for _ in exchange), *range(4, len(ladder) + 1)]
        yield "further", [*ladder[:3], *exchange, *map(_moved, ladder[3:])], lines
        yield "scaled", _scaled(ladder), range(1, len(ladder) + 1)
    for end in ENDS:
        yield f"{end} alone", *_alone(ladder, end)


def _alone(ladder: Ladder, end: str) -> tuple[Ladder, list[int]]:
    """What one end sends, at the same times."""
    lines, passed = {}, 0
    for number, line in enumerate(ladder, 1):
        passed += line.delta or 0
        if line.sender == end:
            lines[number] = replace(line, delta=passed)
            passed = 0
    return list(lines.values()), list(lines)


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


def _told(
    ladder: Ladder, fates: Mapping[int, str] | None = None, lines: Sequence[int] = ()
) -> list[str]:
    """What is told of each segment, by its line; a clock that begins at 1 ns times them."""
    told = []
    for rung in played("\n".join(map(str, ladder)), 1, fates):
        line = rung.segment.frame.number
        if lines:
            line = lines[line - 1]
        kinds = sorted(type(note).__name__ for note in rung.notes)
        if line and (rung.kind != "copy" or kinds):
            states = f"{rung.client_state} {rung.server_state}"
            told.append(" ".join((str(line), states, *kinds)))
    return told
