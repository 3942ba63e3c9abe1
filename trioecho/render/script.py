"""Ladders written in the ``.ladder`` notation, and compared with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import ndiff
from typing import TYPE_CHECKING

from trioecho.model import SYN, Fact, Options, Rung
from trioecho.render.notation import LETTERS, Line, parse
from trioecho.tcp.rules.loss import DuplicateAck
from trioecho.tcp.rules.resets import ConnectionRst

if TYPE_CHECKING:
    from trioecho.model import Summary
    from trioecho.render import Event, Setting

TOLERANCE = 4_000_000


def line(rung: Rung, previous: Rung | None = None) -> Line:
    """A rung as a line that says everything.

    Args:
        rung: the rung.
        previous: the rung before it, from which the time counts.

    Returns:
        The line.
    """
    segment = rung.segment
    said = [note for note in rung.notes if not note.implied]
    return Line(
        rung.sender,
        "".join(letter for bit, letter in enumerate(LETTERS) if segment.flags >> bit & 1) or "-",
        rung.seq,
        segment.length,
        rung.time - previous.time if previous else 0,
        rung.connection,
        rung.ack,
        rung.window,
        _options(segment.options) or None if segment.flags & SYN else None,
        rung.lost,
        (rung.client_state, rung.server_state),
        ", ".join(map(_note, said)),
    )


def compare(
    expected: str, rungs: Sequence[Rung], tolerance: int = TOLERANCE, share: float = 0.0
) -> str:
    """Compare what happened with a ladder that says what should.

    Of each line only what is written there is compared; times only within the tolerance.

    Args:
        expected: a ladder.
        rungs: what happened.
        tolerance: how far a line's time may be off, in nanoseconds.
        share: how far it may be off at least, as a share of what it should be.

    Returns:
        ``""`` when all is as expected, else an ndiff with the expected lines marked ``-``.
    """
    wanted = parse(expected)
    got = []
    for at, rung in enumerate(rungs):
        full = line(rung, rungs[at - 1] if at else None)
        got.append(_only(full, wanted[at], tolerance, share) if at < len(wanted) else full)
    if wanted == got:
        return ""
    return "\n".join(ndiff([str(one) for one in wanted], [str(one) for one in got]))


def write(rungs: Iterable[Rung]) -> str:
    """A whole ladder as text.

    Args:
        rungs: the rungs, in order of time.

    Returns:
        The ladder's text.
    """
    text, previous = [], None
    for rung in rungs:
        text.append(f"{line(rung, previous)}\n")
        previous = rung
    return "".join(text)


def _only(full: Line, wanted: Line, tolerance: int, share: float) -> Line:
    """``full`` reduced to what ``wanted`` says something of."""
    delta = None
    if wanted.delta is not None and full.delta is not None:
        close = abs(full.delta - wanted.delta) <= max(tolerance, wanted.delta * share)
        delta = wanted.delta if close else full.delta
    pushed = full.length and "P" not in wanted.flags
    return Line(
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
    """The options wanted, if they are among all of them."""
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


def _options(options: Options) -> str:
    words = []
    if options.mss is not None:
        words.append(f"mss {options.mss}")
    if options.sack_permitted:
        words.append("sackOK")
    if options.timestamps is not None:
        words.append("ts")
    if options.window_scale is not None:
        words.append(f"wscale {options.window_scale}")
    if options.fast_open is not None:
        words.append("tfo cookie" if options.fast_open else "tfo cookiereq")
    return ",".join(words)


class Script:
    """The notation as a format: a line a rung, and each connection's ends as a comment."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._previous: Rung | None = None

    def begin(self) -> bytes:
        """The title, as a comment."""
        return f"# {self._setting.title}\n".encode()

    def show(self, events: Sequence[Event]) -> bytes:
        """A line a rung; socket calls are no part of the notation."""
        text = []
        for event in events:
            if isinstance(event, Rung):
                text.append(f"{line(event, self._previous)}\n")
                self._previous = event
        return "".join(text).encode()

    def end(self, summary: Summary) -> bytes:
        """Who was who, as comments."""
        return "".join(
            f"# connection {one.number}: client {one.client}, server {one.server}\n"
            for one in summary.connections
        ).encode()
