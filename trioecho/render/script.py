"""Rungs written in the ``.ladder`` notation, and compared with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import ndiff
from typing import TYPE_CHECKING

from trioecho.model import SYN, Fact, Rung
from trioecho.model.option_words import NOTATION, option_words
from trioecho.render.notation import LETTERS, LadderLine, parse
from trioecho.tcp.rules.loss import DuplicateAck
from trioecho.tcp.rules.resets import ConnectionRst

if TYPE_CHECKING:
    from trioecho.model import Summary
    from trioecho.render.renderer import Event, Setting

TOLERANCE = 4_000_000


def line(rung: Rung, previous: Rung | None = None) -> LadderLine:
    """A rung as a complete line."""
    segment = rung.segment
    said = [note for note in rung.notes if not note.implied]
    return LadderLine(
        rung.sender,
        "".join(letter for bit, letter in enumerate(LETTERS) if segment.flags >> bit & 1) or "-",
        rung.seq,
        segment.length,
        max(0, rung.time - previous.time) if previous else 0,
        rung.connection,
        rung.ack,
        rung.window,
        ",".join(option_words(segment.options, NOTATION)) or None if segment.flags & SYN else None,
        rung.lost,
        (rung.client_state, rung.server_state),
        ", ".join(map(_note, said)),
    )


def compare(
    expected: str, rungs: Sequence[Rung], tolerance: int = TOLERANCE, share: float = 0.0
) -> str:
    """Compares rungs with the ladder that is expected.

    Only what a line says is compared, and its time within the tolerance.

    Raises:
        TrioechoError: the expected ladder is not valid.
    """
    wanted = parse(expected)
    got = []
    for at, rung in enumerate(rungs):
        full = line(rung, rungs[at - 1] if at else None)
        got.append(_only(full, wanted[at], tolerance, share) if at < len(wanted) else full)
    if wanted == got:
        return ""
    return "\n".join(ndiff([str(one) for one in wanted], [str(one) for one in got]))


def write(rungs: Iterable[Rung], previous: Rung | None = None) -> str:
    """A whole ladder as text."""
    text = []
    for rung in rungs:
        text.append(f"{line(rung, previous)}\n")
        previous = rung
    return "".join(text)


def _only(full: LadderLine, wanted: LadderLine, tolerance: int, share: float) -> LadderLine:
    """``full`` reduced to the fields that ``wanted`` has."""
    delta = None
    if wanted.delta is not None and full.delta is not None:
        close = abs(full.delta - wanted.delta) <= max(tolerance, wanted.delta * share)
        delta = wanted.delta if close else full.delta
    pushed = full.length and "P" not in wanted.flags
    return LadderLine(
        full.sender,
        full.flags.replace("P", "") if pushed else full.flags,
        full.seq,
        full.length,
        delta,
        full.connection,
        full.ack if wanted.ack is not None else None,
        full.window if wanted.window is not None else None,
        _among(wanted.options, full.options),
        full.lost,
        full.states if wanted.states is not None else None,
        full.notes if wanted.states is not None else None,
    )


def _among(wanted: str | None, full: str | None) -> str | None:
    """The wanted options if all of them are there, else all that are."""
    if wanted is None or full is None or not set(wanted.split(",")) <= set(full.split(",")):
        return None if wanted is None else full
    return wanted


def _note(note: Fact) -> str:
    match note:
        case ConnectionRst(cause):
            return f"{note.kind} {cause}"
        case DuplicateAck(count, of):
            return f"{note.kind} {count} of {of}"
        case _:
            of = getattr(note, "of", None)
            return note.kind if of is None else f"{note.kind} of {of}"


class Script:
    """Writes a line for each rung, and each connection's ends as a comment."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._previous: Rung | None = None

    def begin(self) -> bytes:
        """The title, as a comment."""
        return f"# {self._setting.title}\n".encode()

    def show(self, events: Sequence[Event]) -> bytes:
        """A line for each rung; the notation has no socket calls."""
        rungs = [event for event in events if isinstance(event, Rung)]
        text = write(rungs, self._previous)
        self._previous = rungs[-1] if rungs else self._previous
        return text.encode()

    def end(self, summary: Summary) -> bytes:
        """Each connection's ends, as comments."""
        return "".join(
            f"# connection {one.number}: client {one.client}, server {one.server}\n"
            for one in summary.connections
        ).encode()
