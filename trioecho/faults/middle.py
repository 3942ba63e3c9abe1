"""What stands in the middle and drops: a NAT that forgets, and a policer. PURE."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet

from trioecho.faults.fate import SECOND, Fate
from trioecho.faults.fault import NEVER, Actor, Fault
from trioecho.faults.flows import Flow
from trioecho.faults.grammar import FaultWords
from trioecho.faults.rate import rate
from trioecho.model import ENDS, RST, End
from trioecho.text import plural, seconds

_size = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?(b|kb|mb)").fullmatch
_SIZES = {"b": 1, "kb": 1_000, "mb": 1_000_000}


class Forget(Fault, frozen=True):
    """A NAT that forgets a connection without a segment for so long, and drops all that follow.

    Args:
        idle: how long, in nanoseconds.
        resets: whether it answers each with a RST.
    """

    verb: ClassVar = "forget"
    usage: ClassVar = "forget after TIME idle [rst]"
    single: ClassVar = True

    idle: int
    resets: bool = False

    @classmethod
    def read(cls, words: FaultWords) -> Forget:
        words.one_of(("after",))
        idle = words.time()
        words.one_of(("idle",))
        return cls(words.text, idle, words.accept("rst"))

    def actor(self) -> Actor[Any]:
        return _Forgetting(self)


class _Forgetting(Actor[Forget]):
    def __init__(self, fault: Forget) -> None:
        super().__init__(fault)
        self._last: WeakKeyDictionary[Flow, int] = WeakKeyDictionary()
        self._forgotten: WeakSet[Flow] = WeakSet()
        self._longest, self._dropped = 0, False

    def meet(self, fate: Fate) -> None:
        flow, packet, fault = fate.flow, fate.packet, self.fault
        if flow is None or fate.lost:
            return
        assert packet.segment is not None
        quiet = packet.time - self._last.get(flow, packet.time)
        self._longest = max(self._longest, quiet)
        self._last[flow] = packet.time
        if quiet >= fault.idle:
            self._forgotten.add(flow)
        if flow not in self._forgotten:
            return
        self._dropped = True
        fate.lost.append(fault.text)
        if fault.resets and not packet.segment.flags & RST:
            answer = flow.forge(packet.end, RST, 0, packet.end, packet.segment)
            fate.add(packet.end, fate.arrival, answer, "injected", fault.text)

    def why(self, connections: int) -> str:
        if self._dropped:
            return ""
        return f"{NEVER}the longest pause of a connection was {seconds(self._longest)}"


class Police(Fault, frozen=True):
    """Packets above a rate are lost, in each direction or that of one end: a token bucket.

    Args:
        bits: the rate, in bits a second.
        burst: bytes that may come at once.
        end: whose packets; None for both ends', each with a bucket.
    """

    verb: ClassVar = "police"
    usage: ClassVar = "police [END] NUMBERkbit|mbit|gbit burst NUMBERB|kB|MB"

    bits: int
    burst: int
    end: End | None = None

    @classmethod
    def read(cls, words: FaultWords) -> Police:
        end = words.any_of(ENDS)
        bits = rate(words)
        words.one_of(("burst",))
        most = 1_000 * _SIZES["mb"]
        burst = words.measure(_size, "a size such as 20kB", _SIZES, most, "1000MB")
        return cls(words.text, bits, burst, end)

    def actor(self) -> Actor[Any]:
        return _Policing(self)


class _Policing(Actor[Police]):
    """Counts tokens in nanoseconds of a bit a second: the rate fills the bucket exactly."""

    def __init__(self, fault: Police) -> None:
        super().__init__(fault)
        self._full = fault.burst * 8 * SECOND
        self._tokens = dict.fromkeys(ENDS, self._full)
        self._times: dict[End, int] = {}
        self._packets, self._dropped = 0, False

    def meet(self, fate: Fate) -> None:
        fault, packet, end = self.fault, fate.packet, fate.packet.end
        if fate.lost or not packet.is_from(fault.end):
            return
        self._packets += 1
        passed = (packet.time - self._times.get(end, packet.time)) * fault.bits
        tokens = min(self._full, self._tokens[end] + passed)
        cost = len(packet.data) * 8 * SECOND
        if cost > tokens:
            self._dropped = True
            fate.lost.append(fault.text)
        else:
            tokens -= cost
        self._tokens[end], self._times[end] = tokens, packet.time

    def why(self, connections: int) -> str:
        if self._dropped:
            return ""
        return f"{NEVER}none of {plural(self._packets, 'packet')} was above the rate"
