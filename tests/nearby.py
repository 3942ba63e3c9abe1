"""What the engine tells of ladders that differ by one from those where a rule decides, as text.

In each ladder each number of each line is made one more and one less (a time by a microsecond), and
each control bit is turned. The handshake is changed once, in a ladder of its
own. Those that are told otherwise stand here, by line and change: each rung that is, with both
ends' states and the kinds of what is said of it.
"""

from __future__ import annotations

from collections.abc import Iterator
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
HANDSHAKE = f"{OPEN}+.1   > P. 1:101(100) ack 1\n+.01  < .  1:1(0) ack 101"


def nearby() -> str:
    """What is told of each."""
    lines = []
    ladders = {
        "handshake": HANDSHAKE,
        **{name: both.fires for name, both in LADDERS.items()},
        **{name: text for name, (text, _) in ROWS.items()},
    }
    for name, text in ladders.items():
        lines.append(f"== {name}")
        ladder = list(parse(text))
        usual = _told(ladder)
        found: dict[str, list[str]] = {}
        begins = text.startswith(OPEN) and name != "handshake"
        for number, change, other in _others(ladder, len(list(parse(OPEN))) if begins else 0):
            told = _told([*ladder[:number], other, *ladder[number + 1 :]])
            differs = "; ".join(one for one in told if one not in usual)
            if told != usual:
                found.setdefault(differs, []).append(f"{number + 1} {change}")
        lines += [f"{', '.join(changes)}: {differs}" for differs, changes in found.items()]
    return "\n".join([*lines, ""])


def _others(ladder: list[LadderLine], first: int) -> Iterator[tuple[int, str, LadderLine]]:
    """Each line as it may be instead, its index, and in which way, from the first that changes."""
    for number, line in enumerate(ladder[first:], first):
        for name, step in STEPS.items():
            value = getattr(line, name)
            for change in (-step, step):
                if value is not None and value + change >= 0:
                    yield (
                        number,
                        f"{name}{change // step:+}",
                        replace(line, **{name: value + change}),
                    )
        for bit in BITS:
            flags = line.flags.strip("-")
            flags = flags.replace(bit, "") or "-" if bit in flags else bit + flags
            ack = (line.ack or 0) if "." in flags else None
            yield number, flags, replace(line, flags=flags, ack=ack)


def _told(ladder: list[LadderLine]) -> list[str]:
    text = "\n".join(map(str, ladder))
    return [
        " ".join((f"{rung.number} {rung.client_state} {rung.server_state}", *kinds))
        for rung in played(text)
        for kinds in [sorted(note.kind for note in rung.notes)]
    ]
