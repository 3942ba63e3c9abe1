"""Packets that no host sent: copies and forged segments. PURE."""

from __future__ import annotations

from typing import ClassVar, Literal

from trioecho.faults.fate import Fate
from trioecho.faults.fault import Selecting, SelectingItems
from trioecho.faults.grammar import FaultWords
from trioecho.model import ENDS, OTHER, RST, SYN, End

Forged = Literal["rst", "syn"]
_FORGED: tuple[Forged, ...] = ("rst", "syn")
_BOTH: Literal["both"] = "both"
_FAR = (1 << 31) - 1  # half of the sequence space


class Duplicate(SelectingItems, frozen=True):
    """These arrive twice."""

    verb: ClassVar = "duplicate"
    usage: ClassVar = "duplicate ITEMS"
    changes: ClassVar = False

    def follow(self, fate: Fate) -> None:
        if not fate.lost:
            # A copy is made before a segment is corrupted, and stays whole.
            packet = fate.packet
            fate.add(OTHER[packet.end], fate.at, fate.data, "copy", self.text)


class Inject(Selecting, frozen=True):
    """A forged segment follows these.

    Args:
        flag: RST or SYN.
        to: who gets it; None for the receiver of the segment that it follows.
        offset: added to its sequence number.
    """

    verb: ClassVar = "inject"
    usage: ClassVar = "inject rst|syn [to client|server|both] [offset N] after SEGMENT"
    acts: ClassVar = False
    changes: ClassVar = False

    flag: Forged
    to: End | Literal["both"] | None = None
    offset: int = 0

    @classmethod
    def read(cls, words: FaultWords) -> Inject:
        flag = words.one_of(_FORGED)
        to = words.one_of((*ENDS, _BOTH)) if words.accept("to") else None
        offset = words.number(-_FAR, _FAR) if words.accept("offset") else 0
        words.one_of(("after",))
        return cls(words.text, words.segment(), flag, to, offset)

    def follow(self, fate: Fate) -> None:
        packet, flow = fate.packet, fate.flow
        if flow is None or packet.segment is None:
            return
        flag = SYN if self.flag == "syn" else RST
        for target in ENDS if self.to == "both" else (self.to or OTHER[packet.end],):
            forged = flow.forge(target, flag, self.offset, packet.end, packet.segment)
            fate.add(target, fate.at, forged, "injected", self.text)
