"""What ``trioecho lab`` says around a ladder: the list, the lesson's text, the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING

import msgspec

from trioecho.cli.output import encoded, say
from trioecho.cli.screen import has_colors
from trioecho.errors import TrioechoError
from trioecho.lessons.expected import difference, path_of
from trioecho.lessons.lesson import Lesson, read
from trioecho.lessons.shelf import find, names
from trioecho.render import Event, Renderer
from trioecho.render.colors import paint
from trioecho.text import plural, printable

if TYPE_CHECKING:
    from trioecho.lessons.performance import Performance
    from trioecho.model import Summary

_WIDEST = 88  # columns; longer lines of prose are hard to read


def list_names() -> int:
    """Print the names of all lessons, in the order in which they are best taken."""
    for name, _ in _lessons():
        say(name)
    return 0


def list_lessons() -> int:
    """Print all lessons as a table."""
    lessons = _lessons()
    longest = max((len(name) for name, _ in lessons), default=0)
    say(_strong(f"{'lesson':{longest}}  {'level':12}  takes  title"))
    for name, one in lessons:
        takes = f"{one.takes:g} s" if one.takes else ""
        say(f"{name:{longest}}  {one.level:12}  {takes:>5}  {one.title}")
    say("")
    say("trioecho lab NAME performs one.")
    return 0


def list_objects() -> int:
    """Print one JSON object a lesson: its number, name, title and level, the seconds it takes."""
    for name, one in _lessons():
        about = {"number": one.number, "name": name, "title": one.title, "level": one.level}
        say(msgspec.json.encode(about | {"takes": one.takes}).decode())
    return 0


class WithProse:
    """A renderer with the lesson's text around the ladder.

    Args:
        renderer: draws the ladder.
        lesson: the lesson.
        name: what it was called by.
        answer: whether to answer its question.
        stopped: whether the user has had enough.
    """

    def __init__(
        self,
        renderer: Renderer,
        lesson: Lesson,
        name: str,
        answer: bool,
        stopped: Callable[[], bool],
    ) -> None:
        self._renderer = renderer
        self._lesson = lesson
        self._name = name
        self._answer = answer
        self._stopped = stopped

    def begin(self) -> bytes:
        """The introduction, and what the renderer begins with."""
        return b"".join(map(encoded, prologue(self._lesson))) + self._renderer.begin()

    def show(self, events: Sequence[Event]) -> bytes:
        """As the renderer shows it."""
        return self._renderer.show(events)

    def end(self, summary: Summary) -> bytes:
        """What the renderer ends with; what to notice, and the question."""
        end = self._renderer.end(summary)
        if self._stopped():
            return end
        return end + b"".join(map(encoded, epilogue(self._lesson, self._name, self._answer)))


def prologue(lesson: Lesson) -> Iterator[str]:
    """The lines that stand before the ladder."""
    takes = f", takes {lesson.takes:g} s" if lesson.takes else ""
    yield f"{_strong(printable(lesson.title))} ({lesson.level}{takes})"
    yield ""
    yield from _paragraphs(lesson.introduction)
    yield ""


def epilogue(lesson: Lesson, name: str, answer: bool) -> Iterator[str]:
    """The lines that stand behind the ladder.

    Args:
        lesson: the lesson.
        name: what it was called by.
        answer: whether to answer the question.
    """
    yield ""
    yield _strong("What to notice")
    for point in lesson.notice:
        yield from _paragraphs(point, "- ")
    yield ""
    yield _strong("A question")
    yield from _paragraphs(lesson.question)
    yield ""
    if answer:
        yield _strong("The answer")
        yield from _paragraphs(lesson.answer)
    else:
        yield f"The answer: trioecho lab {printable(name)} --answer"
    yield ""
    yield from _paragraphs("Where it stands: " + ", ".join(lesson.rfc))


def judge(path: Path, performance: Performance, tell: Callable[[str], None]) -> None:
    """Compare what happened with the lesson's ladder and with the kernels, and say so.

    Args:
        path: the lesson's file.
        performance: what happened.
        tell: takes each line that is to be said.

    Raises:
        TrioechoError: they do not agree; the ndiff has been told.
    """
    ladder = path_of(path)
    if diff := difference(ladder, performance.rungs):
        for line in diff.splitlines():
            tell(printable(line))
        raise TrioechoError(f"What happened is not what {ladder.name} says")
    if sentences := (*performance.disagreements, *performance.summary.unmatched):
        raise TrioechoError("; ".join(sentences))
    count = plural(len(performance.rungs), "segment")
    tell(f"As in {ladder.name}: {count}, and both kernels agree")


def _lessons() -> list[tuple[str, Lesson]]:
    found = [(name, read(find(name))) for name in names()]
    return sorted(found, key=lambda one: (one[1].number, one[0]))


def _paragraphs(text: str, mark: str = "") -> Iterator[str]:
    """A text's lines, filled; an empty line parts its paragraphs."""
    width = min(get_terminal_size((80, 24)).columns, _WIDEST)
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        words = printable(" ".join(paragraph.split()))
        yield from wrap(words, width, initial_indent=mark, subsequent_indent=" " * len(mark))


def _strong(text: str) -> str:
    return paint(text, "strong") if has_colors() else text
