"""Which connections are shown."""

from __future__ import annotations

import pytest
from frames import come_to

from trioecho.model.selection import Selection

OPEN = "+0 > S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n+.01 > . 1:1(0) ack 1\n"


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), True),
        (Selection(connection=1), True),
        (Selection(connection=2), False),
        (Selection(host="10.0.0.2", port=7), True),
        (Selection(host="10.0.0.3"), False),
        (Selection(port=8), False),
    ],
)
def test_rungs_and_what_they_come_to_are_chosen_alike(selection: Selection, chosen: bool) -> None:
    rungs, summary = come_to(OPEN)
    assert {selection.takes(rung) for rung in rungs} == {chosen}
    assert selection.keeps(summary) is chosen


def test_trouble_is_asked_of_a_whole_connection() -> None:
    rungs, summary = come_to(OPEN)
    only = Selection(only_trouble=True)
    assert only.everything
    assert only.takes(rungs[0])
    assert not only.keeps(summary)


@pytest.mark.parametrize(
    ("ladder", "keeps"),
    [
        ("+0 > S 0:0(0)", True),
        ("+0 > S 0:0(0)\n+.01 < S. 0:0(0) ack 1", True),
        (OPEN, False),
        ("+0 > P. 1:6(5) ack 1", False),  # it began before the capture
    ],
)
def test_a_syn_that_nobody_answers_is_trouble(ladder: str, keeps: bool) -> None:
    _, summary = come_to(ladder)
    assert summary.troubles == 0
    assert summary.attempt is keeps
    assert Selection(only_trouble=True).keeps(summary) is keeps
