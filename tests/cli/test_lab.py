"""``trioecho lab`` as a user has it."""

# covers: cli/lab_text

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from shutil import ignore_patterns

import pytest
from needs import need_wires
from programs import PATIENCE, TRIOECHO, shown

from trioecho.cli.lab import complete
from trioecho.lessons.lesson import read
from trioecho.lessons.shelf import FOLDER, check_own, names
from trioecho.render.notation import parse

ENV = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}


def lab(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return shown("lab", *arguments, code=code)


def test_the_list() -> None:
    head, *rows, empty, hint, own = lab().stdout.splitlines()
    assert head.split() == ["lesson", "level", "takes", "title"]
    assert sorted(row.split()[0] for row in rows if row[0] != " ") == names()
    assert rows[0].startswith("handshake ")
    assert (empty, hint) == ("", "To run one: trioecho lab NAME")
    assert own == f"To write your own, copy one of {FOLDER}"


def test_the_list_as_json() -> None:
    listed = [json.loads(line) for line in lab("--format", "json").stdout.splitlines()]
    assert [one["name"] for one in listed] == lab("--names").stdout.split()
    assert listed[0] == {
        "number": 1,
        "name": "handshake",
        "title": "Three segments, and both ends know",
        "level": "beginner",
        "takes": 0,
    }
    assert all(one["title"] and one["takes"] >= 0 for one in listed)


def test_what_writes_a_ladder_is_told() -> None:
    assert "--write" in lab("--help").stdout


def test_the_names() -> None:
    listed = lab("--names").stdout.splitlines()
    assert listed[0] == "handshake"
    assert sorted(listed) == names()
    assert "--names" in lab("handshake", "--names", code=2).stderr


def test_the_shell_completes_names() -> None:
    assert complete("message") == ["message-split", "messages-merged"]
    assert complete("") == names()


def test_an_unknown_name() -> None:
    done = lab("lost-sin", code=1)
    assert done.stdout == ""
    assert done.stderr.startswith("trioecho: There is no lesson 'lost-sin'. Did you mean lost-syn")


def test_a_lesson() -> None:
    need_wires()
    done = lab("refused", "--check")
    assert done.stderr == ""
    text = done.stdout
    parts = [
        text.index(part)
        for part in (
            "Nobody listens there (beginner)",
            "connect anyway. The answer comes at once",
            "private wire; 10.0.0.2, port 65432",
            "socket(AF_INET), connect(10.0.0.2:65432)",
            "SYN seq 0",
            "RST",
            "refused: nothing listens on that port",
            "What to notice",
            "- The server's kernel answers",
            "A question",
            "What does ECONNREFUSED tell you",
            "The answer: trioecho lab refused --answer",
            "References: RFC 9293 §3.5.2",
            "As in refused.ladder: 2 segments, and both kernels agree",
        )
    ]
    assert parts == sorted(parts)
    assert "The host is alive" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_no_calls() -> None:
    need_wires()
    assert "socket(AF_INET)" not in lab("refused", "--no-calls").stdout


def test_the_answer_performs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENV, "PATH", "")
    text = lab("black-hole", "--answer").stdout
    lesson = read(FOLDER / "black-hole.toml")
    for words in (lesson.question, lesson.answer):
        assert " ".join(words.split()) in " ".join(text.split())

    assert text.splitlines()[-1].startswith("References: ")


@pytest.mark.parametrize("options", [["--check"], ["--write"], ["--kernel"], ["-o", "x.svg"]])
def test_the_answer_takes_no_option_of_a_performance(options: list[str]) -> None:
    said = lab("refused", "--answer", *options, code=2).stderr
    assert f"leave out {options[0]}" in said


def test_an_installed_lesson_is_not_written(tmp_path: Path) -> None:
    """As pip installs it: the package alone."""
    shutil.copytree(FOLDER.parents[1], tmp_path / "trioecho", ignore=ignore_patterns("__pycache__"))
    ladder = tmp_path / "trioecho" / "lessons" / "library" / "refused.ladder"
    before = ladder.read_bytes()
    done = subprocess.run(
        [*TRIOECHO, "lab", "refused", "--write"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "trioecho: The lesson 'refused' is installed with trioecho, and --write would change it."
        f" Copy '{ladder.with_suffix('.toml')}' to a folder of your own, and give that path\n"
    )
    assert ladder.read_bytes() == before


def test_in_a_checkout_the_lessons_may_be_written() -> None:
    check_own(FOLDER / "refused.toml")


def test_formats_stay_pure(tmp_path: Path) -> None:
    need_wires()
    files = [tmp_path / f"lesson.{suffix}" for suffix in ("pcapng", "ladder", "txt")]
    options = [word for file in files for word in ("-o", str(file))]
    done = lab("refused", "--format", "json", "--kernel", "--check", *options)
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    (syn, rst) = [one for one in objects if one["type"] == "rung"]
    assert (syn["flags"], rst["flags"]) == (["SYN"], ["RST", "ACK"])
    assert syn["client_kernel"]["state"] == "SYN-SENT"
    assert done.stderr == "As in refused.ladder: 2 segments, and both kernels agree\n"
    assert files[0].stat().st_size > 200
    assert len(parse(files[1].read_text())) == 2
    assert "What to notice" not in files[2].read_text("utf-8")
    assert len(parse(lab("refused", "--format", "ladder").stdout)) == 2


def test_a_lesson_of_ones_own(tmp_path: Path) -> None:
    need_wires()
    own = tmp_path / "mine.toml"
    text = (FOLDER / "refused.toml").read_text("utf-8")
    own.write_text(text.replace("Nobody listens there", "Mine \\u001b[31m"), "utf-8")
    done = lab(str(own), "--check", code=1)
    assert done.stdout.startswith(r"Mine \x1b[31m (beginner)")
    assert "mine.ladder': No such file" in done.stderr
    lab(str(own), "--write")
    assert len(parse((tmp_path / "mine.ladder").read_text("utf-8"))) == 2
    lab(str(own), "--check")
    (tmp_path / "mine.ladder").write_text("> S 0:0(0)\n< S. 0:0(0) ack 1\n")
    done = lab(str(own), "--check", code=1)
    assert "\n- < S. 0:0(0) ack 1\n" in done.stdout
    assert "\n+ < R. 1:1(0) ack 1\n" in done.stdout
    assert done.stderr == "trioecho: What happened differs from mine.ladder\n"


def test_a_file_that_is_no_lesson(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text("title = 'x'")
    done = lab(str(own), code=1)
    assert "is not a lesson: Object missing required field `level`" in done.stderr
    assert "No such file" in lab("./none.toml", code=1).stderr
    text = (FOLDER / "refused.toml").read_text("utf-8")
    own.write_text('faults = ["drop"]\n' + text, "utf-8")
    assert "In the lesson 'mine', the fault 'drop' is not complete" in lab(str(own), code=1).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_half_way(number: signal.Signals) -> None:
    """What has been seen is finished; what to notice has not been seen."""
    need_wires()
    with subprocess.Popen(
        [*TRIOECHO, "lab", "black-hole"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if b"SYN seq 0" in line:
                break
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(PATIENCE) == 128 + number
        assert process.stderr.read() == b""
    assert b"captured " in rest
    assert b"What to notice" not in rest


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (r'"c\u001b[2Jolour" = "red"', r"unknown field `c\x1b[2Jolour`"),
        (r'faults = ["drop\u0007 syn"]', r"'drop\x07'"),
        (r'"a\u202eb" = 1', r"unknown field `a\u202eb`"),
    ],
)
def test_what_a_file_holds_does_not_steer_the_terminal(
    line: str, shown: str, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.toml"
    text = (FOLDER / "handshake.toml").read_text("utf-8")
    path.write_text(f"{line}\n{text}", encoding="utf-8")
    done = lab(str(path), code=1)
    assert shown in done.stderr
    assert done.stderr.rstrip("\n").isprintable()
