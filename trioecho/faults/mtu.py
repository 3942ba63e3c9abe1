"""The largest packet, on the devices and on the router between them. PURE."""

from __future__ import annotations

from typing import Any, ClassVar

from trioecho.errors import TrioechoError
from trioecho.faults.fate import Fate
from trioecho.faults.fault import NEVER, Actor, Fault
from trioecho.faults.grammar import FaultWords
from trioecho.packet.build import IPV6_MINIMUM, too_big
from trioecho.text import plural

SMALLEST_PATH_MTU, LARGEST_MTU = 68, 65_535  # RFC 791 §3.2 and the length field of IP
# Linux's smallest segments keep 40 bytes for options and 8 for data (TCP_MIN_SND_MSS): 88 with the
# headers. A smaller device cuts them into fragments, which the wire does not show; 128 leaves room.
SMALLEST_MTU = 128


class Mtu(Fault, frozen=True):
    """The MTU of both devices, in bytes.

    The kernels apply it, so packets never meet it.
    """

    verb: ClassVar = "mtu"
    usage: ClassVar = "mtu N"
    single: ClassVar = True

    size: int

    @classmethod
    def read(cls, words: FaultWords) -> Mtu:
        return cls(words.text, words.number(SMALLEST_MTU, LARGEST_MTU))

    def check_late(self) -> None:
        what = f"The fault {self.text!r} comes too late: the devices have their MTU"
        raise TrioechoError(what, "Ask for it when the wire is opened")


class PathMtu(Fault, frozen=True):
    """A router in the middle with a smaller MTU in bytes; it sends ICMP, or is silent."""

    verb: ClassVar = "path"
    usage: ClassVar = "path mtu N [silent]"
    single: ClassVar = True

    size: int
    silent: bool = False

    @classmethod
    def read(cls, words: FaultWords) -> PathMtu:
        words.one_of(("mtu",))
        size = words.number(SMALLEST_PATH_MTU, LARGEST_MTU)
        return cls(words.text, size, words.accept("silent"))

    def actor(self) -> Actor[Any]:
        return _Router(self)


class _Router(Actor[PathMtu]):
    def __init__(self, fault: PathMtu) -> None:
        super().__init__(fault)
        self._packets, self._dropped = 0, False

    def meet(self, fate: Fate) -> None:
        self._packets += 1
        fault, packet = self.fault, fate.packet
        if fate.lost or not _too_large(packet.data, fault.size):
            return
        self._dropped = True
        fate.lost.append(fault.text)
        if not fault.silent:
            fate.too_large = True
            answer = too_big(packet.data, fault.size)
            fate.add(packet.end, fate.arrival, answer, "icmp", fault.text)

    def why(self, connections: int) -> str:
        if self._dropped:
            return ""
        sent = plural(self._packets, "packet")
        return f"{NEVER}none of {sent} was too large and not to be split"


def _too_large(data: bytes, size: int) -> bool:
    """Whether a packet is too large for the router, which may not split it."""
    if len(data) >= 40 and data[0] >> 4 == 6:
        return len(data) > max(size, IPV6_MINIMUM)
    return len(data) > size and data[0] >> 4 == 4 and bool(data[6] & 0x40)
