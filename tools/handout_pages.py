"""Prints lessons for a class: ``python tools/handout_pages.py handouts [NAME …]``.

It writes two pages that need nothing else: ``questions.html`` has each lesson with an empty ladder
to fill in and a question; ``answers.html`` has what a performance showed, and the answer. On paper
each lesson begins on a page of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from lesson_pages import Shown, lessons

from trioecho.errors import TrioechoError
from trioecho.lessons.expected import path_of
from trioecho.lessons.lesson import Lesson, Party
from trioecho.lessons.shelf import FOLDER, find
from trioecho.render.notation import LadderLine, parse

_MOST_ROWS = 16
_WRITING_LINES = 4

_STYLE = """
body { font: 11pt/1.4 sans-serif; max-width: 48em; margin: 2em auto; padding: 0 1em }
section { break-before: page } section:first-of-type { break-before: auto }
h2 { margin-bottom: 0 } .about { color: #555; margin-top: 0 }
pre { font: 7.5pt/1.25 monospace; overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #999; padding: .3em .5em; text-align: left; height: 1.4em }
th { font-weight: normal; color: #555 } th:first-child, td:first-child { width: 2em }
code { font: 10pt monospace } .write { border-bottom: 1px solid #999; height: 2em }
"""


def questions(shown: Sequence[Shown]) -> str:
    """The page for students: no answer is on it."""
    about = (
        "Fill in each ladder before you see it: who sends the segment, what it is (SYN, ACK, 16"
        " bytes of data), its sequence number and its ACK, and the states of both ends behind it."
        " The first line is given. Then run the command, and compare."
    )
    return _page("TCP: lessons to fill in", about, [_questions(one) for one in shown])


def answers(shown: Sequence[Shown]) -> str:
    """The page for the teacher."""
    about = "What a performance of each lesson showed, what to notice in it, and the answer."
    return _page("TCP: the answers", about, [_answers(one) for one in shown])


def chosen(names: Sequence[str]) -> list[Shown]:
    """The lessons of these names, in their order on the shelf; all of them without names.

    Raises:
        TrioechoError: there is no lesson of a name.
    """
    wanted = {find(name).stem for name in names}
    return [one for one in lessons(FOLDER) if not wanted or one.name in wanted]


def _questions(lesson: Shown) -> Iterator[str]:
    said = lesson.said
    yield from _head(lesson)
    yield from _paragraphs(said.introduction)
    yield "<h3>Who does what</h3>"
    yield from _made(said)
    yield "<h3>The ladder</h3>"
    yield from _rows(parse(path_of(find(lesson.name)).read_text("utf-8")))
    yield "<h3>A question</h3>"
    yield from _paragraphs(said.question)
    yield from ['<div class="write"></div>'] * _WRITING_LINES


def _answers(lesson: Shown) -> Iterator[str]:
    said = lesson.said
    yield from _head(lesson)
    yield f"<pre>{escape(lesson.text.strip())}</pre>"
    yield "<h3>What to notice</h3>"
    yield f"<ul>{''.join(f'<li>{_text(point)}</li>' for point in said.notice)}</ul>"
    yield "<h3>The question</h3>"
    yield from _paragraphs(said.question)
    yield "<h3>The answer</h3>"
    yield from _paragraphs(said.answer)
    yield f"<p>The rules: {_text(', '.join(said.rfc))}.</p>"


def _head(lesson: Shown) -> Iterator[str]:
    said = lesson.said
    yield f"<h2>{_text(said.title)}</h2>"
    yield f'<p class="about">{said.level}; <code>trioecho lab {escape(lesson.name)}</code></p>'


def _made(said: Lesson) -> Iterator[str]:
    """What the wire and both ends do: all that one needs for a prediction."""
    if said.faults:
        yield f"<p>The wire: {', '.join(map(_code, said.faults))}.</p>"
    for end, settings in (("client", said.sysctl.client), ("server", said.sysctl.server)):
        if settings:
            words = ", ".join(_code(f"{name} = {value}") for name, value in settings.items())
            yield f"<p>The {end}'s kernel: {words}.</p>"
    for end, parties in (("server", said.server), ("client", said.client)):
        for party in parties:
            yield f"<p>The {end}: {_steps(party)}.</p>"


def _steps(party: Party) -> str:
    return ", ".join(map(_code, party.steps))


def _rows(ladder: Sequence[LadderLine]) -> Iterator[str]:
    """A ladder to fill in: its first line, and an empty one for each of the others."""
    titles = ("", "who", "what", "seq", "ack", "client's state", "server's state")
    yield f"<table><tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr>"
    first = ladder[0]
    states = first.states or ("", "")
    given = ("1", first.sender, "SYN", str(first.seq), "", *states)
    yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in given)}</tr>"
    for number in range(2, min(len(ladder), _MOST_ROWS) + 1):
        yield f"<tr><td>{number}</td>{'<td></td>' * (len(titles) - 1)}</tr>"
    yield "</table>"
    if len(ladder) > _MOST_ROWS:
        yield f"<p>There are {len(ladder) - _MOST_ROWS} more.</p>"


def _page(title: str, about: str, sections: Sequence[Iterator[str]]) -> str:
    body = "\n".join(f"<section>\n{chr(10).join(one)}\n</section>" for one in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8" />\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n<p>{about}</p>\n{body}\n</body>\n</html>\n"
    )


def _paragraphs(text: str) -> list[str]:
    return [f"<p>{_text(one)}</p>" for one in text.strip().split("\n\n")]


def _text(text: str) -> str:
    return escape(" ".join(text.split()))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def main(folder: Path, names: Sequence[str]) -> None:
    """Write both pages."""
    shown = chosen(names)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("questions", questions(shown)), ("answers", answers(shown))):
        path = folder / f"{name}.html"
        path.write_text(text, "utf-8")
        print(path)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except TrioechoError as error:
        sys.exit(str(error))
