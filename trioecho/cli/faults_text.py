"""The text of ``trioecho faults``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from trioecho.cli import prose
from trioecho.cli.stdout import say
from trioecho.faults.fault import Fault
from trioecho.faults.faults import FAULTS
from trioecho.faults.glossary import TERMS, Term, examples, find, meaning, terms
from trioecho.lessons.catalogue import with_fault


def show_all() -> int:
    """Print every fault with an example, and the parts that they share."""
    lines = prose.sections(
        {
            "Faults, in the order in which a packet meets them": _overview(FAULTS),
            "Their parts": prose.terms({name: _told(term) for name, term in TERMS.items()}),
            "More": prose.terms(
                {
                    "trioecho faults drop": "all of one: parts, units, examples, lessons",
                    'trioecho trace hi --fault "drop syn-ack"': "to see what one does",
                }
            ),
        }
    )
    for line in lines:
        say(line)
    return 0


def show_word(word: str) -> int:
    """Print all about the faults that begin with a word, or those in which it may stand.

    Raises:
        TrioechoError: it stands in none.
    """
    found = find(word)
    own = [fault for fault in found if fault.verb == word.lower()] or found[: len(found) == 1]
    others = [fault for fault in found if fault not in own]
    if own:
        for line in _whole(own):
            say(line)
    if own and others:
        say("")
    part = {name: _told(term) for name, term in TERMS.items() if name == word.upper()}
    title = "Other faults with this word" if own else "Faults with this word"
    for line in prose.sections({"A part": prose.terms(part), title: _overview(others)}):
        say(line)
    return 0


def _overview(faults: Sequence[type[Fault]]) -> Iterator[str]:
    for fault in faults:
        yield from prose.typed(fault.usage)
        yield from prose.paragraphs(meaning(fault), " " * 6)
        yield from prose.typed(f"Such as: {next(iter(examples(fault)))}", 6)


def _whole(faults: Sequence[type[Fault]]) -> Iterator[str]:
    """Faults of one verb: forms, parts, examples and lessons."""
    for fault in faults:
        yield from map(prose.strong, prose.typed(fault.usage, 0))
        yield from prose.paragraphs(meaning(fault), "  ")
        yield ""
    every = {name: term for fault in faults for name, term in terms(fault).items()}
    shown = {text: what for fault in faults for text, what in examples(fault).items()}
    lessons = [f"  trioecho lab {name}" for name in with_fault(*faults)]
    given = " ".join(f"--fault {quote(text)}" for text in _script(next(iter(shown))))
    yield from prose.sections(
        {
            "Its parts": prose.terms({name: _told(term) for name, term in every.items()}),
            "Examples": prose.terms(shown),
            "Lessons that use it": lessons,
            "To see what it does": prose.typed(f"trioecho trace hi {given}"),
        }
    )


def _script(text: str) -> list[str]:
    """A fault with what it needs: a queue is one of a rate."""
    return ["rate 1mbit", text] if text.startswith("queue ") else [text]


def _told(term: Term) -> str:
    default = f"; without it, {prose.plain(term.default)}" if term.default else ""
    return prose.plain(term.values) + default
