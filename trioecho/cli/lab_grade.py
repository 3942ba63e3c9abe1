"""``trioecho lab NAME --grade FILE``: a student's ladder, marked."""

from __future__ import annotations

from pathlib import Path

from trioecho.cli import prose
from trioecho.cli.stdout import say
from trioecho.errors import TrioechoError
from trioecho.lessons.expected import path_of
from trioecho.lessons.grading import Mark, grade, read_submission
from trioecho.lessons.shelf import find
from trioecho.text import plural


def show_grade(name: str, submission: Path) -> int:
    """Print the marks of a submission, rung by rung, and its points.

    Returns:
        0 if all of it is right, 1 otherwise.

    Raises:
        TrioechoError: there is no such lesson or file, the lesson has no ladder, or the submission
            is not valid.
    """
    ladder = path_of(find(name))
    try:
        expected = ladder.read_text("utf-8")
    except OSError as error:
        what = f"The lesson {name!r} has no ladder to mark by: {str(ladder)!r}: {error.strerror}"
        raise TrioechoError(what, f"`trioecho lab {name} --write` makes one") from None
    marks = grade(read_submission(submission), expected, repr(str(submission)))
    for mark in marks:
        for line in prose.paragraphs(_said(mark), "  "):
            say(line)
    rungs = sum(mark.rung is not None for mark in marks)
    points, extra = sum(mark.points for mark in marks), sum(mark.rung is None for mark in marks)
    beside = f"; {plural(extra, 'line')} too many" if extra else ""
    say(prose.strong(f"{points} of {plural(rungs, 'point')}{beside}"))
    return int(points < rungs or bool(extra))


def _said(mark: Mark) -> str:
    """A mark in a line: where, and what is wrong."""
    places = [f"rung {mark.rung}"] if mark.rung is not None else []
    places += [f"line {mark.line}"] if mark.line is not None else []
    return f"{', '.join(places)}: {'; '.join(mark.faults) or 'right'}"
