"""What is kept of a program that runs for long."""

from __future__ import annotations

from collections import OrderedDict

from trioecho.programs.memory import remember


def test_what_was_kept_first_is_forgotten_first() -> None:
    known: OrderedDict[int, str] = OrderedDict()
    for number, name in enumerate("abc"):
        remember(known, number, name, 2)
    assert known == {1: "b", 2: "c"}


def test_to_keep_the_same_again_forgets_nothing() -> None:
    known = OrderedDict({1: "b", 2: "c"})
    remember(known, 1, "B", 2)
    assert known == {1: "B", 2: "c"}
