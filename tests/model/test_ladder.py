"""What a ladder is made of."""

from __future__ import annotations

import msgspec
import pytest
from frames import play
from ladders import OPEN

from trioecho.model import ENDS, OTHER, RECEIVING, SENDING, Fact, Process, State
from trioecho.tcp.rules.kinds import facts


def test_each_end_is_the_others_other() -> None:
    assert [OTHER[OTHER[end]] for end in ENDS] == list(ENDS)
    assert all(OTHER[end] != end for end in ENDS)


def test_a_call_receives_or_sends_or_neither() -> None:
    assert not RECEIVING & SENDING


def test_states_are_spelled_as_in_the_rfc() -> None:
    assert [str(state) for state in State if "_" in state] == []
    assert {State.SYN_SENT, State.FIN_WAIT_2, State.TIME_WAIT} == {
        "SYN-SENT",
        "FIN-WAIT-2",
        "TIME-WAIT",
    }


def test_a_rung_has_its_frames_time() -> None:
    rungs = play(OPEN)
    assert [rung.time - rungs[0].time for rung in rungs] == [0, 10_000_000, 20_000_000]


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: fact.__name__)
def test_a_fact_says_its_kind_in_json(fact: type[Fact]) -> None:
    assert fact.__doc__
    assert fact.__struct_config__.tag_field == "kind"
    assert isinstance(fact.__struct_config__.tag, str)


def test_a_fact_in_json_is_its_kind_and_its_numbers() -> None:
    (note,) = play(OPEN + "+.1 < . 1:1(0) ack 1 win 999")[-1].notes
    assert note.kind == "window-update"
    assert msgspec.to_builtins(note) == {
        "kind": "window-update",
        "window": 999,
        "least": False,
        "opens": False,
    }


def test_a_process_in_words() -> None:
    assert str(Process(0, 1, "client", 7, "ncat")) == "ncat (pid 7)"
