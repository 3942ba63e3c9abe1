"""A page for each lesson of the lab, from its TOML and the ladder that must come out of it.

A lesson is ``NAME.toml`` with at least ``title`` and ``level``, and ``NAME.ladder``. Of the other
keys those that are texts are shown, ``introduction``, ``notice``, ``question``, ``answer`` and
``rfc`` first and in this order; the answer has to be asked for.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from frames import play

from trioecho.model import CaptureSummary, Summary
from trioecho.render import FORMATS, Setting

_FIRST = ("introduction", "text", "notice", "question", "answer", "rfc")
_HIDDEN = {"title", "level"}


@dataclass(frozen=True)
class Lesson:
    """A lesson: its name, what its TOML says, and its ladder as text."""

    name: str
    said: dict[str, object]
    ladder: str

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.said["title"])


def names(folder: Path) -> list[str]:
    """The lessons' names, easy ones first; none where there are none yet."""
    found = [read(path) for path in folder.glob("*.toml")]
    return [one.name for one in sorted(found, key=lambda one: (str(one.said["level"]), one.name))]


def read(path: Path) -> Lesson:
    """A lesson and its ladder."""
    said = tomllib.loads(path.read_text("utf-8"))
    return Lesson(path.stem, said, path.with_suffix(".ladder").read_text("utf-8"))


def picture(lesson: Lesson) -> str:
    """Its ladder, as the engine sees it, drawn."""
    rungs = play(lesson.ladder)
    renderer = FORMATS["svg"](Setting(title=lesson.title))
    renderer.show(rungs)
    summary = Summary((), CaptureSummary("the lesson's wire", len(rungs), 0))
    return renderer.end(summary).decode()


def page(lesson: Lesson) -> str:
    """Its page: what the TOML says, the picture, and the ladder as text beside it."""
    texts = {key: value for key, value in lesson.said.items() if isinstance(value, str)}
    order = [key for key in _FIRST if key in texts]
    order += [key for key in texts if key not in order and key not in _HIDDEN]
    lines = [f"# {lesson.title}", "", f"```sh\ntrioecho lab {lesson.name}\n```", ""]
    shown = False
    for key in order:
        if key not in ("introduction", "text") and not shown:
            lines += _ladder(lesson)
            shown = True
        lines += _part(key, texts[key].strip())
    if not shown:
        lines += _ladder(lesson)
    return "\n".join(lines)


def index(folder: Path) -> str:
    """The list of all lessons."""
    rows = [read(folder / f"{name}.toml") for name in names(folder)]
    items = [f"- [{one.title}]({one.name}.md), level {one.said['level']}" for one in rows]
    return "\n".join(["# Lessons", "", *items, ""])


def _ladder(lesson: Lesson) -> list[str]:
    text = "\n".join(f"    {line}".rstrip() for line in lesson.ladder.splitlines())
    return [
        f"![The ladder of this lesson; as text below.]({lesson.name}.svg){{ .ladder }}",
        "",
        f'??? note "The ladder as text"\n\n    ```text\n{text}\n    ```',
        "",
    ]


def _part(key: str, text: str) -> list[str]:
    if key == "answer":
        body = "\n".join(f"    {line}".rstrip() for line in text.splitlines())
        return [f'??? question "Answer"\n\n{body}', ""]
    if key in ("introduction", "text"):
        return [text, ""]
    title = "RFC" if key == "rfc" else key.replace("_", " ").capitalize()
    return [f"## {title}", "", text, ""]
