"""What the engine tells of ladders that differ a little from those where a rule decides, as text.

In each, every number of every line is made one more and one less (a time by a nanosecond), and
each control bit is turned. Each line is not captured, or twice, or behind the next, or later, or
has no window. A wire of ours loses each segment, doubles it, lets the next overtake it, and forges
one before the last. And the whole is played further on in its stream, with windows that are scaled,
and as it is seen where only one end's segments were captured.

Those that are told otherwise stand here, by line and change: each line that is, with what is said
of it, and both ends' states where these are others; and what the connection came to. The handshake
is changed in its own ladder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from condition_ladders import ROWS
from ladders import OPEN
from msgspec.structs import replace
from rule_ladders import LADDERS, played

from trioecho.model import ENDS, Fact
from trioecho.render.notation import LadderLine, parse
from trioecho.tcp.rules.data import Ack, Data
from trioecho.tcp.tracker import Tracker

#: What was told when `make examples` was last run.
NEARBY = Path(__file__).parent / "tcp" / "nearby.txt"
#: By how much a field is changed.
STEPS = {"seq": 1, "length": 1, "ack": 1, "window": 1, "delta": 1}
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
#: By how much a line comes later, in nanoseconds.
DELAYS = (30_000_000, 300_000_000, 30_000_000_000)
Ladder = list[LadderLine]
#: Of a segment: its line, both ends' states, and what is said of it.
Told = tuple[int, str, str]


def ladders() -> dict[str, str]:
    """Each ladder by its name."""
    rules = {name: both.fires for name, both in LADDERS.items()}
    return {"handshake": HANDSHAKE, **rules, **{name: text for name, (text, _) in ROWS.items()}}


def nearby(name: str) -> list[str]:
    """What is told of the ladders near one."""
    text = ladders()[name]
    opens = text.startswith(OPEN) and text is not HANDSHAKE
    changes = list(_changes(list(parse(text)), first=3 if opens else 0))
    if name in LADDERS:  # where its own time decides, it does by a nanosecond
        changes += _sooner(list(parse(LADDERS[name].misses)))
    found: dict[str, list[str]] = {}
    for change, told in changes:
        found.setdefault(told, []).append(change)
    return [f"{', '.join(each)}: {told}" for told, each in found.items()]


def _sooner(ladder: Ladder) -> Iterator[tuple[str, str]]:
    """What is told of a last line a nanosecond sooner or later, if it is something else."""
    usual = _told(ladder)
    for change in (-1, 1):
        last = replace(ladder[-1], delta=max(0, (ladder[-1].delta or 0) + change))
        if told := _otherwise(_told([*ladder[:-1], last]), usual):
            yield f"missed {change:+} ns", told


def _changes(ladder: Ladder, first: int) -> Iterator[tuple[str, str]]:
    """Each change of the lines from the first on, and what is told otherwise then."""
    usual, numbers = _told(ladder), range(1, len(ladder) + 1)
    for at, how, line in _others(ladder, first):
        other = [*ladder[:at], line, *ladder[at + 1 :]]
        if told := _otherwise(_told(other, lines=numbers), usual):
            yield f"{at + 1} {how}", told
    for how, other, lines in (*_wholes(ladder), *_orders(ladder, first)):
        if told := _otherwise(_told(other, lines=lines), usual):
            yield how, told
    if any(word in " ".join(map(str, ladder)) for word in OURS):
        return
    usual = _told(ladder, {})
    for number in numbers[first:]:
        for fate in FATES:
            if told := _otherwise(_told(ladder, {number: fate}), usual):
                yield f"{number} {fate}", told
    for line in _forged(ladder[:-1]):
        forged = _told([*ladder[:-1], line, ladder[-1]], {}, [*numbers, len(ladder)])
        if told := _otherwise(forged, usual):
            yield f"behind a forged {line.flags} of the {line.sender}", told


def _otherwise(told: Sequence[Told], usual: Sequence[Told]) -> str:
    """What is told otherwise than usual; both ends' states only where these are others."""
    states = {(line, states) for line, states, _ in usual}
    return "; ".join(
        f"{line or ''} {said if (line, ends) in states else f'{ends} {said}'}".strip()
        for line, ends, said in told
        if (line, ends, said) not in usual
    )


def _wholes(ladder: Ladder) -> Iterator[tuple[str, Ladder, Sequence[int]]]:
    """The whole ladder in other ways, with the line that each of its lines is; 0 for none."""
    if [line.flags for line in ladder[:3]] == ["S", "S.", "."] and not ladder[2].length:
        exchange = list(parse(EXCHANGE))
        lines = [1, 2, 3, *(0 for _ in exchange), *range(4, len(ladder) + 1)]
        yield "further", [*ladder[:3], *exchange, *map(_moved, ladder[3:])], lines
        yield "scaled", _scaled(ladder), range(1, len(ladder) + 1)
    for end in ENDS:
        numbers = [number for number, line in enumerate(ladder, 1) if line.sender == end]
        yield f"{end} alone", *_seen(ladder, numbers)


def _orders(ladder: Ladder, first: int) -> Iterator[tuple[str, Ladder, Sequence[int]]]:
    """It with a line that is not captured, or twice, behind the next, later, or has no window."""
    lines = list(range(1, len(ladder) + 1))
    for at, number in enumerate(lines[first:], first):
        before, line, after = ladder[:at], ladder[at], ladder[number:]
        yield f"{number} missed", *_seen(ladder, [*lines[:at], *lines[number:]])
        again = [*before, line, replace(line, delta=500_000), *after]
        yield f"{number} twice", again, [*lines[:number], number, *lines[number:]]
        if after:
            swapped = [replace(after[0], delta=line.delta), replace(line, delta=after[0].delta)]
            order = [*lines[:at], number + 1, number, *lines[number + 1 :]]
            yield f"{number} behind {number + 1}", [*before, *swapped, *after[1:]], order
        for delay in DELAYS:
            late = replace(line, delta=(line.delta or 0) + delay)
            yield f"{number} {delay // 1_000_000} ms later", [*before, late, *after], lines
        yield f"{number} window 0", [*before, replace(line, window=0), *after], lines


def _forged(ladder: Ladder) -> Iterator[LadderLine]:
    """What a wire may forge behind some lines, in the name of one end or the other."""
    for end in ENDS:
        ends = [
            line.seq + line.length + len(set(line.flags) & set("SF"))
            for line in ladder
            if line.sender == end
        ]
        for flags in "RS":
            yield LadderLine(end, flags, max(ends, default=0), 0, 1_000_000, options="forged")


def _seen(ladder: Ladder, numbers: Sequence[int]) -> tuple[Ladder, Sequence[int]]:
    """Some of its lines, at the same times."""
    lines, passed = [], 0
    for number, line in enumerate(ladder, 1):
        passed += line.delta or 0
        if number in numbers:
            lines.append(replace(line, delta=passed))
            passed = 0
    return lines, numbers


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
) -> list[Told]:
    """What is told of each segment, by its line; a clock that begins at 1 ns times them."""
    told, tracker = [], Tracker()
    for rung in played(ladder, 1, fates, tracker):
        line = rung.segment.frame.number
        if lines:
            line = lines[line - 1]
        if line and (rung.kind != "copy" or rung.notes):
            states = f"{rung.client_state} {rung.server_state}"
            told.append((line, states, " ".join(sorted(map(_fact, rung.notes))) or "-"))
    for one in tracker.summaries():
        ended = one.completeness, f"closed by {one.closed_by}", f"reset by {one.reset_by}"
        told += [(0, "", word) for word in ended]
    return told


def _fact(fact: Fact) -> str:
    """Its class, and unless it is what nearly all segments do, all of it that is not 0."""
    if isinstance(fact, Data | Ack):
        return type(fact).__name__
    values = (getattr(fact, name) for name in fact.__struct_fields__)
    return "/".join([type(fact).__name__, *(str(value) for value in values if value)])
