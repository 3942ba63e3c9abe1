"""Segments that the wire changes on the way, as routers and middleboxes do. PURE."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

from trioecho.faults.fate import Fate
from trioecho.faults.fault import NEVER, Actor, Fault, SelectingItems, Selector
from trioecho.faults.grammar import FaultWords
from trioecho.model import ENDS, End
from trioecho.packet.edit import clamped, is_plain, marked, without
from trioecho.text import plural

Option = Literal["mss", "wscale", "sackok", "sack", "timestamps"]
_OPTIONS: tuple[Option, ...] = get_args(Option)
_KINDS: dict[Option, int] = {"mss": 2, "wscale": 3, "sackok": 4, "sack": 5, "timestamps": 8}
SMALLEST_MSS, LARGEST_MSS = 88, 65_495  # Linux takes a smaller one for 88 (TCP_MIN_MSS)


class Mark(SelectingItems, frozen=True):
    """The chosen segments arrive with the ECN mark CE, if their sender has ECN."""

    verb: ClassVar = "mark"
    usage: ClassVar = "mark ITEMS"

    def actor(self) -> Actor[Any]:
        return _Marking(self)


class _Marking(Selector[Mark]):
    def __init__(self, fault: Mark) -> None:
        super().__init__(fault)
        self._marked = self._without = False

    def meet(self, fate: Fate) -> None:
        segment = fate.packet.segment
        self.chosen = fate.is_one_of(self.items)
        if not self.chosen or fate.lost:
            return
        assert segment is not None
        data = marked(fate.data) if is_plain(fate.data, segment.at) else None
        if data is None:
            self._without = True
        else:
            self._marked = True
            fate.edit(data, "marked CE", self.place, self.fault.text)

    def why(self, connections: int) -> str:
        if self._without and not self._marked:
            return f"{NEVER}what it chose was sent without ECN (Not-ECT), and is never marked"
        return super().why(connections)


class Strip(Fault, frozen=True):
    """Segments of one or both ends arrive without a TCP option; NOPs stand in its place."""

    verb: ClassVar = "strip"
    usage: ClassVar = "strip [END] mss|wscale|sackok|sack|timestamps"

    option: Option
    end: End | None = None

    @classmethod
    def read(cls, words: FaultWords) -> Strip:
        end = words.any_of(ENDS)
        return cls(words.text, words.one_of(_OPTIONS), end)

    def actor(self) -> Actor[Any]:
        return _Editing(self, self.end)

    def edited(self, data: bytes, at: int) -> tuple[bytes, str] | None:
        """The segment without the option."""
        changed = without(data, at, _KINDS[self.option])
        name = "sackOK" if self.option == "sackok" else self.option
        return (changed, f"{name} stripped") if changed else None

    @staticmethod
    def missed(sent: str) -> str:
        """Why it has changed none."""
        return f"none of {sent} had that option"


class Clamp(Fault, frozen=True):
    """The SYNs of one or both ends arrive with a smaller MSS.

    Args:
        size: the largest that they may offer, in bytes.
    """

    verb: ClassVar = "clamp"
    usage: ClassVar = "clamp [END] mss N"

    size: int
    end: End | None = None

    @classmethod
    def read(cls, words: FaultWords) -> Clamp:
        end = words.any_of(ENDS)
        words.one_of(("mss",))
        return cls(words.text, words.number(SMALLEST_MSS, LARGEST_MSS), end)

    def actor(self) -> Actor[Any]:
        return _Editing(self, self.end)

    def edited(self, data: bytes, at: int) -> tuple[bytes, str] | None:
        """The segment with the smaller MSS."""
        found = clamped(data, at, self.size)
        return (found[0], f"mss lowered from {found[1]} to {self.size}") if found else None

    @staticmethod
    def missed(sent: str) -> str:
        """Why it has changed none."""
        return f"none of {sent} had a larger mss"


class _Editing(Actor[Any]):
    """Changes each segment that it can change: for ``Strip`` and ``Clamp``."""

    def __init__(self, fault: Strip | Clamp, end: End | None) -> None:
        super().__init__(fault)
        self._end = end
        self._segments = self._edited = 0

    def meet(self, fate: Fate) -> None:
        packet, segment = fate.packet, fate.packet.segment
        if segment is None or not packet.is_from(self._end):
            return
        self._segments += 1
        found = (
            self.fault.edited(fate.data, segment.at) if is_plain(fate.data, segment.at) else None
        )
        if found and not fate.lost:
            self._edited += 1
            data, what = found
            fate.edit(data, what, self.place, self.fault.text)

    def why(self, connections: int) -> str:
        if self._edited:
            return ""
        return f"{NEVER}{self.fault.missed(plural(self._segments, 'segment'))}"
