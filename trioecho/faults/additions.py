"""Packets that no host sent: copies and forged segments. PURE."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from trioecho.faults.chance import AtRandom, Drawing
from trioecho.faults.fate import Choice, Fate
from trioecho.faults.fault import Actor, Selecting
from trioecho.faults.grammar import FaultWords
from trioecho.model import ENDS, OTHER, RST, SYN, End
from trioecho.model.sequence import HALF

Forged = Literal["rst", "syn"]
_FORGED: tuple[Forged, ...] = ("rst", "syn")
_BOTH: Literal["both"] = "both"
_FAR = HALF - 1


class Duplicate(Selecting, frozen=True):
    """The chosen segments arrive twice."""

    verb: ClassVar = "duplicate"
    usage: ClassVar = "duplicate ITEMS"
    changes: ClassVar = False

    @classmethod
    def read(cls, words: FaultWords) -> Duplicate | Doubling:
        """Segments; a share of all packets is a doubling at random."""
        end, is_doubling = words.end_before(words.at_share)
        if is_doubling:
            return Doubling(words.text, words.share(), words.seed(), end)
        return cls(words.text, words.items(end))

    def follow(self, fate: Fate) -> None:
        if not fate.lost:
            # A copy is made before a segment is corrupted, and stays whole.
            packet = fate.packet
            fate.add(OTHER[packet.end], fate.at, fate.data, "copy", self.text)


class Doubling(AtRandom, frozen=True):
    """Packets of one or both ends arrive twice, at random."""

    verb: ClassVar = "duplicate"
    usage: ClassVar = "duplicate [END] NUMBER% [seed N]"

    def actor(self) -> Actor[Any]:
        return _Doubling(self)


class _Doubling(Drawing[Doubling]):
    def meet(self, fate: Fate) -> None:
        super().meet(fate)
        if self.drawn:
            fate.chosen.append(Choice(self.place, self.fault.text, acts=True, changes=False))

    def follow(self, fate: Fate) -> None:
        if self.drawn and not fate.lost:
            packet = fate.packet
            fate.add(OTHER[packet.end], fate.at, fate.data, "copy", self.fault.text)


class Inject(Selecting, frozen=True):
    """A forged segment follows the chosen one.

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
