"""The names of what can be found, as they stand in JSON and in a ladder."""

from __future__ import annotations

from typing import get_args

from msgspec.structs import fields

from trioecho.model import Fact
from trioecho.tcp.rules import loss


def facts() -> list[type[Fact]]:
    """All that a rule can find: the class of each fact."""
    found = Fact.__subclasses__()
    for fact in found:
        found += fact.__subclasses__()
    return [fact for fact in found if fact.__module__.startswith(f"{__package__}.")]


def kinds() -> frozenset[str]:
    """The kinds of facts, as they stand in JSON and in a ladder."""
    return frozenset(str(fact.__struct_config__.tag) for fact in facts())


def causes() -> frozenset[str]:
    """The causes that facts have, as they stand in JSON."""
    defaults = (
        field.default for fact in facts() for field in fields(fact) if field.name == "cause"
    )
    return frozenset(
        (*get_args(loss.DuplicateAckCause), *(one for one in defaults if isinstance(one, str)))
    )
