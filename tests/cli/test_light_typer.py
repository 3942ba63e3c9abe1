"""A wrong value is told in the same words, whichever Typer is installed."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from programs import trioecho

from trioecho.cli.light_typer import _lighten


class Number:
    """A type of click's, as an older Typer has it."""

    def __init__(self, name: str, kind: type, **limits: float) -> None:
        self.name, self.kind = name, kind
        self.min, self.max = limits.get("min"), limits.get("max")

    def convert(self, value: str, param: Any, ctx: Any) -> Any:
        try:
            number = self.kind(value)
        except ValueError:
            raise typer.BadParameter(f"{value!r} is not a valid {self.name}") from None
        if (self.min is not None and number < self.min) or (
            self.max is not None and number > self.max
        ):
            raise typer.BadParameter("it is not in the range")
        return number


class Choice:
    """The same, of words."""

    name = "choice"

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        if value not in self.choices:
            raise typer.BadParameter("it is not one of them")
        return value


class Other:
    """One that has no words of ours."""

    name = "path"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        raise typer.BadParameter("there is no such file")


class Parameter:
    """An option of an older Typer, which has no adapter."""

    param_type_name = "option"

    def __init__(self, kind: Any) -> None:
        self.type = kind


PORT = Number("int range", int, min=0, max=65535)


def converted(kind: Any, value: str) -> Any:
    option = Parameter(kind)
    _lighten(_lighten([option]))
    return option.type.convert(value, None, None)


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        (PORT, "x", "'x' is not a whole number from 0 to 65,535"),
        (PORT, "65536", "'65536' is not a whole number from 0 to 65,535"),
        (Number("integer", int), "1.5", "'1.5' is not a whole number"),
        (Number("integer range", int, min=1), "0", "'0' is not a whole number of at least 1"),
        (Number("float range", float, min=0), "-1", "'-1' is not a number of at least 0"),
        (Number("float range", float, min=0), "nan", "'nan' is not a number of at least 0"),
        (Choice("fin", "rst", "half"), "x", "'x' is not valid; use fin, rst or half"),
        (Choice("trouble"), "fun", "'fun' is not valid; use trouble"),
        (Other(), "x", "there is no such file"),
    ],
)
def test_what_is_wrong_with_a_value(kind: Any, value: str, says: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        converted(kind, value)
    assert caught.value.message == says


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [(PORT, "65535", 65535), (Choice("a"), "a", "a"), (Number("float", float), "1", 1.0)],
)
def test_what_is_right_is_converted(kind: Any, value: str, made: object) -> None:
    assert converted(kind, value) == made


@pytest.mark.parametrize(
    ("command", "usage"),
    [("serve", "[ADDRESS]..."), ("read", "FILE..."), ("lab", "[NAME]"), ("explain", "[NOTE]...")],
)
def test_a_usage_line_says_how_many_there_may_be(command: str, usage: str) -> None:
    shown = trioecho(command, "--help").stdout.decode()
    assert f" {command} [OPTIONS] {usage} " in shown
