"""A memory that is bounded: programs that run for long must not make it grow."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def remember(known: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """Keep something, and forget what was kept first when there is too much."""
    known[key] = value
    if len(known) > most:
        known.popitem(last=False)
