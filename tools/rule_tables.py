"""The rules as tables, from the tuples in which they are asked and the ladders that fire them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from rule_ladders import LADDERS, RULES, ask

from trioecho.model import Fact
from trioecho.tcp.rules import QUESTIONS, facts


def rules() -> str:
    """Each question with its rules in their order: kind, condition, sentence and source."""
    names = {rule: name for name, rule in RULES.items()}
    lines = []
    for number, question in enumerate(QUESTIONS, 1):
        how = "Each that fits" if question.every else "The first that fits"
        lines += [f"### {number}. {question.asks}", ""]
        if len(question.rules) > 1:
            lines += [f"{how} answers.", ""]
        lines += ["| kind | when | what is said | source |", "|---|---|---|---|"]
        for rule in question.rules:
            (fact, *_), rung = ask(rule, LADDERS[names[rule]].fires)
            cells = (f"`{fact.kind}`", _said(rule), f"*{fact.text(rung)}*", fact.source)
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
        lines.append("")
    return "\n".join(lines)


def kinds() -> str:
    """Each kind of fact with the keys that its object has in JSON."""
    lines = ["| kind | its own keys | what it is |", "|---|---|---|"]
    seen: set[str] = set()
    for fact in sorted(facts(), key=lambda one: str(one.__struct_config__.tag)):
        kind = str(fact.__struct_config__.tag)
        if kind not in seen:
            seen.add(kind)
            keys = ", ".join(f"`{key}`" for key in fact.__struct_fields__)
            lines.append(f"| {' | '.join(map(_cell, (f'`{kind}`', keys, _whole(fact))))} |")
    return "\n".join([*lines, ""])


def _said(thing: object) -> str:
    """The first paragraph of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n\n")[0]


def _whole(fact: type[Fact]) -> str:
    """A docstring without the attributes that only its class has, and with the causes."""
    text = (inspect.getdoc(fact) or "").partition("\n\nAttributes:")[0]
    for cause in fact.__subclasses__():
        if "cause" in fact.__struct_fields__:
            name = inspect.signature(cause).parameters["cause"].default
            text += f"<br>`{name}`: {_said(cause)}"
    return text


def _cell(text: str) -> str:
    """A text in one cell of a table; only what is ours stands in these."""
    return " ".join(_words(text)).replace("|", "\\|")


def _words(text: str) -> Iterator[str]:
    yield from text.replace("``", "`").split()
