"""The handouts: every lesson, questions and answers apart, on pages that need nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import handout_pages
import pytest

from trioecho.errors import TrioechoError
from trioecho.lessons.expected import path_of
from trioecho.lessons.shelf import find, names
from trioecho.render.notation import parse

ALL = handout_pages.chosen([])
QUESTIONS, ANSWERS = handout_pages.questions(ALL), handout_pages.answers(ALL)


def flat(text: str) -> str:
    return escape(" ".join(text.split()))


def test_every_lesson_is_on_both_pages() -> None:
    assert {one.name for one in ALL} == set(names())
    for page in (QUESTIONS, ANSWERS):
        assert page.count("<section>") == len(ALL)
        assert all(f"<code>trioecho lab {one.name}</code>" in page for one in ALL)


def test_the_answers_are_apart() -> None:
    for one in ALL:
        for paragraph in one.said.answer.strip().split("\n\n"):
            assert f"<p>{flat(paragraph)}</p>" in ANSWERS
            assert flat(paragraph) not in QUESTIONS
        for point in one.said.notice:
            assert flat(point) in ANSWERS
            assert flat(point) not in QUESTIONS
        assert flat(one.said.question.strip().split("\n\n")[0]) in QUESTIONS


def test_a_ladder_has_a_row_for_each_rung_and_gives_the_first_alone() -> None:
    sections = QUESTIONS.split("<section>")[1:]
    for one, section in zip(ALL, sections, strict=True):
        ladder = parse(path_of(find(one.name)).read_text("utf-8"))
        rows = re.findall(r"<tr><td>\d+</td>", section)
        assert len(rows) == min(len(ladder), 16), one.name
        assert section.count("<td>SYN</td>") == 1
        assert "S" in ladder[0].flags
        assert ("more.</p>" in section) == (len(ladder) > 16)


@pytest.mark.parametrize("page", [QUESTIONS, ANSWERS])
def test_they_are_whole_and_need_nothing_else(page: str) -> None:
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert not re.search(r"(?:src|href)=|@import|url\(", page)


def test_some_of_them(tmp_path: Path) -> None:
    tool = Path(handout_pages.__file__)
    folder = tmp_path / "out"
    command = [sys.executable, str(tool), str(folder), "time-wait", "lost-syn"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(folder / "questions.html"), str(folder / "answers.html")]
    page = (folder / "questions.html").read_text("utf-8")
    assert re.findall(r"trioecho lab ([\w-]+)", page) == ["lost-syn", "time-wait"]
    command[-1] = "lost-sin"
    failed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("There is no lesson 'lost-sin'. Did you mean")


def test_a_name_that_is_none() -> None:
    with pytest.raises(TrioechoError, match="There is no lesson 'xyzzy'"):
        handout_pages.chosen(["xyzzy"])
