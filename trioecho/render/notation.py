"""The ``.ladder`` notation: a ladder as text that is written, read and compared.

::

    +0      > S 0:0(0) win 65495 <mss 65495,sackOK,ts,wscale 7> | SYN-SENT SYN-RECEIVED
    +.00001 < S. 0:0(0) ack 1                                   | ESTABLISHED SYN-RECEIVED
    +.1     > P. 1:6(5) ack 1 lost                              | ESTABLISHED ESTABLISHED
    +.3     > P. 1:6(5) ack 1            | ESTABLISHED ESTABLISHED  retransmission of 4

A line is a segment: seconds since the line before; ``>`` from the client or ``<`` from the server,
with the connection's number behind it from the second on; the control bits as tcpdump writes them
(``FSRP.UEWe``); first:last(length) in relative sequence numbers; then, each of them optional, the
ACK, the window after scaling, some of the options of a SYN, and ``lost``. Behind the ``|`` stand
both ends' states after it, the client's first, and the notes, separated by commas. ``#`` begins a
comment. The ``P`` of a segment with data is only compared where it is written: which segments of a
long send have it is a matter of the kernel.
"""

from __future__ import annotations

from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.model import End, State

LETTERS = "FSRP.UEWe"


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
        except (ValueError, OverflowError):
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
            try:
                number_said = int(value)
            except ValueError:
                raise wrong(value, f"a number behind {word}") from None
            if word == "ack":
                ack = number_said
            else:
                window = number_said
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


def _seconds(nanoseconds: int) -> str:
    text = f"{nanoseconds / 1e9:.6f}".rstrip("0").rstrip(".")
    return "+" + (text.removeprefix("0") if text not in ("0", "") else "0")
