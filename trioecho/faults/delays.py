"""Packets that arrive later, or after another. PURE."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from trioecho.faults.chance import AtRandom, Chance, Drawing
from trioecho.faults.fate import LONGEST_HOLD, Choice, Delivery, Fate
from trioecho.faults.fault import Actor, Fault, Selecting, Selector
from trioecho.faults.grammar import MOST, FaultWords
from trioecho.faults.items import KINDS, Items, Which
from trioecho.faults.tally import Tally
from trioecho.model import End

MOST_HELD = 1_000


class Delay(Selecting, frozen=True):
    """The chosen segments arrive later than they would.

    Args:
        by: nanoseconds.
    """

    verb: ClassVar = "delay"
    usage: ClassVar = "delay ITEMS TIME"

    by: int

    @classmethod
    def read(cls, words: FaultWords) -> Delay | Latency:
        """Segments and a time; a time alone, or an end's, is a latency."""
        end, is_latency = words.end_before(words.at_time)
        if is_latency:
            return Latency.of(words, end)
        return cls(words.text, words.items(end), words.time())

    def meet(self, fate: Fate) -> None:
        fate.late += self.by


class Latency(Fault, frozen=True):
    """Every packet takes so long, in both directions or in that of one end.

    Args:
        by: nanoseconds.
        jitter: how much more or less it may take, in nanoseconds; all of it is equally likely.
    """

    verb: ClassVar = "delay"
    usage: ClassVar = "delay [END] TIME [jitter TIME [seed N]]"

    by: int
    end: End | None = None
    jitter: int = 0
    seed: int = 1

    @classmethod
    def of(cls, words: FaultWords, end: End | None) -> Latency:
        """Read what follows the end."""
        told = words.peek()
        by, jitter, seed = words.time(), 0, 1
        if words.accept("jitter"):
            jitter, seed = words.time(by, told), words.seed()
        return cls(words.text, by, end, jitter, seed)

    def actor(self) -> Actor[Any]:
        return _Lasting(self)


class _Lasting(Actor[Latency]):
    def __init__(self, fault: Latency) -> None:
        super().__init__(fault)
        self._chance = Chance(fault.seed)

    def meet(self, fate: Fate) -> None:
        fault, packet = self.fault, fate.packet
        if not packet.is_from(fault.end):
            return
        fate.arrival += fault.by
        if fault.jitter:
            share = self._chance.draw(packet.end, packet.segment is not None)
            fate.arrival += round((2 * share - 1) * fault.jitter)


class Reorder(Selecting, frozen=True):
    """One segment arrives right after another, which is sent after it.

    Args:
        behind: the other.
    """

    verb: ClassVar = "reorder"
    usage: ClassVar = "reorder [END] KIND N N [connection N]"

    behind: Items

    @classmethod
    def read(cls, words: FaultWords) -> Reorder | Straying:
        """Two segments; a share of all packets is a straying at random."""
        end, is_straying = words.end_before(words.at_share)
        if is_straying:
            return Straying.of(words, end)
        kind = words.one_of(KINDS)
        first = words.number(high=MOST - 1)
        numbers, connection = (first, words.number(first + 1)), words.connection()
        items = [Items(end, kind, Which.only(one), 1, connection) for one in numbers]
        return cls(words.text, *items)

    def actor(self) -> Actor[Any]:
        return _Reordering(self)

    def meet(self, fate: Fate) -> None:
        fate.held = True


class Straying(AtRandom, frozen=True):
    """Packets of one or both ends arrive later at random, so that others overtake them."""

    verb: ClassVar = "reorder"
    usage: ClassVar = "reorder [END] NUMBER% by TIME [seed N]"

    by: int = 0

    @classmethod
    def of(cls, words: FaultWords, end: End | None) -> Straying:
        """Read what follows the end."""
        percent = words.share()
        words.one_of(("by",))
        by = words.time()
        return cls(words.text, percent, words.seed(), end, by)

    def actor(self) -> Actor[Any]:
        return _Straying(self)


class _Straying(Drawing[Straying]):
    def meet(self, fate: Fate) -> None:
        super().meet(fate)
        if self.drawn:
            fate.late += self.fault.by
            fate.chosen.append(Choice(self.place, self.fault.text, acts=True, changes=True))


class _Reordering(Selector[Reorder]):
    """Holds back segments, by connection."""

    def __init__(self, fault: Reorder) -> None:
        super().__init__(fault)
        self._behind = Tally(fault.behind)
        self._passed = False
        self._held: dict[int, Delivery] = {}

    def meet(self, fate: Fate) -> None:
        super().meet(fate)
        self._passed = fate.is_one_of(self._behind)

    def follow(self, fate: Fate) -> None:
        held, flow = self._held, fate.flow
        if flow is None:
            return
        if self.chosen and fate.original is not None:
            held[flow.number] = fate.original
            if len(held) > MOST_HELD:
                del held[next(iter(held))]
        earlier = held.pop(flow.number, None) if self._passed else None
        if earlier is not None and fate.at < earlier.at + LONGEST_HOLD:
            fate.others.append(replace(earlier, at=max(fate.at, earlier.at)))

    def why(self, connections: int) -> str:
        if not self.items.hit:
            return super().why(connections)
        if not self._behind.hit:
            return f"held one for a second in vain: {self._behind.why(connections)}"
        return ""
