"""What becomes of each packet on the wire: (faults, packet) -> deliveries.

PURE: no I/O, no clock; time comes with the packets, chance from a seed. A fault added later still
counts from the beginning of each connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioecho.faults.fate import Decision, Fate, Packet
from trioecho.faults.fault import Actor, Fault, Selecting
from trioecho.faults.faults import FAULTS, check
from trioecho.faults.flows import Flow, Flows, Sight


class Fates:
    """Decides what becomes of the packets of one wire.

    Raises:
        TrioechoError: they cannot be used together.
    """

    def __init__(self, script: Sequence[Fault]) -> None:
        check(script)
        self._actors: list[Actor[Any]] = []  # in the order in which a packet meets them
        self._placed = 0
        self._remember = False
        self._begun: int | None = None
        self._flows = Flows()
        for fault in script:
            self._place(fault)

    def add(self, fault: Fault) -> None:
        """Add a fault, from the next packet on. A new rate, queue or path MTU replaces the old one.

        Raises:
            TrioechoError: it cannot be added now: a queue without a rate, or an MTU.
        """
        fault.check_late()
        old = [one for one in self._actors if fault.rivals(one.fault)]
        fault.check([*(one.fault for one in self._actors if one not in old), fault])
        actor = self._place(fault)
        for one in old:
            if actor.take_over(one):
                self._actors.remove(one)

    def _place(self, fault: Fault) -> Actor[Any]:
        actor = fault.actor()
        self._placed += 1
        actor.place = self._placed
        self._actors.append(actor)
        self._actors.sort(key=lambda one: FAULTS.index(type(one.fault)))
        if isinstance(fault, Selecting):
            self._remember |= fault.items.kind == "data" and fault.items.times != 1
        return actor

    def decide(self, packet: Packet) -> Decision:
        """Decide what becomes of a packet; packets come in order of time."""
        flow: Flow | None = None
        sights: list[Sight] = []
        if packet.segment is not None:
            self._begun = packet.time if self._begun is None else self._begun
            flow, sights = self._flows.see(packet.end, packet.segment, self._remember)
        fate = Fate(packet, flow, sights, self._begun)
        for actor in self._actors:
            actor.meet(fate)
        fate.settle()
        for actor in self._actors:
            actor.follow(fate)
        return fate.decision()

    def unmatched(self) -> tuple[str, ...]:
        """A sentence for each fault that has not acted so far."""
        begun = self._flows.begun
        script = sorted(
            self._actors, key=lambda one: (not isinstance(one.fault, Selecting), one.place)
        )
        reasons = [(actor.fault.text, actor.why(begun)) for actor in script]
        return tuple(f"{text!r} {why}" for text, why in reasons if why)
