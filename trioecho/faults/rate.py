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
from trioecho.faults.codel import Codel
from trioecho.faults.fate import SECOND, Fate, Room
from trioecho.faults.fault import NEVER, Actor, Fault
from trioecho.faults.grammar import FaultWords
from trioecho.model import ENDS, End
from trioecho.text import plural

DEFAULT_QUEUE = 1_000  # packets behind a rate, as Linux keeps behind a device (txqueuelen)
MOST_QUEUED = 10_000

_speed = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?(kbit|mbit|gbit)").fullmatch
_RATES = {"kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}


class Queue(Fault, frozen=True):
    """How many packets may wait for a rate; one that finds the queue full is lost.

    Args:
        packets: how many.
        codel: whether packets that wait too long are lost, too, as RFC 8289 says.
    """

    verb: ClassVar = "queue"
    usage: ClassVar = "queue N [codel]"
    single: ClassVar = True

    packets: int
    codel: bool = False

    @classmethod
    def read(cls, words: FaultWords) -> Queue:
        packets = words.number(1, MOST_QUEUED)
        return cls(words.text, packets, words.accept("codel"))

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
        self._room = Room(fault.packets, fault.text, fault.codel)

    def meet(self, fate: Fate) -> None:
        fate.room = self._room

    def why(self, connections: int) -> str:
        if self._room.overflowed:
            return ""
        return f"{NEVER}{plural(self._room.most, 'packet')} waited at most"


class Rate(Fault, frozen=True):
    """Each direction, or that of one end, carries so many bits a second, packet by packet."""

    verb: ClassVar = "rate"
    usage: ClassVar = "rate [END] NUMBERkbit|mbit|gbit"
    single: ClassVar = True

    bits: int
    end: End | None = None

    @classmethod
    def read(cls, words: FaultWords) -> Rate:
        end = words.any_of(ENDS)
        return cls(words.text, rate(words), end)

    def actor(self) -> Actor[Any]:
        return _Lanes(self)

    def rivals(self, other: Fault) -> bool:
        return isinstance(other, Rate) and (not self.end or other.end in (None, self.end))


def rate(words: FaultWords) -> int:
    """Take a rate, in bits a second."""
    what = "a rate such as 500kbit, 1mbit or 1gbit"
    return words.measure(_speed, what, _RATES, 100 * _RATES["gbit"], "100gbit")


class _Lanes(Actor[Rate]):
    def __init__(self, fault: Rate) -> None:
        super().__init__(fault)
        ends: tuple[End, ...] = (fault.end,) if fault.end else ENDS
        self._lanes: dict[End, _Lane] = {end: _Lane() for end in ends}

    def take_over(self, old: Self) -> bool:
        """The lines of an end that both have; the old rate may keep the other end's."""
        for end in self._lanes:
            self._lanes[end] = old._lanes.pop(end, self._lanes[end])
        return not old._lanes

    def meet(self, fate: Fate) -> None:
        packet, lane = fate.packet, self._lanes.get(fate.packet.end)
        if fate.lost or lane is None:
            return
        room = fate.room or Room(DEFAULT_QUEUE, self.fault.text)
        through = lane.through(packet.time, len(packet.data), self.fault.bits, room)
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
        self._waiting: deque[tuple[int, int]] = deque()  # when each leaves the queue, and its bytes
        self._codel = Codel()

    def through(self, time: int, size: int, rate: int, room: Room) -> int | None:
        """When a packet of ``size`` bytes has left the line; None if the queue drops it."""
        waiting, start = self._waiting, max(time, self._free)
        while waiting and waiting[0][0] <= time:
            waiting.popleft()
        before = sum(one for _, one in waiting) if room.codel else 0
        if start > time:
            if len(waiting) >= room.packets:
                return None
            waiting.append((start, size))
            self.most = max(self.most, len(waiting))
        if room.codel and self._codel.drops(start, start - time, size, before):
            return None
        self._free = start - (-size * 8 * SECOND // rate)
        return self._free
