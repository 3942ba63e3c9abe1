"""Typer without the price of pydantic, for values that are plain.

From 0.27 on Typer turns each option's text into its type through a pydantic adapter. Importing
pydantic takes as long as the whole round trip of a small program: 75 ms, to make ``3`` of ``"3"``.
For the plain types that need no more than their own constructor, it is done here; whatever does not
succeed at once (a bad number, a choice, a path to be checked) goes the long way, so that every
message stays Typer's. A Typer that keeps its conversion elsewhere is left alone.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

_PLAIN = (str, int, float)


class _Shortcut:
    """Stands where a parameter keeps its adapter, and makes that only when it needs it."""

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
    """``value`` as a ``kind``, when both Python and pydantic would make the same of it."""
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
        if getattr(param, "_runtime_param", param) is None:  # it has the place, and it is empty
            param._runtime_param = _Shortcut(param)
    return params


class Command(TyperCommand):
    """A command whose plain values need no pydantic."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _lighten(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands whose plain values need no pydantic."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _lighten(super().get_params(ctx))
