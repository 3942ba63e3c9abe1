"""Each lesson on the kernel of the day, held against its ladder, the kernel and tshark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from frames import REPETITIONS
from shark import shark

from trioecho.lessons.expected import difference, path_of
from trioecho.lessons.lesson import read
from trioecho.lessons.performance import perform_lesson
from trioecho.lessons.shelf import FOLDER, SUFFIX
from trioecho.model import FIN, SYN, Rung
from trioecho.render import FORMATS, Setting
from trioecho.stage.outputs import Output

LESSONS = sorted(FOLDER.glob(f"*{SUFFIX}"))
FIELDS = ("frame.number", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.len")


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
async def test_a_lesson_comes_to_its_ladder(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "lesson.pcapng"
    with file.open("wb") as stream:

        def write(data: bytes) -> None:
            stream.write(data)

        performance = await perform_lesson(
            read(path),
            lambda title, interfaces: [
                Output(
                    FORMATS["pcapng"](Setting(title=title, interfaces=interfaces)),
                    write,
                )
            ],
        )
    assert difference(path_of(path), performance.rungs) == ""
    assert performance.disagreements == ()
    assert performance.summary.unmatched == ()
    assert not performance.stopped
    assert by_wireshark(file) == [numbers(rung) for rung in performance.rungs]
    for lost, again in repeated(performance.rungs):
        of = [note.of for note in again.notes if isinstance(note, REPETITIONS)]
        assert of == [lost.number], f"rung {again.number} repeats {lost.number}, which was lost"


def repeated(rungs: Sequence[Rung]) -> Iterator[tuple[Rung, Rung]]:
    """Each segment whose first transmission the wire lost, and every later transmission of it."""
    first: dict[tuple[object, ...], Rung] = {}
    for rung in rungs:
        if rung.segment.length or rung.segment.flags & (SYN | FIN):
            key = (rung.connection, rung.sender, rung.seq, rung.segment.space)
            if first.setdefault(key, rung) is not rung and first[key].lost:
                yield first[key], rung


def numbers(rung: Rung) -> tuple[int, ...]:
    segment = rung.segment
    return (segment.frame.number, segment.flags, segment.seq, segment.ack or 0, segment.length)


def by_wireshark(file: Path) -> list[tuple[int, ...]]:
    """What Wireshark reads of each frame."""
    return [tuple(int(word, 0) for word in row) for row in shark(file, FIELDS)]


def test_each_lesson_has_a_ladder_and_each_ladder_a_lesson() -> None:
    assert LESSONS
    assert {path.stem for path in FOLDER.glob("*.ladder")} == {path.stem for path in LESSONS}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_what_each_lesson_says(path: Path) -> None:
    """Enough to learn from, none of it too long."""
    lesson = read(path)
    assert 2 <= len(lesson.introduction.strip().splitlines()) <= 8
    assert 3 <= len(lesson.notice) <= 5
    assert lesson.question.strip().endswith("?")
    assert len(lesson.answer) > 100
    assert lesson.rfc
    assert all(source.startswith("RFC ") for source in lesson.rfc)
    assert lesson.takes < 15
    assert lesson.number > 0


def test_no_two_lessons_have_one_number() -> None:
    places = [read(path).number for path in LESSONS]
    assert len(places) == len(set(places))
