"""All lessons in order, and what each shows."""

from __future__ import annotations

from trioecho.faults.losses import Cut, Drop
from trioecho.lessons.catalogue import lessons, naming, title, with_fault, with_note
from trioecho.lessons.shelf import names


def test_all_of_them_in_order() -> None:
    found = lessons()
    assert sorted(name for name, _ in found) == names()
    assert [one.number for _, one in found] == sorted(one.number for _, one in found)
    assert found[0][0] == "handshake"


def test_those_that_use_a_fault() -> None:
    assert "black-hole" in with_fault(Cut)
    assert "handshake" not in with_fault(Cut, Drop)
    assert set(with_fault(Cut, Drop)) == {*with_fault(Cut), *with_fault(Drop)}


def test_those_whose_ladder_has_a_note() -> None:
    assert with_note("zero-window-probe") == ["zero-window", "silly-window"]
    assert "zero-window" in with_note("zero-window")
    assert "refused" in with_note("connection-rst refused")
    assert with_note("connection-r") == []


def test_those_whose_prose_names_a_word() -> None:
    assert naming("time-wait")[0] == "time-wait"
    assert len(naming("the")) == 5
    assert naming("xyzzy") == []
    assert title("handshake") == "Three segments, and both ends know"
