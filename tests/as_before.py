"""Texts that are kept in sections, and compared with what is told now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import unified_diff
from functools import cache
from pathlib import Path

_MARK = "== "


def keep(path: Path, sections: Mapping[str, Iterable[str]]) -> None:
    """Write the lines of each section."""
    lines = [line for name, told in sections.items() for line in (f"{_MARK}{name}", *told)]
    path.write_text("\n".join([*lines, ""]), "utf-8")


@cache
def kept(path: Path) -> dict[str, list[str]]:
    """The lines of each section."""
    text = path.read_text("utf-8").removeprefix(_MARK)
    parts = [part.rstrip("\n").split("\n") for part in text.split(f"\n{_MARK}")]
    return {name: lines for name, *lines in parts}


def as_before(path: Path, name: str, told: Iterable[str]) -> None:
    """Fail, and show what has changed, if a section is not as it is kept."""
    before, now = kept(path).get(name, []), list(told)
    if now != before:
        changed = unified_diff(before, now, "before", "now", lineterm="")
        raise AssertionError("\n".join(["read this, and run `make examples`:", *changed]))
