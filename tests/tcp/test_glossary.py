"""Each state and each event has its words, and the ways between states are the table's."""

from __future__ import annotations

import pytest

from trioecho.model import State
from trioecho.tcp.glossary import EVENTS, STATES, WORDS, Meaning, enters, leaves
from trioecho.tcp.states import TABLE, Event


def test_none_is_left_out() -> None:
    assert set(STATES) == set(State)
    assert set(EVENTS) == set(Event)


@pytest.mark.parametrize("meaning", [*STATES.values(), *WORDS.values()])
def test_each_has_sentences_and_a_source(meaning: Meaning) -> None:
    assert meaning.text[0].isupper()
    assert meaning.text.endswith(".")
    assert "RFC " in meaning.source


def test_what_leads_into_a_state_leads_out_of_another() -> None:
    out = {(how, before, after) for before in State for how, after in leaves(before)}
    into = {(how, before, after) for after in State for how, before in enters(after)}
    assert out == into
    moves = sum(after is not before for before in State for after in TABLE[before].values())
    assert len(out) == moves + 1  # TIME-WAIT ends by itself


def test_time_wait() -> None:
    assert [state for _, state in enters(State.TIME_WAIT)] == [State.FIN_WAIT_2, State.CLOSING]
    assert leaves(State.TIME_WAIT)[0] == ("2 MSL pass (no segment shows it)", State.CLOSED)
