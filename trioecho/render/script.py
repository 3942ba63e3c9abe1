"""The ``.ladder`` notation: a ladder as text that is written, read and compared.

::

    +0      > S 0:0(0) win 65495 <mss 65495,sackOK,ts,wscale 7> | SYN-SENT SYN-RECEIVED
    +.00001 < S. 0:0(0) ack 1                                   | ESTABLISHED SYN-RECEIVED
    +.1     > P. 1:6(5) ack 1 lost                              | ESTABLISHED ESTABLISHED
    +.3     > P. 1:6(5) ack 1            | ESTABLISHED ESTABLISHED  retransmission of 4

A line is a segment: seconds since the line before; ``>`` from the client or ``<`` from the server,
with the connection's number behind it from the second on; the control bits as tcpdump writes them
(``FSRP.UEWe``); first:last(length) in relative sequence numbers; then, each of them optional, the
ACK, the window after scaling, the options, and ``lost``. Behind the ``|`` stand both ends' states
after it, the client's first, and the notes, separated by commas. ``#`` begins a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import ndiff
from typing import TYPE_CHECKING

from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.model import SYN, End, Options, Rung, State
from trioecho.tcp import notes
from trioecho.tcp.notes import Note

if TYPE_CHECKING:
    from trioecho.model import Summary
    from trioecho.render import RungOrCall, Setting

LETTERS = "FSRP.UEWe"
TOLERANCE = 4_000_000

# The expected course of things says nothing that the segment itself does not say.
_COURSE = (
    notes.ConnectionSyn,
    notes.ConnectionSynack,
    notes.HandshakeComplete,
    notes.Data,
    notes.Ack,
    notes.ConnectionFin,
    notes.FinAck,
    notes.SegmentationOffload,
    notes.ChecksumOffload,
)


class Line(Struct, frozen=True):
    """One line of a ladder. What is None was not written, and is not compared.

    ``delta`` is in nanoseconds since the line before.
    """

    sender: End
    flags: str
    seq: int
    length: int
    delta: int | None = None
    connection: int = 1
    ack: int | None = None
    window: int | None = None
    options: str | None = None
    lost: bool = False
    states: tuple[str, str] | None = None
    notes: str | None = None

    def __str__(self) -> str:
        number = "" if self.connection == 1 else str(self.connection)
        words = [
            "" if self.delta is None else f"{_seconds(self.delta):8}",
            (">" if self.sender == "client" else "<") + number,
            self.flags,
            f"{self.seq}:{self.seq + self.length}({self.length})",
            "" if self.ack is None else f"ack {self.ack}",
            "" if self.window is None else f"win {self.window}",
            "" if self.options is None else f"<{self.options}>",
            "lost" if self.lost else "",
        ]
        text = " ".join(word for word in words if word)
        if self.states is None:
            return text
        client, server = self.states
        return f"{text:45} | {client:12} {server:12} {self.notes or ''}".rstrip()


def line(rung: Rung, previous: Rung | None = None) -> Line:
    """A rung as a line that says everything.

    Args:
        rung: the rung.
        previous: the rung before it, from which the time counts.
    """
    segment = rung.segment
    said = [note for note in rung.notes if not isinstance(note, _COURSE)]
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


def parse(text: str) -> list[Line]:
    """Read a ladder.

    Args:
        text: the ladder's text.

    Returns:
        Its lines, without the comments.

    Raises:
        TrioechoError: a word is not understood; the message names the line and the word.
    """
    lines = []
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.split("#", 1)[0].strip()
        if stripped:
            lines.append(_parse_line(stripped, number))
    return lines


def compare(expected: str, rungs: Sequence[Rung], tolerance: int = TOLERANCE) -> str:
    """Compare what happened with a ladder that says what should.

    Of each line only what is written there is compared; times only within the tolerance.

    Args:
        expected: a ladder.
        rungs: what happened.
        tolerance: how far a line's time may be off, in nanoseconds.

    Returns:
        ``""`` when all is as expected, else an ndiff with the expected lines marked ``-``.
    """
    wanted = parse(expected)
    got = []
    for at, rung in enumerate(rungs):
        full = line(rung, rungs[at - 1] if at else None)
        got.append(_only(full, wanted[at], tolerance) if at < len(wanted) else full)
    if wanted == got:
        return ""
    return "\n".join(ndiff([str(one) for one in wanted], [str(one) for one in got]))


def write(rungs: Iterable[Rung]) -> str:
    """A whole ladder as text."""
    text, previous = [], None
    for rung in rungs:
        text.append(f"{line(rung, previous)}\n")
        previous = rung
    return "".join(text)


def _only(full: Line, wanted: Line, tolerance: int) -> Line:
    """``full`` reduced to what ``wanted`` says something of."""
    delta = None
    if wanted.delta is not None and full.delta is not None:
        close = abs(full.delta - wanted.delta) <= tolerance
        delta = wanted.delta if close else full.delta
    return Line(
        full.sender,
        full.flags,
        full.seq,
        full.length,
        delta,
        full.connection,
        full.ack if wanted.ack is not None else None,
        full.window if wanted.window is not None else None,
        full.options if wanted.options is not None else None,
        full.lost,
        full.states if wanted.states is not None else None,
        full.notes if wanted.states is not None else None,
    )


def _parse_line(text: str, number: int) -> Line:
    left, bar, right = text.partition("|")
    options = None
    words = left.split()

    def wrong(word: str, wanted: str) -> TrioechoError:
        return TrioechoError(f"ladder, line {number}: {word!r} where {wanted} should stand")

    def take(wanted: str) -> str:
        if not words:
            raise wrong("the end of the line", wanted)
        return words.pop(0)

    delta = None
    if words and words[0].startswith("+"):
        word = take("a time")
        try:
            delta = round(float(word[1:]) * 1e9)
        except ValueError:
            raise wrong(word, "a time such as +.1") from None
    word = take("> or <")
    if word[0] not in "<>" or not (word[1:] or "1").isdecimal():
        raise wrong(word, "> or <")
    sender: End = "client" if word[0] == ">" else "server"
    connection = int(word[1:] or 1)
    flags = take("the control bits")
    if flags != "-" and set(flags) - set(LETTERS):
        raise wrong(flags, f"control bits out of {LETTERS}")
    space = take("first:last(length)")
    try:
        first, _, rest = space.partition(":")
        last, _, size = rest.rstrip(")").partition("(")
        seq, length = int(first), int(size)
        if int(last) != seq + length:
            raise ValueError
    except ValueError:
        raise wrong(space, "first:last(length), last = first + length,") from None
    ack = window = None
    lost = False
    while words:
        word = words.pop(0)
        if word in ("ack", "win"):
            value = take(f"a number behind {word}")
            if not value.lstrip("-").isdecimal():
                raise wrong(value, f"a number behind {word}")
            if word == "ack":
                ack = int(value)
            else:
                window = int(value)
        elif word.startswith("<"):
            while not word.endswith(">"):
                word += " " + take("the > that ends the options")
            options = word[1:-1]
        elif word == "lost":
            lost = True
        else:
            raise wrong(word, "ack, win, <options> or lost")
    states = said = None
    if bar:
        names = right.split(maxsplit=2)
        for name in names[:2]:
            if name not in State.__members__.values():
                raise wrong(name, "one of the states of RFC 9293")
        if len(names) < 2:
            raise wrong("the end of the line", "two states")
        states, said = (names[0], names[1]), " ".join(names[2:])
    return Line(
        sender, flags, seq, length, delta, connection, ack, window, options, lost, states, said
    )


def _note(note: Note) -> str:
    match note:
        case notes.ConnectionRst(cause):
            return f"{note.kind} {cause}"
        case notes.DuplicateAck(count, of):
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
    return ",".join(words)


def _seconds(nanoseconds: int) -> str:
    text = f"{nanoseconds / 1e9:.6f}".rstrip("0").rstrip(".")
    return "+" + (text.removeprefix("0") if text not in ("0", "") else "0")


class Script:
    """The notation as a format: a line a rung, and each connection's ends as a comment."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._previous: Rung | None = None

    def begin(self) -> bytes:
        """The title, as a comment."""
        return f"# {self._setting.title}\n".encode()

    def show(self, events: Sequence[RungOrCall]) -> bytes:
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
