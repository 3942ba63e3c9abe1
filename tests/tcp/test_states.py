"""Each path through the state table of RFC 9293, in the notation of a ladder."""

from __future__ import annotations

import pytest
from frames import play
from ladders import STATES

from trioecho.model import State
from trioecho.render.script import compare
from trioecho.tcp.states import TABLE, Event, after


@pytest.mark.parametrize(
    ("client_isn", "server_isn"), [(1000, 5000), (0xFFFFFFFD, 0xFFFFFFFF), (0, 0x7FFFFFFF)]
)
@pytest.mark.parametrize("name", STATES)
def test_path(name: str, client_isn: int, server_isn: int) -> None:
    difference = compare(STATES[name], play(STATES[name], client_isn, server_isn))
    assert not difference, f"\n{difference}"


def test_every_row_leads_to_another_state() -> None:
    for state, row in TABLE.items():
        for event, following in row.items():
            assert following is not state, (state, event)


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(TABLE) == set(State)
    assert {following for row in TABLE.values() for following in row.values()} == set(State)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_no_event_is_an_error(state: State, event: Event) -> None:
    assert after(state, event) in State
