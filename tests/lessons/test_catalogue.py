"""All lessons in order, and what each shows."""

from __future__ import annotations

from trioecho.faults.losses import Cut, Drop
from trioecho.lessons.catalogue import lessons, with_fault
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
