"""What can be done to the wire: a closed set of types; grammar.py has the words. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.faults.items import Items
from trioecho.model import End

Forged = Literal["rst", "syn"]


class _Fault(Struct, frozen=True):
    text: str


class _Selecting(_Fault, frozen=True):
    items: Items


class Drop(_Selecting, frozen=True):
    """These never arrive."""


class Duplicate(_Selecting, frozen=True):
    """These arrive twice."""


class Corrupt(_Selecting, frozen=True):
    """These arrive with a bit flipped and the old checksum, so that the receiver discards them."""


class Delay(_Selecting, frozen=True):
    """These arrive ``by`` nanoseconds later than they would."""

    by: int


class Reorder(_Selecting, frozen=True):
    """The one arrives right behind the other, which is sent after it."""

    behind: Items


class Inject(_Selecting, frozen=True):
    """A forged segment follows these.

    Args:
        flag: RST or SYN.
        to: who gets it; None for the receiver of the segment that it follows.
        offset: added to its sequence number.
    """

    flag: Forged
    to: End | Literal["both"] | None = None
    offset: int = 0


class Cut(_Fault, frozen=True):
    """A black hole both ways, for the whole wire.

    Args:
        items: the segment behind which it begins; None for the first packet of all, itself lost.
        duration: nanoseconds; None for ever.
    """

    items: Items | None = None
    duration: int | None = None


class Latency(_Fault, frozen=True):
    """Every packet takes ``by`` nanoseconds, each way."""

    by: int


class Rate(_Fault, frozen=True):
    """Each way carries so many bits a second, one packet after the other."""

    bits: int


class Queue(_Fault, frozen=True):
    """So many packets may wait for the rate, each way; one that comes to a full queue is lost."""

    packets: int


class Loss(_Fault, frozen=True):
    """Packets of an end, or of both, are lost by chance, the same ones for the same seed."""

    percent: float
    seed: int = 1
    end: End | None = None


class Mtu(_Fault, frozen=True):
    """The MTU of both devices, in bytes."""

    size: int


class PathMtu(_Fault, frozen=True):
    """A router in the middle with a smaller MTU, in bytes, that says so or is silent."""

    size: int
    silent: bool = False


Selecting: TypeAlias = Drop | Duplicate | Corrupt | Delay | Reorder | Inject
Fault: TypeAlias = Selecting | Cut | Latency | Rate | Queue | Loss | Mtu | PathMtu


def check(faults: Sequence[Fault]) -> None:
    """See whether faults go together.

    Args:
        faults: all of a script.

    Raises:
        TrioechoError: there is a queue without a rate, or two of what a wire has one of.
    """
    for kind in (Rate, Queue, Mtu, PathMtu):
        found = [fault.text for fault in faults if isinstance(fault, kind)]
        if len(found) > 1:
            what = f"The wire cannot have both {found[0]!r} and {found[1]!r}"
            raise TrioechoError(what, "Leave one of them out")
        if found and kind is Queue and not any(isinstance(fault, Rate) for fault in faults):
            what = f"The fault {found[0]!r} needs a rate: nothing waits on a wire without one"
            raise TrioechoError(what, "Add one, such as 'rate 1mbit'")


def mtu_of(faults: Sequence[Fault]) -> int | None:
    """The MTU of both devices that a script asks for.

    Args:
        faults: the script.

    Returns:
        Bytes in a packet at most, or None when it asks for nothing.
    """
    return next((fault.size for fault in faults if isinstance(fault, Mtu)), None)
