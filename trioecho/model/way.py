"""What became of a packet on a wire of ours, and how a capture file says it.

The text is one that no other program writes by chance, and it is read as if an enemy had written
it: what is not exactly of this form says nothing, and the packet is one like any other.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

#: Who made a segment: an end, a wire of ours that doubled an end's, or such a wire in its name.
Kind = Literal["original", "copy", "injected"]

#: How the text begins, and how an interface is described whose packets have it.
PREFIX = "trioecho-way: "
TOLD = "trioecho-wire: what became of each packet stands in its comments"
#: Bytes that such a text has at most, and the longest way: a packet is not held for a year.
LONGEST_TEXT, LONGEST_WAY = 8_192, 1 << 54


class Way(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """What became of a packet on the way from one end to the other.

    Args:
        kind: who made it.
        fault: what was done to it, in the words of the fault; ``""`` for nothing.
        lost: whether it never arrived, or not as it was sent.
        broken: whether it is lost because it arrived with a wrong checksum.
        too_large: whether it is lost because it was too large for the path, which told its sender.
        edited: how the wire changed it, in words; ``""`` for not at all.
        took: how long after its frame's time it arrived, in nanoseconds; None if it is lost, or was
            still under way when the recording ended.
        listens: whether its receiver was known to listen, as a kernel or a call had told.
        stopped: whether it is a reset of a program that trioecho had stopped.
    """

    kind: Kind = "original"
    fault: Annotated[str, Meta(max_length=LONGEST_TEXT)] = ""
    lost: bool = False
    broken: bool = False
    too_large: bool = False
    edited: Annotated[str, Meta(max_length=LONGEST_TEXT)] = ""
    took: Annotated[int, Meta(ge=0, le=LONGEST_WAY)] | None = None
    listens: bool = False
    stopped: bool = False

    def text(self) -> str:
        """How a capture file says it: ``trioecho-way: {"fault":"drop syn","lost":true}``."""
        return PREFIX + msgspec.json.encode(self).decode()


_decode = msgspec.json.Decoder(Way).decode


def read_way(text: bytes) -> Way | None:
    """Reads a comment: what became of a packet, or None where it is about something else, or
    contradicts itself."""
    if not text.startswith(PREFIX.encode()) or len(text) > LONGEST_TEXT:
        return None
    try:
        way = _decode(text[len(PREFIX) :])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not (way.fault + way.edited).isprintable() or (way.broken or way.too_large) > way.lost:
        return None
    if way.lost and way.took is not None:
        return None
    return way
