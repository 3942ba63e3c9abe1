"""Marks: an empty batch answers the oldest."""

from __future__ import annotations

from typing import cast

from trioecho.capture import Capture
from trioecho.stage.marks import Marks


class Asked:
    """Counts the marks that it is asked for."""

    def __init__(self) -> None:
        self.count = 0

    def mark(self) -> None:
        self.count += 1


def test_each_is_answered_in_turn_with_what_was_known() -> None:
    capture = Asked()
    marks = Marks[int](cast("Capture", capture))
    assert not marks
    first, second = marks.ask(1), marks.ask(2)
    assert (bool(marks), capture.count) == (True, 2)
    assert marks.answered() == 1
    assert (first.is_set(), second.is_set()) == (True, False)
    third = marks.ask(3)
    marks.end()
    assert second.is_set()
    assert third.is_set()
    assert not marks
