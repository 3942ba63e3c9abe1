"""What can be found of a segment, by kind: its meaning, and the rules that find it. PURE.

It is read from the questions, the rules and the classes of facts, so it knows a new rule by itself.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import NamedTuple, cast, get_type_hints

import msgspec

from trioecho.model import Fact
from trioecho.tcp.rules import QUESTIONS
from trioecho.tcp.rules.kinds import facts
from trioecho.tcp.rules.resets import ConnectionRst
from trioecho.tcp.step import Rule

#: An example of each rule: ``make examples`` plays its ladder of the tests.
EXAMPLES = Path(__file__).with_name("examples.json")


class Example(msgspec.Struct, frozen=True):
    """What a rule looks like.

    Args:
        says: the sentence.
        source: the section that states what is behind it.
        ladder: the last segments of a ladder, in the ``.ladder`` notation.
    """

    says: str
    source: str
    ladder: tuple[str, ...]


class Found(NamedTuple):
    """One rule, and what it finds.

    Args:
        name: its module and its own name, such as ``loss.lost_segment``.
        asks: the question that it answers.
        when: its condition.
        fact: the class of what it finds.
    """

    name: str
    asks: str
    when: str
    fact: type[Fact]

    @property
    def kind(self) -> str:
        """The kind of what it finds."""
        return kind_of(self.fact)


def rule_name(rule: Rule) -> str:
    """A rule's module and its own name."""
    return f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}"


def found() -> list[Found]:
    """Every rule, in the order in which they are asked, the first question of each."""
    rules = {rule: question.asks for question in reversed(QUESTIONS) for rule in question.rules}
    order = dict.fromkeys(rule for question in QUESTIONS for rule in question.rules)
    return [Found(rule_name(rule), rules[rule], said(rule), _result(rule)) for rule in order]


def examples() -> dict[str, Example]:
    """An example of each rule by its name."""
    return msgspec.json.decode(EXAMPLES.read_bytes(), type=dict[str, Example])


def kind_of(fact: type[Fact]) -> str:
    """A fact's kind."""
    return str(fact.__struct_config__.tag)


def whole(kind: str) -> type[Fact]:
    """The class of a kind; others may be special cases of it."""
    return next(fact for fact in facts() if kind_of(fact) == kind)


def causes() -> dict[str, type[ConnectionRst]]:
    """Why a reset was sent: the classes by their ``cause``."""
    every = [fact for fact in facts() if issubclass(fact, ConnectionRst)]
    named = {cause_of(fact): fact for fact in reversed(every)}
    return {name: fact for name, fact in named.items() if name}


def cause_of(fact: type[Fact]) -> str:
    """The cause that a class of resets stands for; ``""`` for any other class."""
    if not issubclass(fact, ConnectionRst):
        return ""
    default = inspect.signature(fact).parameters["cause"].default
    return default if isinstance(default, str) else ""


def said(thing: object) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def _result(rule: Rule) -> type[Fact]:
    """What a rule is declared to find, apart from None."""
    hint = get_type_hints(rule)["return"]
    (fact,) = (one for one in hint.__args__ if issubclass(one, Fact))
    return cast(type[Fact], fact)
