"""Submissions marked as a teacher would: three right, three wrong, and unreadable ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from trioecho.errors import TrioechoError
from trioecho.lessons.grading import MOST_LINES, Mark, grade, read_submission, told
from trioecho.lessons.shelf import FOLDER
from trioecho.render.notation import parse

LOST = (FOLDER / "lost-syn-ack.ladder").read_text("utf-8")
REFUSED = (FOLDER / "refused.ladder").read_text("utf-8")
ZERO = (FOLDER / "zero-window.ladder").read_text("utf-8")


def bare(ladder: str) -> str:
    """A ladder without states, notes, times and windows, as a beginner writes it."""
    lines = []
    for line in parse(ladder):
        ack = "" if line.ack is None else f" ack {line.ack}"
        sign, end = "<>"[line.sender == "client"], line.seq + line.length
        lost = " lost" if line.lost else ""
        lines.append(f"{sign} {line.flags} {line.seq}:{end}({line.length}){ack}{lost}")
    return "\n".join(lines)


def points(marks: list[Mark]) -> tuple[int, int, int]:
    """Points, rungs, and lines too many."""
    rungs = [mark for mark in marks if mark.rung is not None]
    return sum(mark.points for mark in marks), len(rungs), len(marks) - len(rungs)


# ---- right ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ladder", [LOST, REFUSED, ZERO])
def test_the_lesson_itself(ladder: str) -> None:
    rungs = len(parse(ladder))
    assert points(grade(ladder, ladder)) == (rungs, rungs, 0)


@pytest.mark.parametrize("ladder", [LOST, REFUSED, ZERO])
def test_no_more_than_the_notation_demands(ladder: str) -> None:
    rungs = len(parse(ladder))
    assert points(grade(bare(ladder), ladder)) == (rungs, rungs, 0)


def test_p_and_comments_and_what_a_note_refers_to_do_not_matter() -> None:
    text = LOST.replace("> . 1:17(16)", "# mine\n\n> P. 1:17(16)")
    text = text.replace("retransmission of 1", "retransmission")
    assert points(grade(text, LOST)) == (13, 13, 0)


@pytest.mark.parametrize("number", [0, 1])
def test_the_number_of_a_reset_without_a_syn(number: int) -> None:
    """tcpdump shows 0, which is on the wire (RFC 9293 §3.10.7.1); the lesson says 1."""
    text = f"> S 0:0(0) | SYN-SENT CLOSED\n< R. {number}:{number}(0) ack 1 | closed closed"
    assert points(grade(text, REFUSED)) == (2, 2, 0)


# ---- wrong ---------------------------------------------------------------------------------------


def test_one_who_forgets_that_a_syn_takes_a_number() -> None:
    text = bare(LOST).replace("ack 1 lost", "ack 0 lost").replace("> . 1:1(0)", "> . 0:0(0)")
    marks = grade(text, LOST)
    assert points(marks) == (11, 13, 0)
    assert marks[1] == Mark(2, 2, ("the ACK is 1, not 0",))
    assert marks[4] == Mark(5, 5, ("the sequence number is 1, not 0",))


def test_one_who_believes_that_nothing_is_lost() -> None:
    lines = bare(LOST).splitlines()
    text = "\n".join([lines[0], lines[1].removesuffix(" lost"), *lines[4:]])
    marks = grade(text, LOST)
    assert points(marks) == (11, 13, 0)
    missing = [mark for mark in marks if mark.line is None]
    assert [mark.faults for mark in missing] == [
        ("missing: the client's SYN",),
        ("missing: the server's SYN-ACK",),
    ]


def test_one_who_expects_a_reset_and_wrong_states() -> None:
    text = """
        > S 0:0(0)          | SYN-SENT     LISTEN
        < R. 1:1(0) ack 1   | CLOSED       ESTABLISHED  connection-rst aborted
        > R 1:1(0)
    """
    marks = grade(text, REFUSED)
    assert points(marks)[0] == 0
    assert marks[0] == Mark(1, 2, ("no segment tells yet that the server is in LISTEN",))
    state, note = marks[1].faults
    assert state == "the server is in CLOSED, not in ESTABLISHED"
    assert note.startswith("it has no note 'connection-rst aborted'; it has connection-rst refused")
    assert marks[-1] == Mark(None, 4, ("the client's RST does not come here",))


def test_each_thing_that_can_be_wrong() -> None:
    wanted = "+1 > S 0:0(0) win 100 <mss 1460,sackOK>\n> . 1:11(10) ack 1 lost"
    text = "+3 > S 0:0(0) ack 1 win 90 <mss 1460,ts>\n> F. 1:2(1) ack 1"
    first, *others = grade(text, wanted)
    assert first.faults == (
        "the window is 100, not 90",
        "there is no ACK",
        "the option 'ts' is not among mss 1460,sackOK",
        "it comes after 1.00 s, not after 3.00 s",
    )
    assert [mark.faults for mark in others] == [
        ("missing: the client's 10 bytes of data",),
        ("the client's FIN with 1 byte does not come here",),
    ]
    (mark,) = grade("> . 1:6(5) ack 1", "> . 1:11(10) ack 1 lost")
    assert mark.faults == ("the length is 10, not 5", "it is lost")


def test_absolute_numbers_and_states_that_nothing_tells() -> None:
    (first, second) = grade("> S 7:7(0) | SYN-SENT LISTEN\n< R. 9:9(0) ack 8", REFUSED)
    assert first.faults == (
        "the sequence number is 0, not 7 (each end counts from its SYN)",
        "no segment tells yet that the server is in LISTEN",
    )
    assert second.faults == ("the sequence number is 1, not 9", "the ACK is 1, not 8")


def test_another_connection() -> None:
    (line,) = parse(">2 S. 0:0(0) ack 1")
    assert told(line) == "the client's SYN-ACK of connection 2"


# ---- not readable --------------------------------------------------------------------------------


def test_a_line_that_is_not_valid() -> None:
    with pytest.raises(TrioechoError) as caught:
        grade("> S 0:0(0)\n\n> X 0:0(0)", LOST, "'a.ladder'")
    assert caught.value.what == (
        "'a.ladder': line 3: expected some of the control bits FSRP.UEWe, not 'X'"
    )
    assert caught.value.hint.startswith("A line is such as '< S. 0:0(0)")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.ladder"
    with pytest.raises(TrioechoError, match=r"Cannot read .*: No such file"):
        read_submission(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TrioechoError, match="it is not text in UTF-8"):
        read_submission(path)
    path.write_text("\n" * (MOST_LINES + 1))
    with pytest.raises(TrioechoError, match="more than 1,000 lines"):
        read_submission(path)


@pytest.mark.parametrize(
    ("text", "what"), [("", "is empty"), ("\n \n", "is empty"), ("# Anna\n", "has comments alone")]
)
def test_an_empty_one(text: str, what: str) -> None:
    with pytest.raises(TrioechoError, match=f"'a.ladder' {what}: there is no segment to mark"):
        grade(text, LOST, "'a.ladder'")
