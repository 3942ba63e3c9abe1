"""The line, with its rate and its queue. PURE.

A packet enters the line when the one before has left it. A packet lost earlier takes no time on it;
copies and forged segments appear at its far end.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from trioecho.errors import TrioechoError
from trioecho.faults.fate import SECOND, Fate, Room
from trioecho.faults.fault import NEVER, Actor, Fault
from trioecho.faults.grammar import FaultWords
from trioecho.model import ENDS, End
from trioecho.text import plural

DEFAULT_QUEUE = 1_000  # packets behind a rate, as Linux keeps behind a device (txqueuelen)

_speed = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?(kbit|mbit|gbit)").fullmatch
_RATES = {"kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}


class Queue(Fault, frozen=True):
    """How many packets may wait for the line, each way; one that finds the queue full is lost."""

    verb: ClassVar = "queue"
    usage: ClassVar = "queue N"
    single: ClassVar = True

    packets: int

    @classmethod
    def read(cls, words: FaultWords) -> Queue:
        return cls(words.text, words.number(1, 10_000))

    def actor(self) -> Actor[Any]:
        return _Queueing(self)

    def check(self, script: Sequence[Fault]) -> None:
        super().check(script)
        if not any(isinstance(fault, Rate) for fault in script):
            what = f"The fault {self.text!r} needs a rate: nothing waits on a wire without one"
            raise TrioechoError(what, "Add one, such as 'rate 1mbit'")


class _Queueing(Actor[Queue]):
    def __init__(self, fault: Queue) -> None:
        super().__init__(fault)
        self._room = Room(fault.packets, fault.text)

    def meet(self, fate: Fate) -> None:
        fate.room = self._room

    def why(self, connections: int) -> str:
        if self._room.overflowed:
            return ""
        return f"{NEVER}{plural(self._room.most, 'packet')} waited at most"


class Rate(Fault, frozen=True):
    """Each way carries this many bits a second, packet by packet."""

    verb: ClassVar = "rate"
    usage: ClassVar = "rate NUMBERkbit|mbit|gbit"
    single: ClassVar = True

    bits: int

    @classmethod
    def read(cls, words: FaultWords) -> Rate:
        what = "a rate such as 500kbit, 1mbit or 1gbit"
        return cls(words.text, words.measure(_speed, what, _RATES, "100gbit"))

    def actor(self) -> Actor[Any]:
        return _Lanes(self)


class _Lanes(Actor[Rate]):
    def __init__(self, fault: Rate) -> None:
        super().__init__(fault)
        self._lanes: dict[End, _Lane] = {end: _Lane() for end in ENDS}

    def take_over(self, old: Self) -> None:
        self._lanes = old._lanes

    def meet(self, fate: Fate) -> None:
        if fate.lost:
            return
        packet, lane = fate.packet, self._lanes[fate.packet.end]
        room = fate.room or Room(DEFAULT_QUEUE, self.fault.text)
        through = lane.through(packet.time, len(packet.data), self.fault.bits, room.packets)
        room.most = max(room.most, lane.most)
        if through is None:
            room.overflowed = True
            fate.lost.append(room.fault)
        else:
            fate.arrival += through - packet.time


class _Lane:
    """One direction."""

    def __init__(self) -> None:
        self.most = 0
        self._free = 0
        self._starts: deque[int] = deque()

    def through(self, time: int, size: int, rate: int, room: int) -> int | None:
        """When a packet of ``size`` bytes has left the line; None if the queue is full."""
        starts, start = self._starts, max(time, self._free)
        while starts and starts[0] <= time:
            starts.popleft()
        if start > time:
            if len(starts) >= room:
                return None
            starts.append(start)
            self.most = max(self.most, len(starts))
        self._free = start - (-size * 8 * SECOND // rate)
        return self._free
