"""``trioecho lab --quiz`` and ``--grade`` as a class has them."""

# covers: cli/lab_quiz, cli/lab_grade

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from needs import need_wires
from programs import PATIENCE, shown

from trioecho.lessons.shelf import FOLDER

COMMAND = [sys.executable, "-W", "error", "-m", "trioecho", "lab"]
ENV = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}


def lab(*arguments: str, code: int = 0, answers: str = "") -> tuple[str, str]:
    done = shown("lab", *arguments, code=code, typed=answers)
    return done.stdout, done.stderr


# ---- the quiz ------------------------------------------------------------------------------------


def test_a_quiz_from_beginning_to_end() -> None:
    need_wires()
    text, _ = lab("refused", "--quiz", answers="server rst")
    asked = text.index("What comes next?\n  a) ")
    assert text.index("SYN seq 0") < asked < text.index("\nRight.\n") < text.index(" RST ")
    assert "refused: nothing listens on that port" in " ".join(text.split())
    assert "What to notice" in text
    assert text.endswith("\n1 of 1 answer right\n")


def test_wrong_unclear_and_empty_answers() -> None:
    need_wires()
    text, _ = lab("handshake", "--quiz", answers="client\nclient syn again\n\nc\n")
    assert text.count("Which one? Answer with a letter, or in words: ") >= 1
    assert text.count("\nNo, the ") >= 1
    first = text[text.index("What comes next?") :]
    assert first.index("SYN ACK seq 0") > first.index("No, the server SYN-ACK.")
    (score,) = re.findall(r"(?m)^(\d+) of (\d+) answers? right$", text)
    assert int(score[0]) <= int(score[1]) == 3
    assert "What to notice" not in text  # the input ended before the ladder did


def test_no_input_at_all() -> None:
    need_wires()
    text, _ = lab("refused", "--quiz", code=1)
    assert text.endswith("\nNo answer was given\n")


def test_ctrl_c_ends_it() -> None:
    need_wires()
    with subprocess.Popen(
        [*COMMAND, "refused", "--quiz"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV,
        encoding="utf-8",
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        for line in running.stdout:
            if line.startswith("An empty line shows it."):
                break
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
        assert running.wait(PATIENCE) == 130
        assert rest == "\nNo answer was given\n"
        assert running.stderr.read() == ""


# ---- grading -------------------------------------------------------------------------------------


def test_the_lesson_itself_is_right() -> None:
    text, _ = lab("lost-syn-ack", "--grade", str(FOLDER / "lost-syn-ack.ladder"))
    assert text.startswith("  rung 1, line 2: right\n")
    assert text.endswith("\n13 of 13 points\n")


def test_a_performance_is_right(tmp_path: Path) -> None:
    """What trioecho writes of a lesson can be handed in."""
    need_wires()
    mine = tmp_path / "mine.ladder"
    lab("refused", "-o", str(mine))
    assert lab("refused", "--grade", str(mine))[0].endswith("2 of 2 points\n")


def test_a_wrong_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine.ladder"
    mine.write_text("> S 0:0(0)\n< S. 0:0(0) ack 1\n")
    text, _ = lab("refused", "--grade", str(mine), code=1)
    assert text == (
        "  rung 1, line 1: right\n"
        "  rung 2: missing: the server's RST\n"
        "  line 2: the server's SYN-ACK does not come here\n"
        "1 of 2 points; 1 line too many\n"
    )


def test_what_cannot_be_marked(tmp_path: Path) -> None:
    mine = tmp_path / "mine.ladder"
    mine.write_text("> S 0:0(0)\n< \x1b[2J 0:0(0) ack 1\n")
    _, error = lab("refused", "--grade", str(mine), code=1)
    assert "mine.ladder': line 2: expected some of the control bits" in error
    assert error.count("\n") == 1
    assert "\x1b" not in error
    _, error = lab("refused", "--grade", str(tmp_path / "none"), code=1)
    assert "No such file" in error
    own = tmp_path / "own.toml"
    own.write_text("")
    _, error = lab(str(own), "--grade", str(mine), code=1)
    assert "has no ladder to mark by" in error


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["refused", "--quiz", "--answer"], "leave out --quiz"),
        (["refused", "--quiz", "--kernel"], "leave out --kernel"),
        (["refused", "--grade", "x", "--check", "-o", "x.txt"], "leave out --check, -o"),
        (["--quiz"], "of which lesson? Add its NAME"),
    ],
)
def test_what_does_not_go_together(words: list[str], told: str) -> None:
    _, error = lab(*words, code=2)
    assert told in error
    assert error.count("\n") == 1
