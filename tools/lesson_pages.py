"""A page for each lesson of the lab, from its TOML and the ladder that must come out of it.

A lesson without a ladder has no page yet. The picture is drawn from the ladder: its
segments go through the engine, which says why, and the states are those that the ladder states.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from frames import play
from msgspec.structs import replace

from trioecho.lessons.expected import path_of
from trioecho.lessons.lesson import Lesson, read
from trioecho.model import CaptureSummary, Rung, State, Summary
from trioecho.render import FORMATS, Setting
from trioecho.render.notation import parse
from trioecho.tcp import notes

_OFFERS = (notes.ConnectionSyn, notes.ConnectionSynack)
_REST = re.compile(r'<text [^>]*class="rest[^>]*>[^<]*</text>\n')


@dataclass(frozen=True)
class Shown:
    """A lesson that is to be shown: its name, what it says, and its ladder as text."""

    name: str
    said: Lesson
    ladder: str


def lessons(folder: Path) -> list[Shown]:
    """The lessons of a folder that have a ladder, in the order in which they are best taken."""
    found = [
        Shown(path.stem, read(path), path_of(path).read_text("utf-8"))
        for path in folder.glob("*.toml")
        if path_of(path).exists()
    ]
    return sorted(found, key=lambda one: (one.said.number, one.name))


def picture(lesson: Shown) -> str:
    """Its ladder, drawn."""
    rungs = list(_rungs(lesson.ladder))
    renderer = FORMATS["svg"](Setting(title=lesson.said.title))
    renderer.show(rungs)
    summary = Summary((), CaptureSummary("the lesson's ladder", len(rungs), None))
    drawn = renderer.end(summary).decode()
    # Windows and payloads that the ladder does not state are not the lesson's.
    return drawn if " win " in lesson.ladder else _REST.sub("", drawn)


def page(lesson: Shown) -> str:
    """Its page: what the TOML says, the picture, and the ladder as text beside it."""
    said = lesson.said
    takes = f", takes {said.takes:g} s" if said.takes else ""
    return "\n".join(
        [
            f"# {said.title}",
            "",
            f"*{said.level.capitalize()}{takes}.*",
            "",
            said.introduction.strip(),
            "",
            f"```sh\ntrioecho lab {lesson.name}\n```",
            "",
            f"![The ladder of this lesson; as text below.]({lesson.name}.svg){{ .ladder }}",
            "",
            '??? note "The ladder as text"',
            "",
            *_indented(f"```text\n{lesson.ladder.strip()}\n```"),
            "",
            "## What to notice",
            "",
            *(f"- {' '.join(point.split())}" for point in said.notice),
            "",
            "## A question",
            "",
            said.question.strip(),
            "",
            '??? question "The answer"',
            "",
            *_indented(said.answer.strip()),
            "",
            f"Where it stands: {', '.join(said.rfc)}.",
            "",
        ]
    )


def index(folder: Path) -> str:
    """The list of all lessons."""
    rows = [f"| [{one.said.title}]({one.name}.md) | {one.said.level} |" for one in lessons(folder)]
    intro = (
        "Each is performed by two real kernels on a private wire, while you watch:"
        " `trioecho lab NAME`. `trioecho lab` lists them."
    )
    return "\n".join(["# Lessons", "", intro, "", "| lesson | level |", "|---|---|", *rows, ""])


def _rungs(ladder: str) -> Iterator[Rung]:
    for line, rung in zip(parse(ladder), play(ladder), strict=True):
        if line.states is not None:
            client, server = map(State, line.states)
            rung = replace(rung, client_state=client, server_state=server)
        if line.options is None:
            rung = replace(rung, notes=tuple(one for one in rung.notes if type(one) not in _OFFERS))
        yield rung


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]
