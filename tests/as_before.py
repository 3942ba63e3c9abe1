"""Texts that are kept, and compared with what is told now."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path


def as_before(path: Path, now: str) -> None:
    """Fail, and show what has changed, if a text is not the one that is kept."""
    before = path.read_text("utf-8")
    if now != before:
        changed = unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="")
        raise AssertionError("\n".join(["read this, and run `make examples`:", *changed]))
