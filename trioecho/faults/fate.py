"""Fate: what becomes of one packet, decided fault by fault. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from trioecho.faults.flows import Flow, Sight
from trioecho.faults.tally import Tally
from trioecho.model import OTHER, End, Segment
from trioecho.packet.build import corrupted

SECOND = 1_000_000_000
LONGEST_HOLD = SECOND

Kind = Literal["original", "copy", "injected", "icmp"]


class Packet(Struct, frozen=True):
    """A packet that a host sent.

    Args:
        number: its place among all packets of both hosts, from 1.
        end: who sent it.
        time: when, in nanoseconds since the epoch.
        data: the IP packet.
        segment: the TCP segment in it, or None.
    """

    number: int
    end: End
    time: int
    data: bytes
    segment: Segment | None

    def is_from(self, end: End | None) -> bool:
        """Whether an end sent it; None for either."""
        return end in (None, self.end)


class Delivery(Struct, frozen=True):
    """A packet to deliver to a host.

    Args:
        number: of the packet it carries, or follows when it was injected.
        to: who gets it.
        at: when, in nanoseconds since the epoch; of two at the same time, the one planned first
            goes first.
        data: the IP packet.
        kind: ``original``, a ``copy`` of one, ``injected`` by the wire, or an ``icmp`` message. If
            an original has two deliveries, only the first counts.
        fault: the words of the faults that changed it, ``""`` for none.
        broken: whether its checksum is wrong, so that the host discards it.
    """

    number: int
    to: End
    at: int
    data: bytes
    kind: Kind
    fault: str = ""
    broken: bool = False


class Decision(Struct, frozen=True):
    """What becomes of a packet.

    Args:
        deliveries: of it, of what follows it, and of an earlier one that was held back for it.
        lost: whether it never arrives, or arrives changed.
        fault: the words of the faults that acted on it, ``""`` for none.
        broken: whether it is lost because it arrives with a wrong checksum.
        too_large: whether it is lost because it is too large, and its sender is told.
        edited: how the wire changed it, in words; ``""`` for not at all.
        data: the packet as the wire changed it.
    """

    deliveries: tuple[Delivery, ...]
    lost: bool
    fault: str = ""
    broken: bool = False
    too_large: bool = False
    edited: str = ""
    data: bytes = b""


class Room(Struct):
    """How many packets may wait for the line, and how many have; whether CoDel drops some."""

    packets: int
    fault: str
    codel: bool = False
    most: int = 0
    overflowed: bool = False


class Choice(Struct, frozen=True):
    """A fault that has selected the packet, and its words."""

    place: int
    fault: str
    acts: bool
    changes: bool


class Fate:
    """One packet on its way past the faults.

    Each fault that it meets changes it; then ``settle`` says when it arrives, and what follows it
    can be added.

    Attributes:
        packet: what was sent.
        flow: its connection, or None when it holds no TCP segment.
        begun: when the wire's first TCP segment was sent; None before it.
        data: what the other host gets, unless it arrives broken.
        lost: the words of the faults that lose it.
        arrival: when it arrives unless a fault delays it by name, nanoseconds since the epoch.
        late: how much later it arrives, in nanoseconds.
        corrupt: whether it arrives broken.
        too_large: whether its sender is told that it is too large.
        held: whether it waits for another segment.
        room: the queue it may wait in, if a fault sets one.
        chosen: the faults that select it.
        at: when it arrives, once settled.
        original: its delivery, once settled; None when it is lost.
        others: all other deliveries.
    """

    def __init__(
        self, packet: Packet, flow: Flow | None, sights: Sequence[Sight], begun: int | None
    ) -> None:
        self.packet = packet
        self.flow = flow
        self.begun = begun
        self.data = packet.data
        self.lost: list[str] = []
        self.arrival = self.at = packet.time
        self.late = 0
        self.corrupt = self.held = self.too_large = False
        self.room: Room | None = None
        self.chosen: list[Choice] = []
        self.original: Delivery | None = None
        self.others: list[Delivery] = []
        self._sights = sights
        self._edits: list[str] = []

    def is_one_of(self, items: Tally) -> bool:
        """Whether the packet is one of these segments; they are counted with that."""
        flow, segment = self.flow, self.packet.segment
        return (
            flow is not None
            and segment is not None
            and items.has(flow, self.packet.end, segment, self._sights)
        )

    def edit(self, data: bytes, what: str, place: int, fault: str) -> None:
        """Change the packet; ``what`` says how, and the fault has a place in the script."""
        self.data = data
        self._edits.append(what)
        self.chosen.append(Choice(place, fault, acts=True, changes=True))

    def settle(self) -> None:
        """Fix when the packet arrives; no fault changes it after this."""
        packet, flow = self.packet, self.flow
        self.at = self.arrival + self.late
        self.chosen.sort(key=lambda choice: choice.place)
        if self.lost:
            return
        changed = ", ".join(choice.fault for choice in self.chosen if choice.changes)
        data = self.data
        if self.corrupt and packet.segment is not None:
            data = corrupted(data, packet.segment)
        to = OTHER[packet.end]
        self.original = Delivery(
            packet.number, to, self.at, data, "original", changed, self.corrupt
        )
        if flow and packet.segment and not (self.late or self.corrupt or self.held):
            flow.arrived(packet.end, packet.segment)

    def add(self, to: End, at: int, data: bytes, kind: Kind, fault: str) -> None:
        """Add a delivery."""
        self.others.append(Delivery(self.packet.number, to, at, data, kind, fault))

    def decision(self) -> Decision:
        """What it comes to."""
        original, deliveries = self.original, self.others
        if original is not None:
            if self.held:
                original = replace(original, at=original.at + LONGEST_HOLD)
            deliveries = [original, *deliveries]
        acting = self.lost or [choice.fault for choice in self.chosen if choice.acts]
        broken = self.corrupt and not self.lost
        lost = bool(self.lost) or self.corrupt
        words, edited = ", ".join(acting), ", ".join(self._edits)
        known = (lost, words, broken, self.too_large, edited)
        return Decision(tuple(deliveries), *known, self.data if edited else b"")
