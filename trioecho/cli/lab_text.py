"""The text of ``trioecho lab`` around a ladder: the list, the lesson's prose, the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trioecho.cli.prose import paragraphs, strong, typed
from trioecho.cli.stdout import encoded, say, width
from trioecho.errors import TrioechoError
from trioecho.lessons.catalogue import lessons
from trioecho.lessons.expected import difference, path_of
from trioecho.lessons.lesson import Lesson, read
from trioecho.lessons.shelf import FOLDER, find
from trioecho.render import Event, Renderer
from trioecho.text import plural, printable

if TYPE_CHECKING:
    from trioecho.lessons.performance import Performance
    from trioecho.model import Summary


def list_names() -> int:
    """Print the names of all lessons, in the recommended order."""
    for name, _ in lessons():
        say(name)
    return 0


def list_lessons() -> int:
    """Print all lessons as a table."""
    found = lessons()
    longest = max((len(name) for name, _ in found), default=0)
    heading = f"{'lesson':{longest}}  {'level':12}  takes  title"
    if len(heading) <= width():
        say(strong(heading))
    for name, one in found:
        takes = f"{one.takes:g} s" if one.takes else ""
        row = f"{name:{longest}}  {one.level:12}  {takes:>5}  {one.title}"
        if len(row) <= width():
            say(row)
            continue
        say(name)
        about = ", ".join(filter(None, (one.level, takes)))
        for line in paragraphs(f"{one.title} ({about})", "  "):
            say(line)
    say("")
    say("To run one: trioecho lab NAME")
    for line in typed(f"To write your own, copy one of {FOLDER}", 0):
        say(line)
    return 0


def list_objects() -> int:
    """Print a JSON object for each lesson."""
    for name, one in lessons():
        about = {"number": one.number, "name": name, "title": one.title, "level": one.level}
        say(msgspec.json.encode(about | {"takes": one.takes}).decode())
    return 0


def show_answer(name: str) -> int:
    """Print a lesson's question, and the answer to it.

    Raises:
        TrioechoError: there is no such lesson, or it is not valid.
    """
    lesson = read(find(name))
    answer = [strong("The answer"), *paragraphs(lesson.answer), ""]
    for line in (*_question(lesson), *answer, *_references(lesson)):
        say(line)
    return 0


class WithProse:
    """A renderer with the lesson's prose around the ladder."""

    def __init__(
        self,
        renderer: Renderer,
        lesson: Lesson,
        name: str,
        stopped: Callable[[], bool],
    ) -> None:
        self._renderer = renderer
        self._lesson = lesson
        self._name = name
        self._stopped = stopped
        self.show: Callable[[Sequence[Event]], bytes] = renderer.show

    def begin(self) -> bytes:
        return b"".join(map(encoded, prologue(self._lesson))) + self._renderer.begin()

    def end(self, summary: Summary) -> bytes:
        end = self._renderer.end(summary)
        if self._stopped():
            return end
        return end + b"".join(map(encoded, epilogue(self._lesson, self._name)))


def prologue(lesson: Lesson) -> Iterator[str]:
    """The lines above the ladder."""
    takes = f", takes {lesson.takes:g} s" if lesson.takes else ""
    yield from map(strong, paragraphs(f"{lesson.title} ({lesson.level}{takes})"))
    yield ""
    yield from paragraphs(lesson.introduction)
    yield ""


def epilogue(lesson: Lesson, name: str) -> Iterator[str]:
    """The lines below the ladder."""
    yield ""
    yield strong("What to notice")
    for point in lesson.notice:
        yield from paragraphs(point, "- ")
    yield ""
    yield from _question(lesson)
    yield from paragraphs(f"The answer: trioecho lab {name} --answer")
    yield ""
    yield from _references(lesson)


def _question(lesson: Lesson) -> Iterator[str]:
    yield strong("A question")
    yield from paragraphs(lesson.question)
    yield ""


def _references(lesson: Lesson) -> Iterator[str]:
    yield from paragraphs("References: " + ", ".join(lesson.rfc))


def compare(path: Path, performance: Performance, tell: Callable[[str], None]) -> None:
    """Compare a performance with the lesson's ladder and with the kernels, and tell the result.

    Raises:
        TrioechoError: they differ; the differences have been told.
    """
    ladder = path_of(path)
    if diff := difference(ladder, performance.rungs):
        for line in diff.splitlines():
            tell(printable(line))
        raise TrioechoError(f"What happened differs from {ladder.name}")
    if sentences := (*performance.disagreements, *performance.summary.unmatched):
        raise TrioechoError("; ".join(sentences))
    count = plural(len(performance.rungs), "segment")
    tell(f"As in {ladder.name}: {count}, and both kernels agree")
