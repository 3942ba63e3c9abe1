"""All lessons that come with trioecho, and what each of them shows."""

from __future__ import annotations

from trioecho.faults.fault import Fault
from trioecho.faults.faults import parse
from trioecho.lessons.lesson import Lesson, read
from trioecho.lessons.shelf import find, names


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
