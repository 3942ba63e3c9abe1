"""A page for each lesson of the lab: from its TOML, and from a real performance of it.

``make lessons`` performs each lesson and keeps what was seen, as a picture and as text, in
``docs/lessons``: a build performs nothing, and works where a wire cannot be had. A test holds what
is kept to the lesson's ladder. A lesson that was never performed has no page yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import get_args

from trioecho.lessons.lesson import Lesson, Level, Party, read

#: Where the performances are kept.
SEEN = Path(__file__).parent.parent / "docs" / "lessons"

_LEVELS: dict[str, str] = {
    "beginner": "How a connection begins, what it carries, and what a single loss does to it.",
    "intermediate": "Windows, timers, ways to close, and what two kernels agree on.",
    "expert": "Congestion, attacks, and what goes wrong between the two.",
}
_SOURCE = re.compile(r"RFC (\d+)(?: §([\d.]*\d))?")


@dataclass(frozen=True)
class Shown:
    """A lesson that is to be shown.

    Args:
        name: its name.
        said: what its TOML says.
        text: its ladder as text, as it was seen.
    """

    name: str
    said: Lesson
    text: str


def lessons(folder: Path, seen: Path = SEEN) -> list[Shown]:
    """The lessons that have been performed, in the order in which they are best taken.

    Args:
        folder: where the lessons are.
        seen: where their performances are.

    Returns:
        The easy ones first, and in the order of their numbers.
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
    waits = f" It waits for real timers: {said.takes:g} seconds." if said.takes else ""
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
            "    ![The ladder of this lesson. The tab beside it has it as text.]"
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
            f"Where the rules stand: {', '.join(map(_text, said.rfc))}.",
            "",
        ]
    )


def index(folder: Path, seen: Path = SEEN) -> str:
    """The page that lists all lessons."""
    found = lessons(folder, seen)
    lines = [
        "# Lessons",
        "",
        "Each lesson is one thing that happens to a connection. Two real Linux kernels perform it"
        " on a private wire, without root, while you watch; then you are asked a question. What you"
        " see on these pages was seen in just that way.",
        "",
        "```sh\ntrioecho lab                      # lists them\ntrioecho lab lost-syn-ack         "
        "# performs one\ntrioecho lab lost-syn-ack --answer\n```",
        "",
        "With `--kernel` the kernels tell what they think beside each rung. A lesson of your own is"
        " [a TOML file](../how-to/lesson.md) and no code.",
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
    """Their place in the site's navigation: a section for each level."""
    found = lessons(folder, seen)
    sections = {
        level.capitalize(): [f"lessons/{one.name}.md" for one in found if one.said.level == level]
        for level in get_args(Level)
    }
    return ["lessons/index.md", *({name: paths} for name, paths in sections.items() if paths)]


def _made(said: Lesson) -> list[str]:
    """What the wire and the ends do, for those who want to change it."""
    rows = []
    if said.faults:
        rows.append(("the wire", [f"`{fault}`" for fault in said.faults]))
    elif said.place == "wire":
        rows.append(("the wire", ["carries everything"]))
    else:
        rows.append(("both ends", ["on one host, over its loopback"]))
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
    """A lesson's text as Markdown that says the same, each RFC a link."""
    return _SOURCE.sub(_link, _plain(text.strip()))


def _plain(text: str) -> str:
    return escape(text, quote=False).replace("*", "\\*")


def _link(source: re.Match[str]) -> str:
    number, section = source.groups()
    where = f"#section-{section}" if section else ""
    return f"[{source[0]}](https://www.rfc-editor.org/rfc/rfc{number}{where})"


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]
