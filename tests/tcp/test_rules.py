"""Each rule has a ladder that fires it, and one that misses it by one number."""

# covers: tcp/arriving, tcp/connection, tcp/learn, tcp/rules/refusals, tcp/rules/words
# covers: tcp/sending, tcp/step

from __future__ import annotations

import pytest
from ladders import OPEN
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
    assert found[0].text(rung) == (LADDERS[name].says or found[0].text(rung)) != ""
    assert found[0].source.startswith("RFC ")


@pytest.mark.parametrize("name", LADDERS)
def test_misses(name: str) -> None:
    found, _ = ask(RULES[name], LADDERS[name].misses)
    assert found == []


@pytest.mark.parametrize("name", RULES)
def test_says_its_condition(name: str) -> None:
    assert RULES[name].__doc__


@pytest.mark.parametrize(("length", "found"), [(101, 0), (100, 0), (99, 1), (1, 1)])
def test_only_a_smaller_one_is_sent_for_the_path(length: int, found: int) -> None:
    ladder = LADDERS["repetition.smaller"].fires.replace("51(50)", f"{1 + length}({length})")
    assert len(ask(RULES["repetition.smaller"], ladder)[0]) == found


@pytest.mark.parametrize(("length", "found"), [(50, 0), (49, 1)])
def test_a_segment_as_large_as_the_path_takes_is_not_small(length: int, found: int) -> None:
    """It waited for the congestion window, and not for Nagle's algorithm."""
    ladder = f"""{OPEN}
        +.1   > .  1:101(100) ack 1 <large 1> lost
        +.001 > .  1:51(50) ack 1
        +.001 > .  51:101(50) ack 1
        +.01  < .  1:1(0) ack 101
        +.001 > .  101:{101 + length}({length}) ack 1
        +.1   < .  1:1(0) ack {101 + length}
        +.001 > .  {101 + length}:{101 + 2 * length}({length}) ack 1"""
    lines = "\n".join(line.strip() for line in ladder.splitlines())
    assert len(ask(RULES["data.nagle_delayed_ack"], lines)[0]) == found
