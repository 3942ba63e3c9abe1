"""What the engine tells of each ladder, and of others like it, is what it told before."""

from __future__ import annotations

import nearby
import pytest
import told
from as_before import as_before, kept


@pytest.mark.parametrize("name", told.ladders())
def test_all_of_each_ladder(name: str) -> None:
    as_before(told.TOLD, name, told.told(name))


@pytest.mark.parametrize("name", nearby.ladders())
def test_what_is_told_nearby(name: str) -> None:
    as_before(nearby.NEARBY, name, nearby.nearby(name))


def test_nothing_else_is_kept() -> None:
    assert list(kept(told.TOLD)) == list(told.ladders())
    assert list(kept(nearby.NEARBY)) == list(nearby.ladders())
