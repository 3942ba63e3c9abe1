"""Marks are answered in the order in which they were asked for."""

from __future__ import annotations

from canned import Canned

from trioecho.stage.marks import Marks


async def test_an_empty_batch_answers_the_oldest() -> None:
    capture = Canned()
    marks = Marks[str](capture)
    assert not marks
    one, two = marks.ask("one"), marks.ask("two")
    assert capture.marks == 2
    assert marks
    assert marks.answered() == "one"
    assert (one.is_set(), two.is_set()) == (True, False)
    assert marks.answered() == "two"
    assert two.is_set()
    assert not marks


async def test_the_end_of_the_capture_answers_all() -> None:
    marks = Marks[int](Canned())
    events = [marks.ask(number) for number in range(3)]
    marks.end()
    assert all(event.is_set() for event in events)
    assert not marks
    marks.end()
