"""A bounded memory: it must not grow with a long run."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def remember(known: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """Keep an item, and drop the oldest when there are too many."""
    known[key] = value
    if len(known) > most:
        known.popitem(last=False)
