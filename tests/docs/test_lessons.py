"""A lesson becomes a page: from its TOML and its ladder, with no code."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import lesson_pages

TOML = '''
title = "A SYN is lost"
level = 2
introduction = "The first word gets lost."
notice = "The second SYN comes after a second."
question = "Why a second?"
answer = """Because of RFC 6298.

It says so."""
steps = ["connect"]
'''
LADDER = """
+0 > S 0:0(0) lost | SYN-SENT CLOSED
+1 > S 0:0(0)      | SYN-SENT SYN-RECEIVED  retransmission of 1
"""


def test_from_its_files(tmp_path: Path) -> None:
    (tmp_path / "lost-syn.toml").write_text(TOML)
    (tmp_path / "lost-syn.ladder").write_text(LADDER)
    (tmp_path / "easy.toml").write_text('title = "Easy"\nlevel = 1\n')
    (tmp_path / "easy.ladder").write_text("+0 > S 0:0(0)\n")
    assert lesson_pages.names(tmp_path) == ["easy", "lost-syn"]
    lesson = lesson_pages.read(tmp_path / "lost-syn.toml")
    page = lesson_pages.page(lesson)
    assert page.startswith("# A SYN is lost\n")
    assert page.index("The first word") < page.index("lost-syn.svg") < page.index("## Notice")
    assert '??? question "Answer"\n\n    Because of RFC 6298.\n\n    It says so.' in page
    assert "    +1 > S 0:0(0)" in page
    picture = ElementTree.fromstring(lesson_pages.picture(lesson))
    assert "retransmission of rung 1" in "".join(picture.itertext())
    assert "[A SYN is lost](lost-syn.md), level 2" in lesson_pages.index(tmp_path)


def test_without_lessons_there_are_none(tmp_path: Path) -> None:
    assert lesson_pages.names(tmp_path / "nowhere") == []
