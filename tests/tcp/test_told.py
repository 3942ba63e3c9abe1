"""What the engine tells of each ladder, and of others like it, is what it told before."""

from __future__ import annotations

from as_before import as_before
from nearby import NEARBY, nearby
from told import TOLD, told


def test_all_of_each_ladder() -> None:
    as_before(TOLD, told())


def test_what_is_told_nearby() -> None:
    as_before(NEARBY, nearby())
