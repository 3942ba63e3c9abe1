"""The text of ``trioecho explain``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from trioecho.account.causes import CAUSES
from trioecho.account.glossary import LOSSES, SIGNS
from trioecho.account.losses import ADVICE
from trioecho.cli import prose
from trioecho.cli.stdout import say, width
from trioecho.errors import TrioechoError
from trioecho.faults.faults import FAULTS
from trioecho.lessons.catalogue import naming, title, with_note
from trioecho.lessons.shelf import names
from trioecho.model import Fact, State
from trioecho.tcp.glossary import STATES, WORDS, enters, leaves
from trioecho.tcp.rules.catalogue import (
    Found,
    cause_of,
    causes,
    examples,
    found,
    kind_of,
    said,
    whole,
)

_SECTION = re.compile(r"RFC (\d+)(?: §([\d.]*\d))?")
_MOST_LESSONS = 5
#: What a cause says of whichever end.
_SOME = {"end": "end", "answers": "answer"}
_NOTHING: Mapping[str, Iterable[str]] = {}


def topics() -> list[str]:
    """All that can be explained: notes, causes of resets, states, words, causes of time, faults."""
    kinds = dict.fromkeys(one.kind for one in found())
    faults = [one.verb for one in FAULTS]
    return [*dict.fromkeys((*kinds, *causes(), *STATES, *WORDS, *SIGNS, *faults))]


def show_all() -> int:
    """Print every kind of note below the question that it answers."""
    parts: dict[str, dict[str, str]] = {}
    seen = set()
    for one in found():
        if one.kind not in seen:
            seen.add(one.kind)
            parts.setdefault(one.asks, {})[one.kind] = prose.code(said(whole(one.kind)))
    parts["Why a reset was sent"] = {name: prose.code(said(one)) for name, one in causes().items()}
    parts["What time goes to, in an account"] = {name: _happened(name) for name in CAUSES}
    parts["Why segments were lost, in an account"] = LOSSES
    lines = {asks: prose.terms(rows) for asks, rows in parts.items()}
    more = [*prose.paragraphs(f"States: {', '.join(STATES)}", "  ")]
    more += prose.paragraphs(f"Words: {', '.join(WORDS)}", "  ")
    for line in prose.sections({**lines, "Besides": more}):
        say(line)
    return 0


def show_one(asked: str) -> int:
    """Explain one thing.

    Raises:
        TrioechoError: nothing is called so; the message names what is near.
    """
    parts = _parts("-".join(asked.lower().replace("_", " ").split()))
    kind, *rest = asked.lower().split() or [""]
    if not parts and rest:  # as a ladder has it: "duplicate-ack 2 of 11", "connection-rst refused"
        parts = _parts(rest[0] if rest[0] in causes() else kind)
    if not parts:
        raise _unknown(asked)
    for number, lines in enumerate(parts):
        for line in [""] * bool(number) + lines:
            say(line)
    return 0


def _parts(name: str) -> list[list[str]]:
    """What each way to explain has on a name."""
    return [lines for one in _EXPLAINED if (lines := list(one(name)))]


def _unknown(asked: str) -> TrioechoError:
    name = "-".join(asked.lower().replace("_", " ").split())
    known = {topic.lower(): topic for topic in topics()}
    near = [known[one] for one in get_close_matches(name, known, 3, 0.6)]
    near += [topic for low, topic in known.items() if len(name) > 2 and name in low]
    near += [one.kind for one in found() if name in f"{one.when} {said(one.fact)}".lower().split()]
    close = list(dict.fromkeys(near))[:3]
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    what = f"No note, state or word of a ladder is called {asked[:40]!r}"
    return TrioechoError(what, f"{meant}`trioecho explain` lists all")


def _kind(name: str) -> Iterator[str]:
    """A kind of note; of a reset, with all its causes."""
    rules = [one for one in found() if one.kind == name]
    if rules:
        if cause_of(rules[0].fact):
            yield from _reset(name, rules)
        else:
            yield from _note(name, whole(name), rules, name)


def _reset(name: str, rules: list[Found]) -> Iterator[str]:
    """The kind of a reset: its causes, each of which has an explanation of its own."""
    listed = {cause: prose.code(said(fact)) for cause, fact in causes().items()}
    title = "Its causes; `trioecho explain refused` explains one"
    yield from _note(name, whole(name), rules, name, {title: prose.terms(listed)})


def _cause(name: str) -> Iterator[str]:
    """The cause of a reset."""
    fact = causes().get(name)
    if fact is not None:
        rules = [one for one in found() if one.fact is fact]
        kind = kind_of(fact)
        yield from _note(f"{kind}, cause {name}", fact, rules, f"{kind} {name}")


def _note(
    name: str,
    fact: type[Fact],
    rules: list[Found],
    in_ladders: str,
    instead: Mapping[str, Iterable[str]] = _NOTHING,
) -> Iterator[str]:
    """A note; ``instead`` stands for what its rules have in particular."""
    shown = examples()
    every = [shown[one.name] for one in rules]
    sources = dict.fromkeys(one.source for one in every)
    yield prose.strong(name)
    yield from prose.paragraphs(prose.code(said(fact)), "  ")
    yield ""
    keys = ", ".join(("kind", *fact.__struct_fields__))
    own: Mapping[str, Iterable[str]] = instead or {
        "When": _each(prose.code(one.when) for one in rules),
        "What is said, for instance": _each(dict.fromkeys(one.says for one in every)),
        "Source": _sources(sources),
    }
    parts: dict[str, Iterable[str]] = {
        "The question that it answers": _each(dict.fromkeys(one.asks for one in rules)),
        "What follows": _each(_consequences([one.fact for one in rules])),
        "On a ladder, at its last segment": _ladder(_shortest(one.ladder for one in every)),
        "Lessons that show it": _lessons(with_note(in_ladders)),
        "Its keys in JSON": [f"  {keys}"],
    }
    yield from prose.sections({**own, **parts})


def _shortest(ladders: Iterable[Sequence[str]]) -> Sequence[str]:
    return min(ladders, key=len, default=())


def _ladder(lines: Iterable[str]) -> Iterator[str]:
    """Lines of a ladder; where the screen is too narrow, what follows the bar stands below."""
    for line in lines:
        left, bar, right = line.partition("|")
        if 2 + len(line) <= width() or not bar:
            yield from prose.typed(line)
        else:
            yield from prose.typed(left.rstrip())
            yield from prose.typed(f"| {right.strip()}", 6)


def _consequences(facts: list[type[Fact]]) -> Iterator[str]:
    for told, sentence in (
        ("trouble", "It is trouble: the summary counts it, and the table shows it."),
        ("again", "Its segment uses sequence numbers that were used before."),
        ("dropped", "The receiver drops the segment, as far as is known."),
        ("routine", "Nearly every segment has it, so it is not said each time."),
        ("implied", "The segment's header says as much, so a .ladder does not list it."),
    ):
        holds = [bool(getattr(one, told)) for one in facts]
        if any(holds):
            yield sentence if all(holds) else f"In some cases: {sentence[0].lower()}{sentence[1:]}"


def _state(name: str) -> Iterator[str]:
    """A state: what it means, what leads to it, what leaves it."""
    if name.upper() not in State.__members__.values():
        return
    state = State(name.upper())
    yield prose.strong(f"{state}, a state")
    yield from prose.paragraphs(STATES[state].text, "  ")
    yield ""
    yield from prose.sections(
        {
            "What leads to it": prose.terms(_ways("from", enters(state))),
            "What leaves it": prose.terms(_ways("to", leaves(state))),
            "Source": _sources([STATES[state].source]),
            "Lessons that speak of it": _lessons(naming(state)),
        }
    )


def _ways(word: str, ways: list[tuple[str, State]]) -> dict[str, str]:
    """What happens, by the other state."""
    rows: dict[str, str] = {}
    for how, state in ways:
        rows[f"{word} {state}"] = ", or ".join(filter(None, (rows.get(f"{word} {state}"), how)))
    return rows


def _word(name: str) -> Iterator[str]:
    """A control bit, an option, a figure."""
    meaning = WORDS.get(name)
    if meaning is not None:
        yield prose.strong(f"{name}, a word")
        yield from prose.paragraphs(meaning.text, "  ")
        yield ""
        lessons = naming(name.replace("-", " ")) or naming(name) if not meaning.common else []
        yield from prose.sections(
            {"Source": _sources([meaning.source]), "Lessons that speak of it": _lessons(lessons)}
        )


def _time(name: str) -> Iterator[str]:
    """What an account gives a connection's time to, or why it says that segments were lost."""
    sign, cause = SIGNS.get(name), CAUSES.get(name)
    if sign is None:
        return
    what, advice = _happened(name), cause.advice if cause else ADVICE[name]
    yield prose.strong(f"{name}, {'a cause' if cause else 'why segments are lost'} in an account")
    yield from prose.paragraphs(f"{what[0].upper()}{what[1:]}.", "  ")
    yield ""
    yield from prose.sections(
        {
            "What to change": prose.paragraphs(advice, "  ") if advice else (),
            "How to be sure": prose.paragraphs(sign.sure, "  "),
            "What it isn't": prose.paragraphs(sign.unlike, "  "),
            "Source": _sources(sign.sources),
            "A lesson that shows it": _lessons([cause.lesson] if cause and cause.lesson else []),
            "More about it": [f"  docs/how-to/causes.md#{name}"],
        }
    )


def _happened(name: str) -> str:
    """What happened, of a cause or of a kind of loss, whichever end it was."""
    return CAUSES[name].text.format(**_SOME) if name in CAUSES else LOSSES[name]


def _fault(name: str) -> Iterator[str]:
    """The verb of a fault."""
    if name in (one.verb for one in FAULTS):
        yield prose.strong(f"{name}, a fault")
        yield f"  trioecho faults {name}"


def _lesson(name: str) -> Iterator[str]:
    """A lesson of that name."""
    if name in names():
        yield prose.strong(f"{name}, a lesson")
        yield from prose.terms({f"trioecho lab {name}": title(name)})


_EXPLAINED: tuple[Callable[[str], Iterator[str]], ...] = (
    *(_kind, _cause, _time, _state, _word, _fault, _lesson),
)


def _each(lines: Iterable[str]) -> Iterator[str]:
    every = list(lines)
    for line in every:
        yield from prose.paragraphs(line, "  - " if len(every) > 1 else "  ")


def _sources(sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        yield f"  {source}"
        if section := _SECTION.search(source):
            where = f"#section-{section[2]}" if section[2] else ""
            yield f"    https://www.rfc-editor.org/rfc/rfc{section[1]}{where}"


def _lessons(found: list[str]) -> Iterator[str]:
    shown = {f"trioecho lab {name}": title(name) for name in found[:_MOST_LESSONS]}
    yield from prose.terms(shown)
