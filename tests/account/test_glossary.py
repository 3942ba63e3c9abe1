"""Each cause and each kind of loss is explained in the terminal and on a page, alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from trioecho.account.causes import CAUSES
from trioecho.account.glossary import LOSSES, SIGNS
from trioecho.account.losses import ADVICE, Why
from trioecho.lessons.shelf import names

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "causes.md"
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE.read_text("utf-8"), re.M | re.S))


def test_there_is_a_section_for_each_and_for_nothing_else() -> None:
    every = {*CAUSES, *get_args(Why)}
    assert SIGNS.keys() == SECTIONS.keys() == every
    assert ADVICE.keys() == LOSSES.keys() == set(get_args(Why))


@pytest.mark.parametrize("name", SIGNS)
def test_a_section_has_its_parts_and_says_what_the_terminal_says(name: str) -> None:
    section, sign = SECTIONS[name], SIGNS[name]
    for part in ("You see", "Change"):
        assert re.search(rf"^\*\*{part}\.\*\* \S", section, re.M), part
    assert f"\n\n**Be sure.** {sign.sure}\n\n" in section
    assert f"\n\n**What it isn't.** {sign.unlike}\n" in section
    for source in sign.sources:
        assert f"[{source}](" in section or f" {source}" in section
    lessons = re.findall(r"\]\(\.\./lessons/([\w-]+)\.md\)", section)
    assert set(lessons) <= set(names())
    cause = CAUSES.get(name)
    if cause is not None and cause.lesson:
        assert cause.lesson in lessons
