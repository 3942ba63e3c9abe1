"""Typer without pydantic's import time, for plain values.

From 0.27 on, Typer converts each option's text with a pydantic adapter. To import pydantic takes as
long as a small program's whole round trip: 75 ms, to turn ``"3"`` into ``3``. Here, plain types are
converted by their own constructors. Whatever fails (a bad number) or is not plain (a choice, a
path) still goes through pydantic, so that every message remains Typer's. A Typer that keeps its
conversion elsewhere is left alone.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

_PLAIN = (str, int, float)


class _Shortcut:
    """Takes the place of a parameter's adapter, and makes the adapter only when needed."""

    def __init__(self, param: Any) -> None:
        self._param = param

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None and not (param.multiple or param.nargs == -1):
            return None
        descriptor = param.type_descriptor
        kind, bounds = descriptor.annotation, descriptor.parameter_info
        try:
            if kind == list[str] and isinstance(value, (list, tuple)):
                return [_exactly(str, item) for item in value]
            if kind in _PLAIN and bounds.parser is None:
                return _within(_exactly(kind, value), bounds.min, bounds.max)
        except ValueError:
            pass
        self._param._runtime_param = None
        return self._param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def _exactly(kind: type, value: object) -> object:
    """``value`` as a ``kind``, if Python and pydantic agree on it."""
    if type(value) is kind:
        return value
    if kind is not str and isinstance(value, str) and value.isascii() and "_" not in value:
        return kind(value)
    raise ValueError


def _within(value: Any, low: float | None, high: float | None) -> object:
    if (low is None or value >= low) and (high is None or value <= high):
        return value
    raise ValueError


def _lighten(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "_runtime_param", param) is None:  # the place exists and is empty
            param._runtime_param = _Shortcut(param)
    return params


class Command(TyperCommand):
    """A command that converts plain values without pydantic."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _lighten(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands that converts plain values without pydantic."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _lighten(super().get_params(ctx))
