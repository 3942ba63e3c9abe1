"""Packets that never arrive, or arrive broken. PURE."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from trioecho.faults.chance import Chance
from trioecho.faults.fate import Fate
from trioecho.faults.fault import NEVER, Actor, Fault, SelectingItems
from trioecho.faults.grammar import FaultWords
from trioecho.faults.items import Items
from trioecho.faults.tally import Tally
from trioecho.model import ENDS, End
from trioecho.text import plural

_percent = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,3})?)%").fullmatch


class Drop(SelectingItems, frozen=True):
    """These never arrive."""

    verb: ClassVar = "drop"
    usage: ClassVar = "drop ITEMS"

    def meet(self, fate: Fate) -> None:
        fate.lost.append(self.text)


class Corrupt(SelectingItems, frozen=True):
    """These arrive with a bit flipped and the old checksum, so that the receiver discards them."""

    verb: ClassVar = "corrupt"
    usage: ClassVar = "corrupt ITEMS"

    def meet(self, fate: Fate) -> None:
        fate.corrupt = True


class Cut(Fault, frozen=True):
    """A black hole both ways, for the whole wire.

    Args:
        items: the segment after which it begins; None for the first packet, which is lost too.
        duration: nanoseconds; None for ever.
    """

    verb: ClassVar = "cut"
    usage: ClassVar = "cut [for TIME] [after SEGMENT]"

    items: Items | None = None
    duration: int | None = None

    @classmethod
    def read(cls, words: FaultWords) -> Cut:
        duration = words.time() if words.accept("for") else None
        return cls(words.text, words.segment() if words.accept("after") else None, duration)

    def actor(self) -> Actor[Any]:
        return _Cutting(self)


class _Cutting(Actor[Cut]):
    def __init__(self, fault: Cut) -> None:
        super().__init__(fault)
        self._items = Tally(fault.items) if fault.items else None
        self._since: int | None = None

    def meet(self, fate: Fate) -> None:
        time, duration = fate.packet.time, self.fault.duration
        if self._since is None and self._items is None:
            self._since = time
        if self._since is not None and (duration is None or time < self._since + duration):
            fate.lost.append(self.fault.text)
        if self._items is not None and fate.is_one_of(self._items):
            self._since = time

    def why(self, connections: int) -> str:
        if self._since is not None:
            return ""
        return NEVER + (self._items.why(connections) if self._items else "no packet was sent")


class Loss(Fault, frozen=True):
    """Packets of one or both ends are lost at random; the same seed loses the same ones."""

    verb: ClassVar = "loss"
    usage: ClassVar = "loss [END] NUMBER% [seed N]"

    percent: float
    seed: int = 1
    end: End | None = None

    @classmethod
    def read(cls, words: FaultWords) -> Loss:
        end = words.any_of(ENDS)
        percent = float(words.need(_percent, "a share such as 2%")[1])
        if not 0 < percent <= 100:
            raise words.wrong("more than 0% and at most 100%")
        words.take()
        return cls(words.text, percent, words.seed(), end)

    def actor(self) -> Actor[Any]:
        return _Losing(self)


class _Losing(Actor[Loss]):
    def __init__(self, fault: Loss) -> None:
        super().__init__(fault)
        self._packets = self._lost = 0
        self._chance = Chance(fault.seed)

    def meet(self, fate: Fate) -> None:
        fault, packet = self.fault, fate.packet
        if fault.end not in (None, packet.end):
            return
        self._packets += 1
        if self._chance.draw(packet.end, packet.segment is not None) * 100 < fault.percent:
            self._lost += 1
            fate.lost.append(fault.text)

    def why(self, connections: int) -> str:
        if self._lost:
            return ""
        return f"{NEVER}chance took none of {plural(self._packets, 'packet')}"
