"""Each rule has a ladder that fires it, and one that misses it by one number."""

from __future__ import annotations

import pytest
from rule_ladders import LADDERS, RULES, ask


def test_each_rule_has_its_ladders() -> None:
    assert set(LADDERS) == set(RULES)


@pytest.mark.parametrize("name", LADDERS)
def test_the_ladders_differ_by_one_number(name: str) -> None:
    ((fires, misses),) = LADDERS[name].pairs
    differ = [one for one in zip(fires.split(), misses.split(), strict=True) if one[0] != one[1]]
    assert len(differ) == 1


@pytest.mark.parametrize("name", LADDERS)
def test_fires(name: str) -> None:
    found, rung = ask(RULES[name], LADDERS[name].fires)
    assert len(found) == 1
    assert found[0] in rung.notes
    assert found[0].text(rung)
    assert found[0].source.startswith("RFC ")


@pytest.mark.parametrize("name", LADDERS)
def test_misses(name: str) -> None:
    found, _ = ask(RULES[name], LADDERS[name].misses)
    assert found == []


@pytest.mark.parametrize("name", RULES)
def test_says_its_condition(name: str) -> None:
    assert RULES[name].__doc__
