"""All lessons that come with trioecho, and what each of them shows."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from trioecho.faults.fault import Fault
from trioecho.faults.faults import parse
from trioecho.lessons.expected import path_of
from trioecho.lessons.lesson import Lesson, read
from trioecho.lessons.shelf import find, names
from trioecho.render.notation import parse as parse_ladder


@cache
def lessons() -> list[tuple[str, Lesson]]:
    """The names of all lessons and the lessons, in the recommended order."""
    found = [(name, read(find(name))) for name in names()]
    return sorted(found, key=lambda one: (one[1].number, one[0]))


def with_fault(*faults: type[Fault]) -> list[str]:
    """The names of the lessons that use one of these faults, in the recommended order."""
    return [
        name
        for name, one in lessons()
        if any(isinstance(parse(text), faults) for text in one.faults)
    ]


def with_note(note: str) -> list[str]:
    """The names of the lessons whose ladder has a note.

    Args:
        note: its kind; for a reset also its cause, as in ``connection-rst refused``.
    """
    return [name for name, _ in lessons() if _has(path_of(find(name)), note)]


def naming(word: str, most: int = 5) -> list[str]:
    """The names of the lessons whose prose has a word, those that have it most often first."""
    whole = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
    counts = {name: len(whole.findall(_prose(one))) for name, one in lessons()}
    found = [name for name, count in counts.items() if count]
    return sorted(found, key=lambda name: -counts[name])[:most]


def title(name: str) -> str:
    """A lesson's title."""
    return read(find(name)).title


def _has(ladder: Path, note: str) -> bool:
    return any(f"{one} ".startswith(f"{note} ") for one in _notes(ladder))


@cache
def _notes(ladder: Path) -> frozenset[str]:
    lines = parse_ladder(ladder.read_text("utf-8")) if ladder.exists() else ()
    return frozenset(one for line in lines for one in (line.notes or "").split(", "))


def _prose(one: Lesson) -> str:
    return "\n".join((one.title, one.introduction, *one.notice, one.question, one.answer))
