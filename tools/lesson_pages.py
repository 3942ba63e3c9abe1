"""Generates a page for each lesson, from its TOML and a recorded performance.

``make lessons`` performs each lesson and keeps its ladder, as a picture and as text, in
``docs/lessons``. So a build performs nothing, and also works where there is no wire. A test
compares these recordings with the lesson's ladder. A lesson without a recording has no page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import get_args

from trioecho.lessons.lesson import Lesson, Level, Party, read

#: Where the recorded performances are.
SEEN = Path(__file__).parent.parent / "docs" / "lessons"

_LEVELS: dict[str, str] = {
    "beginner": "How a connection begins, what it carries, and what a single loss does to it.",
    "intermediate": "Windows, timers, ways to close, and what two kernels agree on.",
    "expert": "Congestion, attacks, and what goes wrong between the two.",
}
_SOURCE = re.compile(r"RFC (\d+)(?: §([\d.]*\d))?")


@dataclass(frozen=True)
class Shown:
    """A lesson to show: its name, its TOML, and its recorded ladder as text."""

    name: str
    said: Lesson
    text: str


def lessons(folder: Path, seen: Path = SEEN) -> list[Shown]:
    """The lessons that have a recording, by level and number.

    Args:
        folder: where the lessons are.
        seen: where their recordings are.
    """
    found = [
        Shown(path.stem, read(path), text.read_text("utf-8"))
        for path in folder.glob("*.toml")
        if (text := seen / f"{path.stem}.txt").exists()
    ]
    levels = get_args(Level)
    return sorted(found, key=lambda one: (levels.index(one.said.level), one.said.number, one.name))


def page(lesson: Shown) -> str:
    """A lesson's page, in Markdown."""
    said = lesson.said
    waits = f" Takes {said.takes:g} seconds, since it waits for real timers." if said.takes else ""
    return "\n".join(
        [
            "---\nhide:\n  - toc\n---",
            f"# {_plain(said.title)}",
            "",
            f"*{said.level.capitalize()}.{waits}*",
            "",
            _text(said.introduction),
            "",
            f"```sh\ntrioecho lab {lesson.name}\n```",
            "",
            '=== "Picture"',
            "",
            "    ![The ladder of this lesson. The tab Text has it as text.]"
            f"({lesson.name}.svg){{ .ladder }}",
            "",
            '=== "Text"',
            "",
            *_indented(f"```text\n{lesson.text.strip()}\n```"),
            "",
            "## What to notice",
            "",
            *(f"- {_text(' '.join(point.split()))}" for point in said.notice),
            "",
            "## A question",
            "",
            _text(said.question),
            "",
            '??? question "The answer"',
            "",
            *_indented(_text(said.answer)),
            "",
            "## How it is made",
            "",
            *_made(said),
            "",
            f"The rules: {', '.join(map(_text, said.rfc))}.",
            "",
        ]
    )


def index(folder: Path, seen: Path = SEEN) -> str:
    """The page that lists all lessons."""
    found = lessons(folder, seen)
    lines = [
        "# Lessons",
        "",
        "Each lesson shows one thing that can happen to a connection. Two real Linux TCP stacks"
        " perform it on a private wire, without root, while you watch; then you get a question. The"
        " ladders on these pages are recordings of such performances.",
        "",
        "```sh\ntrioecho lab                      # lists them\ntrioecho lab lost-syn-ack         "
        "# performs one\ntrioecho lab lost-syn-ack --answer   # answers its question\n```",
        "",
        "With `--kernel` the kernel's view of both ends appears beside each rung. To write a lesson"
        " of your own, you write [a TOML file](../how-to/lesson.md) and no code.",
    ]
    for level, about in _LEVELS.items():
        rows = [one for one in found if one.said.level == level]
        if rows:
            lines += ["", f"## {level.capitalize()}", "", about, ""]
            lines += ["| lesson | `trioecho lab …` |", "|---|---|"]
            lines += [
                f"| [{_plain(one.said.title)}]({one.name}.md) | `{one.name}` |" for one in rows
            ]
    return "\n".join([*lines, ""])


def navigation(folder: Path, seen: Path = SEEN) -> list[object]:
    """Their entries in the site's navigation: a section for each level."""
    found = lessons(folder, seen)
    sections = {
        level.capitalize(): [f"lessons/{one.name}.md" for one in found if one.said.level == level]
        for level in get_args(Level)
    }
    return ["lessons/index.md", *({name: paths} for name, paths in sections.items() if paths)]


def _made(said: Lesson) -> list[str]:
    """A table of what the wire and the ends do."""
    rows = []
    if said.faults:
        rows.append(("the wire", [f"`{fault}`" for fault in said.faults]))
    elif said.place == "wire":
        rows.append(("the wire", ["carries everything"]))
    else:
        rows.append(("both ends", ["are on one host, over its loopback"]))
    for end, settings in (("client", said.sysctl.client), ("server", said.sysctl.server)):
        if settings:
            words = [f"`{name} = {value}`" for name, value in settings.items()]
            rows.append((f"the {end}'s kernel", words))
    for end, parties in (("server", said.server), ("client", said.client)):
        rows += [(f"the {end}", _steps(party)) for party in parties]
    cells = [f"| {who} | {', '.join(words)} |" for who, words in rows]
    return ["| who | what |", "|---|---|", *cells]


def _steps(party: Party) -> list[str]:
    return [f"`{step}`" for step in party.steps]


def _text(text: str) -> str:
    """A lesson's text as Markdown, with each RFC as a link."""
    return _SOURCE.sub(_link, _plain(text.strip()))


def _plain(text: str) -> str:
    return escape(text, quote=False).replace("*", "\\*")


def _link(source: re.Match[str]) -> str:
    number, section = source.groups()
    where = f"#section-{section}" if section else ""
    return f"[{source[0]}](https://www.rfc-editor.org/rfc/rfc{number}{where})"


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]
