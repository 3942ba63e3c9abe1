"""The questions on a ladder: which rungs, which choices, and what counts as an answer."""

from __future__ import annotations

import re

import pytest
from frames import frames

from trioecho.lessons.quiz import CHOICES, Choice, Question, answered, form, questions
from trioecho.lessons.shelf import FOLDER, names
from trioecho.model import Rung
from trioecho.packet.decode import decode
from trioecho.tcp.tracker import Tracker


def rungs(text: str) -> list[Rung]:
    """What the engine makes of a ladder."""
    tracker = Tracker()
    found = []
    for _, frame in frames(text):
        segment = decode(frame)
        assert segment is not None
        found.append(tracker.seen(segment))
    return found


ECHO = """
    > S 0:0(0)
    +.01 < S. 0:0(0) ack 1
    +.01 > . 1:1(0) ack 1
    +.01 > P. 1:5(4) ack 1
    +.3 > P. 1:5(4) ack 1
    +.01 < . 1:1(0) ack 5
    +.01 < P. 1:5(4) ack 5
    +.01 > . 5:5(0) ack 5
    +.01 > F. 5:5(0) ack 5
    +.01 < F. 5:5(0) ack 6
    +.01 > . 6:6(0) ack 6
"""


def asked(text: str) -> list[Question]:
    return [one for one in questions(rungs(text)) if isinstance(one, Question)]


def test_a_question_for_each_rung_but_the_first() -> None:
    assert [str(one.right) for one in asked(ECHO)] == [
        "server SYN-ACK",
        "client ACK",
        "client data",
        "client data again",
        "server ACK",
        "server data",
        "client ACK",
        "client FIN",
        "server FIN",
        "client ACK",
    ]


def test_what_only_goes_on_is_not_asked() -> None:
    more = ECHO.replace("+.3 > P. 1:5(4) ack 1", "+.001 > P. 5:9(4) ack 1")
    shown = [one for one in questions(rungs(more)) if isinstance(one, Rung)]
    assert [rung.number for rung in shown] == [1, 5]


def test_the_choices_are_plausible_and_the_same_each_time() -> None:
    for one in asked(ECHO):
        assert one.right in one.choices
        assert len(set(one.choices)) == len(one.choices) <= CHOICES
    first = asked(ECHO)[0]
    assert first == asked(ECHO)[0]
    assert Choice("client", "SYN again") in {
        choice
        for seed in "abcdefgh"
        for question in questions(rungs(ECHO), seed)
        if isinstance(question, Question)
        for choice in question.choices
    }
    assert Choice("server", "data") not in first.choices  # it is not open yet


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        ("a", 0),
        ("B)", 1),
        ("server SYN-ACK", 1),
        ("the server's syn ack", None),
        ("synack", 1),
        ("server syn ack", 1),
        ("client data", 2),
        ("data", 2),
        ("data again", 3),
        ("client data retransmission", 3),
        ("client", None),
        ("z", None),
        ("d", 3),
        ("e", None),
        ("fin", None),
        ("", None),
    ],
)
def test_an_answer(answer: str, meant: int | None) -> None:
    choices = (
        Choice("client", "RST"),
        Choice("server", "SYN-ACK"),
        Choice("client", "data"),
        Choice("client", "data again"),
    )
    question = Question(rungs(ECHO)[0], choices, choices[0])
    found = answered(question, answer)
    assert found == (None if meant is None else choices[meant])


def test_forms() -> None:
    zero = """
        > S 0:0(0)
        +.01 < S. 0:0(0) ack 1 win 10
        +.01 > . 1:1(0) ack 1
        +.01 > . 1:11(10) ack 1
        +.01 < . 1:1(0) ack 11 win 0
        +.2 > . 10:10(0) ack 1
        +.01 < . 1:1(0) ack 11 win 0
        +.2 < . 1:1(0) ack 11 win 100
        +.01 < R. 1:1(0) ack 11
    """
    assert [form(rung) for rung in rungs(zero)][4:] == [
        "ACK",
        "zero-window probe",
        "ACK",
        "window update",
        "RST",
    ]


@pytest.mark.parametrize("name", names())
def test_every_lesson_has_questions(name: str) -> None:
    text = re.sub(r"<[a-z][^>]*>", "", (FOLDER / f"{name}.ladder").read_text("utf-8"))
    found = [one for one in questions(rungs(text)) if isinstance(one, Question)]
    assert found
    assert all(len(one.choices) >= 2 for one in found)
