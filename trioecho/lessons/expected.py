"""A lesson's expected ladder: written from one performance, and compared with others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from trioecho.errors import TrioechoError
from trioecho.lessons.lesson import Lesson
from trioecho.model import Rung
from trioecho.render.notation import LadderLine
from trioecho.render.script import compare, line

SUFFIX = ".ladder"
# Shorter times are the machine's; TCP's timers take longer.
_TIMED = 150_000_000
# A timer of the kernel is seldom exact, and a busy machine is late: half of it, and no less than
# this many nanoseconds. A time that has doubled is still seen.
SHARE, TOLERANCE = 0.5, 100_000_000


def path_of(lesson: Path) -> Path:
    """The path of a lesson's ladder: beside the lesson."""
    return lesson.with_suffix(SUFFIX)


def difference(path: Path, rungs: Sequence[Rung]) -> str:
    """Compare what happened with the expected ladder.

    Raises:
        TrioechoError: the ladder cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise TrioechoError(f"Cannot read {str(path)!r}: {why}") from None
    return compare(text, rungs, TOLERANCE, SHARE)


def written(lesson: Lesson, rungs: Sequence[Rung]) -> str:
    """What happened, as the ladder for later comparisons."""
    previous: Rung | None = None
    lines = [f"# {lesson.title}\n"]
    for rung in rungs:
        lines.append(f"{_stable(lesson, rung, previous)}\n")
        previous = rung
    return "".join(lines)


def write_ladder(path: Path, lesson: Lesson, rungs: Sequence[Rung]) -> None:
    """Write the ladder for later comparisons.

    Raises:
        TrioechoError: the file cannot be written.
    """
    try:
        path.write_text(written(lesson, rungs), encoding="utf-8")
    except OSError as error:
        raise TrioechoError(f"Cannot write {str(path)!r}: {error.strerror}") from None


def _stable(lesson: Lesson, rung: Rung, previous: Rung | None) -> LadderLine:
    full = line(rung, previous)
    long = previous is not None and full.delta is not None and full.delta >= _TIMED
    options = None
    if full.options and "options" in lesson.compare:
        # The window scale depends on how much memory the machine has.
        words = [word for word in full.options.split(",") if not word.startswith("wscale")]
        options = ",".join(words)
    return replace(
        full,
        flags=full.flags.replace("P", "") if full.length else full.flags,
        delta=round(full.delta or 0, -7) if long and "times" in lesson.compare else None,
        window=full.window if "windows" in lesson.compare else None,
        options=options,
    )
