"""A lesson becomes a page: from its TOML and its ladder, with no code."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import lesson_pages
import pytest

from trioecho.lessons.shelf import FOLDER

TOML = """
title = "A SYN is lost"
level = "beginner"
rfc = ["RFC 6298 §5"]
introduction = "The first word gets lost."
notice = ["The second SYN comes after a second.", "It is the same."]
question = "Why a second?"
answer = '''
Because of RFC 6298.

It says so.
'''
number = 2
faults = ["drop syn"]

[[client]]
steps = ["connect", "close"]

[[server]]
steps = ["listen", "accept", "close"]
"""
LADDER = """
> S 0:0(0) lost    | SYN-SENT LISTEN
+1 > S 0:0(0)      | SYN-SENT SYN-RECEIVED  retransmission of 1
"""


def write(folder: Path, name: str, toml: str) -> None:
    (folder / f"{name}.toml").write_text(toml, "utf-8")
    (folder / f"{name}.ladder").write_text(LADDER, "utf-8")


def test_from_its_files(tmp_path: Path) -> None:
    write(tmp_path, "a-lost-syn", TOML)
    write(tmp_path, "easy", TOML.replace("A SYN is lost", "Easy").replace("= 2", "= 1"))
    (tmp_path / "unfinished.toml").write_text(TOML, "utf-8")
    easy, lesson = lesson_pages.lessons(tmp_path)
    assert (easy.name, lesson.name) == ("easy", "a-lost-syn")
    page = lesson_pages.page(lesson)
    assert page.startswith("# A SYN is lost\n")
    assert page.index("The first word") < page.index("a-lost-syn.svg") < page.index("## What to")
    assert '??? question "The answer"\n\n    Because of RFC 6298.\n\n    It says so.' in page
    assert "    +1 > S 0:0(0)" in page
    said = "".join(ElementTree.fromstring(lesson_pages.picture(lesson)).itertext())
    assert "retransmission of rung 1" in said
    assert "LISTEN" in said
    assert "| [A SYN is lost](a-lost-syn.md) | beginner |" in lesson_pages.index(tmp_path)


@pytest.mark.parametrize("lesson", lesson_pages.lessons(FOLDER), ids=lambda one: one.name)
def test_each_lesson_can_be_drawn(lesson: lesson_pages.Shown) -> None:
    picture = ElementTree.fromstring(lesson_pages.picture(lesson))
    rungs = [node for node in picture.iter() if node.get("class") == "rung"]
    lines = [line for line in lesson.ladder.splitlines() if line.partition("#")[0].strip()]
    assert len(rungs) == len(lines)
