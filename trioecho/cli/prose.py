"""Prose on standard output: paragraphs, terms and what they mean, as wide as one can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap

from trioecho.cli.stdout import styled, width
from trioecho.text import printable, wrapped

_WIDEST = 88  # columns; longer lines are hard to read
_LONGEST_TERM = 36  # columns; what a longer one means stands below it


def paragraphs(text: str, mark: str = "") -> Iterator[str]:
    """A text's paragraphs, wrapped; ``mark`` starts each."""
    columns = min(width(), _WIDEST)
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        words = printable(" ".join(paragraph.split()))
        yield from wrapped(words, columns, mark, " " * len(mark))


def typed(text: str, indent: int = 2) -> Iterator[str]:
    """What one would type, or the like, in a line of its own if it fits; else with deeper ones."""
    yield from wrap(
        printable(text),
        max(width(), indent + 20),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def terms(rows: Mapping[str, str]) -> Iterator[str]:
    """Terms on the left, and what they mean beside or below them."""
    fitting = [len(term) for term in rows if len(term) <= min(_LONGEST_TERM, width() // 2)]
    indent = max(fitting, default=2) + 4
    for term, meaning in rows.items():
        first, *rest = [*paragraphs(meaning, " " * indent)] or [""]
        if len(term) + 4 <= indent:
            yield f"  {printable(term):{indent - 2}}{first[indent:]}".rstrip()
        else:
            yield from (*typed(term), first)
        yield from rest


def sections(parts: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Titled parts with an empty line between two; one without lines is left out."""
    filled = {title: lines for title, part in parts.items() if (lines := list(part))}
    for number, (title, lines) in enumerate(filled.items()):
        if number:
            yield ""
        yield from map(strong, paragraphs(title))
        yield from lines


def code(text: str) -> str:
    """A docstring's text, with the marks of code that Markdown has."""
    return text.replace("``", "`")


def plain(text: str) -> str:
    """A text without the marks of code that a page shows."""
    return text.replace("`", "")


def strong(text: str) -> str:
    """A title."""
    return styled(text, "strong")
