"""The table of causes, and the page that explains it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trioecho.account.causes import CAUSES, Cause
from trioecho.lessons.shelf import names

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "why.md"


def test_the_page_has_every_cause_in_this_order() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8"), re.M) == list(CAUSES)


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_each_has_words_and_its_lesson_exists(cause: Cause) -> None:
    assert "{" not in cause.says("client") + cause.says("server")
    assert not cause.lesson or cause.lesson in names()
