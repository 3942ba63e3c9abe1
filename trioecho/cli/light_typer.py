"""Typer without pydantic's import time, and with errors in plain words, in one line.

From 0.27 on, Typer converts each option's text with a pydantic adapter. To import pydantic takes as
long as a small program's whole round trip: 75 ms, to turn ``"3"`` into ``3``. Here, plain types,
choices and paths are converted by their own constructors. Whatever fails still goes through
pydantic, since it accepts more, ``1_000`` for instance. An older Typer converts by click's types,
and keeps those; but what is wrong with a value is said in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from enum import Enum
from functools import partial
from inspect import cleandoc
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

# Typer's own copy of click has it, or click itself.
_UsageError: Any = typer.BadParameter.__base__


class _Shortcut:
    """Takes the place of a parameter's adapter, and makes the adapter only when needed."""

    def __init__(self, param: Any) -> None:
        self._param = param

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        descriptor = param.type_descriptor
        kind, limits = descriptor.annotation, descriptor.parameter_info
        try:
            if get_origin(kind) is list and isinstance(value, (list, tuple)):
                (kind,) = get_args(kind)
                return [_exactly(kind, item) for item in value]
            if limits.parser is None:
                return _within(_exactly(kind, value), limits.min, limits.max)
        except ValueError:
            pass
        self._param._runtime_param = None
        try:
            return self._param.get_runtime_param().coerce(value, param=param, ctx=ctx)
        except typer.BadParameter as error:
            error.message = _complaint(kind, value, limits.min, limits.max) or error.message
            raise


def _exactly(kind: Any, value: object) -> object:
    """``value`` as a ``kind``, if that is what pydantic would make of it too."""
    if type(value) is kind:
        return value
    if isinstance(value, str):
        if kind is Path or (isinstance(kind, type) and issubclass(kind, Enum)):
            return kind(value)
        if kind in (int, float) and value.isascii() and "_" not in value:
            return kind(value)
    raise ValueError


def _within(value: Any, low: float | None, high: float | None) -> object:
    if (low is None or value >= low) and (high is None or value <= high):
        return value
    raise ValueError


def _complaint(kind: Any, value: object, low: float | None, high: float | None) -> str:
    """Why a value is not valid; an empty string if Typer must say it."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _not_one_of(value, [str(one.value) for one in kind])
    if kind not in (int, float):
        return ""
    number = "a whole number" if kind is int else "a number"
    limits = ""
    if low is not None:
        limits = f" of at least {low:,}" if high is None else f" from {low:,} to {high:,}"
    return f"{value!r} is not {number}{limits}"


def _not_one_of(value: object, choices: Sequence[str]) -> str:
    *others, last = choices
    return f"{value!r} is not valid; use {', '.join(others)}{' or ' if others else ''}{last}"


def _in_plain_words(kind: Any) -> Any:
    """One of click's types, whose complaints are ours."""
    if "convert" in vars(kind):
        return kind
    told = copy(kind)

    def convert(value: Any, param: Any, ctx: Any) -> Any:
        try:
            made = kind.convert(value, param, ctx)
        except typer.BadParameter as error:
            error.message = _complaint_of(kind, str(value)) or error.message
            raise
        if made != made:  # not a number, but in each range
            raise typer.BadParameter(_complaint_of(kind, str(value)), ctx, param)
        return made

    told.convert = convert
    return told


def _complaint_of(kind: Any, value: str) -> str:
    """Why a value is not valid for one of click's types; an empty string if that must say it."""
    if choices := getattr(kind, "choices", ()):
        return _not_one_of(value, [str(getattr(one, "value", one)) for one in choices])
    numbers = {"int": int, "integer": int, "float": float}  # as releases of click name them
    number = numbers.get(str(kind.name).removesuffix(" range"))
    return _complaint(number, value, getattr(kind, "min", None), getattr(kind, "max", None))


def _lighten(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""  # a newer Typer would show <bool>
        if param.param_type_name == "argument":
            param.get_usage_pieces = partial(_usage, param)
        if not hasattr(param, "_runtime_param"):
            param.type = _in_plain_words(param.type)
        elif param._runtime_param is None:
            param._runtime_param = _Shortcut(param)
    return params


def _usage(param: Any, ctx: Any) -> list[str]:
    """An argument in a usage line, the same whatever Typer: ``NAME``, ``[NAME]``, ``[NAME]...``."""
    name = param.metavar or param.name.upper()
    return [f"{name if param.required else f'[{name}]'}{'' if param.nargs == 1 else '...'}"]


def _unwrapped(text: str) -> str:
    """A docstring for a terminal of any width: paragraphs are joined, indented examples are not."""
    paragraphs = cleandoc(text).split("\n\n")
    return "\n\n".join(one if one[0] == " " else " ".join(one.split("\n")) for one in paragraphs)


class Command(TyperCommand):
    """A command that converts plain values without pydantic, and whose help fits the terminal."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.help = self.help and _unwrapped(self.help)

    def get_params(self, ctx: Any) -> list[Any]:
        return _lighten(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands that converts plain values without pydantic.

    A wrong command line is told in one line, like every other error, with exit code 2.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        return _lighten(super().get_params(ctx))

    def make_context(self, info_name: Any, args: list[str], *rest: Any, **extra: Any) -> Any:
        if not args:
            return super().make_context(info_name, args, *rest, **extra)  # shows the help
        with _one_line(f"{info_name}"):
            return super().make_context(info_name, args, *rest, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _one_line(ctx.command_path):
            return super().invoke(ctx)


@contextmanager
def _one_line(command: str) -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        from trioecho.cli.runner import refuse
        from trioecho.errors import TrioechoError

        asked = getattr(error.ctx, "command_path", command)
        what = " ".join(error.format_message().split()).rstrip(".")
        refuse(TrioechoError(what, f"`{asked} --help` shows what is possible"))
