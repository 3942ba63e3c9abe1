"""Packets that never arrive, or arrive broken. PURE."""

from __future__ import annotations

from typing import Any, ClassVar

from trioecho.faults.chance import AtRandom, Drawing
from trioecho.faults.fate import Fate
from trioecho.faults.fault import NEVER, Actor, Fault, SelectingItems
from trioecho.faults.grammar import FaultWords
from trioecho.faults.items import Items
from trioecho.faults.tally import Tally
from trioecho.model import ENDS


class Drop(SelectingItems, frozen=True):
    """The chosen segments never arrive."""

    verb: ClassVar = "drop"
    usage: ClassVar = "drop ITEMS"

    def meet(self, fate: Fate) -> None:
        fate.lost.append(self.text)


class Corrupt(SelectingItems, frozen=True):
    """The chosen segments arrive with a bit flipped, and the receiver discards them.

    The checksum stays as it was, so that it is wrong then.
    """

    verb: ClassVar = "corrupt"
    usage: ClassVar = "corrupt ITEMS"

    def meet(self, fate: Fate) -> None:
        fate.corrupt = True


class Cut(Fault, frozen=True):
    """A black hole both ways, for the whole wire.

    Args:
        items: the segment after which it begins; None for the first packet, which is lost too.
        duration: nanoseconds; None for ever.
        at: when it begins instead, in nanoseconds from the wire's first TCP segment.
    """

    verb: ClassVar = "cut"
    usage: ClassVar = "cut [for TIME] [after SEGMENT | at TIME]"

    items: Items | None = None
    duration: int | None = None
    at: int | None = None

    @classmethod
    def read(cls, words: FaultWords) -> Cut:
        duration = words.time() if words.accept("for") else None
        if words.accept("after"):
            return cls(words.text, words.segment(), duration)
        return cls(words.text, None, duration, words.time() if words.accept("at") else None)

    def actor(self) -> Actor[Any]:
        return _Cutting(self)


class _Cutting(Actor[Cut]):
    def __init__(self, fault: Cut) -> None:
        super().__init__(fault)
        self._items = Tally(fault.items) if fault.items else None
        self._since: int | None = None
        self._lost = False

    def _begin(self, fate: Fate) -> int | None:
        """When it begins, if it has; the first packet after that may come much later."""
        at, time = self.fault.at, fate.packet.time
        if at is None:
            return time
        begins = None if fate.begun is None else fate.begun + at
        return begins if begins is not None and begins <= time else None

    def meet(self, fate: Fate) -> None:
        time, duration = fate.packet.time, self.fault.duration
        if self._since is None and self._items is None:
            self._since = self._begin(fate)
        if self._since is not None and (duration is None or time < self._since + duration):
            self._lost = True
            fate.lost.append(self.fault.text)
        if self._items is not None and fate.is_one_of(self._items):
            self._since = time

    def why(self, connections: int) -> str:
        if self.fault.at is not None:
            return "" if self._lost else f"{NEVER}no packet was sent then"
        if self._since is not None:
            return ""
        return NEVER + (self._items.why(connections) if self._items else "no packet was sent")


class Loss(AtRandom, frozen=True):
    """Packets of one or both ends are lost at random."""

    verb: ClassVar = "loss"
    usage: ClassVar = "loss [END] NUMBER% [seed N]"

    @classmethod
    def read(cls, words: FaultWords) -> Loss:
        end = words.any_of(ENDS)
        return cls(words.text, words.share(), words.seed(), end)

    def actor(self) -> Actor[Any]:
        return _Losing(self)


class _Losing(Drawing[Loss]):
    def meet(self, fate: Fate) -> None:
        super().meet(fate)
        if self.drawn:
            fate.lost.append(self.fault.text)
