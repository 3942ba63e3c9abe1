"""A rung in words: its header, on the arrow, and the sentences below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from trioecho.model import RST, SYN, Fact, Frame, Rung, flag_names
from trioecho.model.option_words import HEADER, option_words
from trioecho.render.fate import fate, kernel_text
from trioecho.text import plural, printable

# Bytes of text, and how many of them tell that a payload is one.
_READABLE = frozenset((*range(0x20, 0x7F), *b"\t\r\n"))
_LOOKED_AT = 200
# How often a connection repeats the sentences on ordinary data and ACKs.
_OFTEN = 3
# Timestamps are offered on a SYN; after it nearly every segment has them.
_LATER = {field: name for field, name in HEADER.items() if field != "timestamps"}


class Telling:
    """The sentences of a ladder, without those that a connection has repeated often enough."""

    def __init__(self) -> None:
        self._said: Counter[tuple[int, type[Fact]]] = Counter()

    def of(self, rung: Rung) -> Iterator[str]:
        """The sentences on a rung, without full stops; ask once for each rung."""
        if rung.lost or rung.arrived is not None or rung.kind != "original":
            yield from fate(rung)
        for note in rung.notes:
            if note.routine:
                key = rung.connection, type(note)
                self._said[key] += 1
                if self._said[key] > _OFTEN:
                    continue
            yield note.text(rung)

    def forget(self, before: int) -> None:
        """Forgets connections with a number below ``before``."""
        for key in [key for key in self._said if key[0] < before]:
            del self._said[key]


def is_text(payload: bytes) -> bool:
    """Whether a payload begins with text that can be read, so that it is worth a line."""
    return bool(payload) and all(byte in _READABLE for byte in payload[:_LOOKED_AT])


def troubled(rung: Rung) -> bool:
    """Whether something went wrong on a rung."""
    return rung.lost or any(note.trouble for note in rung.notes)


def asides(rung: Rung, details: Callable[[Frame], Sequence[str]] | None) -> Iterator[str]:
    """What stands below a rung's sentences: what the kernel said, and the details."""
    if rung.client_kernel is not None:
        yield kernel_text("client", rung.client_kernel)
    if rung.server_kernel is not None:
        yield kernel_text("server", rung.server_kernel)
    if details is not None:
        yield from map(printable, details(rung.segment.frame))


def header(rung: Rung, *, absolute: bool = False) -> list[str]:
    """A segment's header in words, the most important first."""
    segment = rung.segment
    seq, ack = (segment.seq, segment.ack) if absolute else (rung.seq, rung.ack)
    # An end without the connection knows no number of it: relative to its ISN, 0 means nothing.
    none = segment.flags & RST and not segment.seq and rung.seq not in (0, 1)
    numbered = "absolute seq 0" if none else f"seq {seq}"
    parts = [" ".join(flag_names(segment.flags)) or "no flags", numbered]
    if ack is not None:
        parts.append(f"ack {ack}")
    if segment.length:
        parts.append(f"len {segment.length}")
    parts.append(f"win {rung.window}")
    parts += option_words(segment.options, HEADER if segment.flags & SYN else _LATER)
    if segment.options.sack:
        parts.append(plural(len(segment.options.sack), "SACK block"))
    return parts
