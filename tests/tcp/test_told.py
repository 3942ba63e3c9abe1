"""What the engine tells of each ladder is what it told before."""

from __future__ import annotations

from difflib import unified_diff

from told import TOLD, told


def test_all_is_told_as_before() -> None:
    before, now = TOLD.read_text("utf-8"), told()
    if now != before:
        changed = unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="")
        raise AssertionError("\n".join(["read this, and run `make examples`:", *changed]))
