"""The rules as tables, from the tuples in which they are asked and the ladders that fire them.

Run as a program, it writes an example of each rule into the package, for ``trioecho explain``, and
for the tests, all that is told of their ladders, and what becomes of packets on a wire with faults.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from as_before import keep  # noqa: E402
from nearby import NEARBY, nearby  # noqa: E402
from nearby import ladders as nearby_ladders  # noqa: E402
from rule_ladders import LADDERS, RULES, ask, played  # noqa: E402
from told import TOLD, told  # noqa: E402
from told import ladders as told_ladders  # noqa: E402
from told_fates import FATES, fates, faults  # noqa: E402

from trioecho.model import Fact  # noqa: E402
from trioecho.render.script import write  # noqa: E402
from trioecho.tcp.rules import QUESTIONS  # noqa: E402
from trioecho.tcp.rules.catalogue import EXAMPLES, kind_of, rule_name, said  # noqa: E402
from trioecho.tcp.rules.kinds import facts  # noqa: E402

_SHOWN = 4  # segments of an example


def rules() -> str:
    """Each question with its rules in their order: kind, condition, sentence and source."""
    lines = []
    for number, question in enumerate(QUESTIONS, 1):
        how = "Each that fits" if question.every else "The first that fits"
        lines += [f"### {number}. {question.asks}", ""]
        if len(question.rules) > 1:
            lines += [f"{how} answers.", ""]
        lines += ["| kind | when | what is said | source |", "|---|---|---|---|"]
        for rule in question.rules:
            (fact, *_), rung = ask(rule, LADDERS[rule_name(rule)].fires)
            cells = (f"`{fact.kind}`", said(rule), f"*{fact.text(rung)}*", fact.source)
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
        lines.append("")
    return "\n".join(lines)


def examples() -> str:
    """An example of each rule, as JSON: what is said, by which source, a ladder's last lines."""
    made = {}
    for name, rule in RULES.items():
        (fact, *_), rung = ask(rule, LADDERS[name].fires)
        rungs = list(played(LADDERS[name].fires))
        ladder = write(rungs[-_SHOWN:], rungs[-_SHOWN - 1] if len(rungs) > _SHOWN else None)
        made[name] = {"says": fact.text(rung), "source": fact.source, "ladder": ladder.splitlines()}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def kinds() -> str:
    """Each kind of fact with the keys that its object has in JSON."""
    lines = ["| kind | its own keys | what it is |", "|---|---|---|"]
    seen: set[str] = set()
    for fact in sorted(facts(), key=kind_of):
        kind = kind_of(fact)
        if kind not in seen:
            seen.add(kind)
            keys = ", ".join(f"`{key}`" for key in fact.__struct_fields__)
            lines.append(f"| {' | '.join(map(_cell, (f'`{kind}`', keys, _whole(fact))))} |")
    return "\n".join([*lines, ""])


def _whole(fact: type[Fact]) -> str:
    """A docstring without the attributes that only its class has, and with the causes."""
    text = (inspect.getdoc(fact) or "").partition("\n\nAttributes:")[0]
    for cause in fact.__subclasses__():
        if "cause" in fact.__struct_fields__:
            name = inspect.signature(cause).parameters["cause"].default
            text += f"<br>`{name}`: {said(cause)}"
    return text


def _cell(text: str) -> str:
    """A text in one cell of a table; only what is ours stands in these."""
    return " ".join(_words(text)).replace("|", "\\|")


def _words(text: str) -> Iterator[str]:
    yield from text.replace("``", "`").split()


if __name__ == "__main__":
    EXAMPLES.write_text(examples(), "utf-8")
    keep(TOLD, {name: told(name) for name in told_ladders()})
    keep(NEARBY, {name: nearby(name) for name in nearby_ladders()})
    keep(FATES, {fault: fates(fault) for fault in faults()})
