"""The ``.ladder`` notation: a ladder as text that is written, read and compared.

::

    +0      > S 0:0(0) win 65495 <mss 65495,sackOK,ts,wscale 7> | SYN-SENT LISTEN
    +.00001 < S. 0:0(0) ack 1                                   | ESTABLISHED SYN-RECEIVED
    +.1     > P. 1:6(5) ack 1 lost                              | ESTABLISHED ESTABLISHED
    +.3     > P. 1:6(5) ack 1            | ESTABLISHED ESTABLISHED  retransmission of 4

Each line is a segment: seconds since the line before; ``>`` from the client or ``<`` from the
server, followed by the connection's number from the second on; the control bits as tcpdump writes
them (``FSRP.UEWe``); first:last(length) in relative sequence numbers. Optional are the ACK, the
window after scaling, some of a SYN's options, and ``lost``. After the ``|`` come both ends' states,
the client's first, and the notes, separated by commas. ``#`` begins a comment.

``P`` on a segment with data is compared only where it is written: the kernel decides which segments
of a long send have it.
"""

from __future__ import annotations

from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.model import ENDS, End, State

LETTERS = "FSRP.UEWe"


class LadderLine(Struct, frozen=True):
    """One line of a ladder. A field that is None was not written and is not compared.

    Args:
        sender: which end sent the segment.
        flags: the control bits, letters of ``LETTERS``; ``-`` for none.
        seq: the relative sequence number.
        length: bytes of payload.
        delta: nanoseconds since the line before.
        connection: the number of the connection, from 1.
        ack: the relative acknowledgment number.
        window: the window in bytes, after scaling.
        options: a SYN's options, separated by commas.
        lost: whether the segment was lost on the wire.
        states: both ends' states after it, the client's first.
        notes: the notes, separated by commas.
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


def parse(text: str) -> list[LadderLine]:
    """Parses a ladder.

    Raises:
        TrioechoError: a word is not valid; the message names the line and the word.
    """
    return [line for _, line in numbered(text)]


def numbered(text: str) -> list[tuple[int, LadderLine]]:
    """Parses a ladder, and tells the number of each line in the text.

    Raises:
        TrioechoError: a word is not valid; the message names the line and the word.
    """
    lines = []
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.split("#", 1)[0].strip()
        if stripped:
            lines.append((number, _parse_line(stripped, number)))
    return lines


class _Words:
    """The words of a line, read from the left."""

    def __init__(self, text: str, number: int) -> None:
        self._words = text.split()[::-1]
        self._number = number

    def __bool__(self) -> bool:
        return bool(self._words)

    def next_is(self, start: str) -> bool:
        return bool(self) and self._words[-1].startswith(start)

    def take(self, wanted: str) -> str:
        if not self:
            raise self.wrong("the end of the line", wanted)
        return self._words.pop()

    def rest(self) -> str:
        return " ".join(reversed(self._words))

    def number(self, word: str) -> int:
        wanted = f"a number after {word}"
        value = self.take(wanted)
        try:
            return int(value)
        except ValueError:
            raise self.wrong(repr(value), wanted) from None

    def wrong(self, found: str, wanted: str) -> TrioechoError:
        return TrioechoError(f"ladder, line {self._number}: expected {wanted}, not {found}")


def _parse_line(text: str, number: int) -> LadderLine:
    left, bar, right = text.partition("|")
    words = _Words(left, number)
    delta = _delta(words) if words.next_is("+") else None
    sender, connection = _sender(words)
    flags = words.take("the control bits")
    if flags != "-" and set(flags) - set(LETTERS):
        raise words.wrong(repr(flags), f"some of the control bits {LETTERS}")
    seq, length = _space(words)
    ack = window = options = None
    lost = False
    while words:
        match words.take(""):
            case "ack":
                ack = words.number("ack")
            case "win":
                window = words.number("win")
            case "lost":
                lost = True
            case word if word.startswith("<"):
                while not word.endswith(">"):
                    word += " " + words.take("the > after the options")
                options = word[1:-1]
            case word:
                raise words.wrong(repr(word), "ack, win, <options> or lost")
    states, notes = _after(_Words(right, number)) if bar else (None, None)
    return LadderLine(
        sender, flags, seq, length, delta, connection, ack, window, options, lost, states, notes
    )


def _delta(words: _Words) -> int:
    word = words.take("a time")
    try:
        return round(float(word[1:]) * 1e9)
    except (ValueError, OverflowError):
        raise words.wrong(repr(word), "a time such as +.1") from None


def _sender(words: _Words) -> tuple[End, int]:
    """Who sent it, and the number of the connection."""
    word = words.take("> or <")
    number = word[1:] or "1"
    if word[0] not in "<>" or not number.isdecimal():
        raise words.wrong(repr(word), "> or <")
    return "client" if word[0] == ">" else "server", int(number)


def _space(words: _Words) -> tuple[int, int]:
    """The first sequence number, and the length."""
    wanted = "first:last(length), where last = first + length"
    space = words.take(wanted)
    try:
        first, _, rest = space.partition(":")
        last, _, length = rest.rstrip(")").partition("(")
        if int(last) == int(first) + int(length):
            return int(first), int(length)
    except ValueError:
        pass
    raise words.wrong(repr(space), wanted)


def _after(words: _Words) -> tuple[tuple[str, str], str]:
    """The two states after a segment, and the notes."""
    states = []
    for _ in ENDS:
        name = words.take("two states").upper()
        if name not in State.__members__.values():
            raise words.wrong(repr(name), "a state of RFC 9293")
        states.append(name)
    return (states[0], states[1]), words.rest()


def _seconds(nanoseconds: int) -> str:
    text = f"{nanoseconds / 1e9:.6f}".rstrip("0").rstrip(".")
    return "+" + (text.removeprefix("0") if text not in ("0", "") else "0")
