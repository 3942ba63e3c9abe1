"""A Griffe extension for two conventions of this code.

A record (a ``msgspec.Struct``, a ``NamedTuple``) has no ``__init__`` to read: its annotated fields
are its parameters, and the ``Args`` section describes them. And ``client, server: the ends`` in a
docstring describes two parameters with one text.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_SHARED = re.compile(r"^( +)(\w+(?:, \w+)+): ", re.M)


class Records(griffe.Extension):
    """Gives records a signature, and splits shared docstring entries."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Split the shared entries of a docstring."""
        if obj.docstring:
            obj.docstring.value = _split(obj.docstring.value)

    def on_class(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """Give a record a signature with its fields."""
        if "__init__" in cls.members or "Args:" not in (
            cls.docstring.value if cls.docstring else ""
        ):
            return
        fields = [
            griffe.Parameter(
                name,
                annotation=member.annotation,
                default=member.value,
                kind=griffe.ParameterKind.positional_or_keyword,
            )
            for name, member in cls.members.items()
            if isinstance(member, griffe.Attribute) and member.annotation is not None
        ]
        init = griffe.Function("__init__", parameters=griffe.Parameters(*fields), returns="None")
        cls.set_member("__init__", init)


def _split(text: str) -> str:
    lines = []
    for line in text.splitlines():
        match = _SHARED.match(line)
        if match:
            indent, names = match.groups()
            rest = line[match.end() :]
            first, *others = names.split(", ")
            lines += [
                f"{indent}{name}: as ``{names.split(', ')[-1]}``." for name in (first, *others[:-1])
            ]
            lines.append(f"{indent}{others[-1]}: {rest}")
        else:
            lines.append(line)
    return "\n".join(lines)
