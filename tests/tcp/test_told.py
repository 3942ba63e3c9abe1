"""What the engine tells of each ladder, and of others like it, is what it told before."""

from __future__ import annotations

from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

import pytest
from nearby import NEARBY, nearby
from told import TOLD, told


@pytest.mark.parametrize(("path", "tell"), [(TOLD, told), (NEARBY, nearby)])
def test_all_is_told_as_before(path: Path, tell: Callable[[], str]) -> None:
    before, now = path.read_text("utf-8"), tell()
    if now != before:
        changed = unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="")
        raise AssertionError("\n".join(["read this, and run `make examples`:", *changed]))
