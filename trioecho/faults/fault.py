"""Fault: the base of all faults. PURE.

A fault is one class: its fields, its words (``verb``, ``usage``, ``read``), what it does to a
packet (``meet``, ``follow``) and, through its ``Actor``, why it has done nothing.
`trioecho.faults.faults` lists them in the order in which a packet meets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.faults.fate import Choice, Fate
from trioecho.faults.grammar import FaultWords
from trioecho.faults.items import Items
from trioecho.faults.tally import Tally

NEVER = "never matched: "


class Fault(Struct, frozen=True):
    """Something done to the wire.

    Args:
        text: its words as they were written, with one space between them.
    """

    verb: ClassVar[str]
    usage: ClassVar[str]
    single: ClassVar[bool] = False  # a wire has at most one

    text: str

    @classmethod
    def read(cls, words: FaultWords) -> Fault:
        """Read what follows the verb.

        Raises:
            TrioechoError: a word is not valid.
        """
        raise NotImplementedError

    def actor(self) -> Actor[Any]:
        """The fault at work on a wire, with its state."""
        return Actor(self)

    def check(self, script: Sequence[Fault]) -> None:
        """Check that it can be used with the other faults of a script.

        Raises:
            TrioechoError: it cannot.
        """
        found = [fault.text for fault in script if self.rivals(fault)]
        if len(found) > 1:
            what = f"The wire cannot have both {found[0]!r} and {found[1]!r}"
            raise TrioechoError(what, "Leave one of them out")

    def rivals(self, other: Fault) -> bool:
        """Whether a wire has only one of the two; true of itself where it has only one of these."""
        return self.single and type(other) is type(self)

    def check_late(self) -> None:
        """Check that it can be added to an open wire.

        Raises:
            TrioechoError: it cannot.
        """

    def meet(self, fate: Fate) -> None:
        """Change what becomes of a packet."""

    def follow(self, fate: Fate) -> None:
        """Add what follows a packet."""


class Selecting(Fault, frozen=True):
    """A fault that acts on chosen segments."""

    # Whether a segment is said to have met it, and whether it arrives other than it would have.
    acts: ClassVar[bool] = True
    changes: ClassVar[bool] = True

    items: Items

    def actor(self) -> Actor[Any]:
        return Selector(self)


class SelectingItems(Selecting, frozen=True):
    """One whose words are no more than the segments."""

    @classmethod
    def read(cls, words: FaultWords) -> Self:
        return cls(words.text, words.items())


AnyFault = TypeVar("AnyFault", bound=Fault)
AnySelecting = TypeVar("AnySelecting", bound=Selecting)


class Actor(Generic[AnyFault]):
    """A fault at work on one wire.

    Attributes:
        place: its place in the script.
    """

    def __init__(self, fault: AnyFault) -> None:
        self.fault = fault
        self.place = 0

    def take_over(self, old: Self) -> bool:
        """Take over the state of one that this replaces, and say whether all of it is replaced."""
        return True

    def meet(self, fate: Fate) -> None:
        """As for ``Fault``."""
        self.fault.meet(fate)

    def follow(self, fate: Fate) -> None:
        """As for ``Fault``; the packet is settled."""

    def why(self, connections: int) -> str:
        """Why it has not acted, given the number of connections; ``""`` if it has."""
        return ""


class Selector(Actor[AnySelecting]):
    """A fault that waits for its segments."""

    def __init__(self, fault: AnySelecting) -> None:
        super().__init__(fault)
        self.items = Tally(fault.items)
        self.chosen = False

    def meet(self, fate: Fate) -> None:
        self.chosen = fate.is_one_of(self.items)
        if self.chosen:
            fault = self.fault
            fate.chosen.append(Choice(self.place, fault.text, fault.acts, fault.changes))
            fault.meet(fate)

    def follow(self, fate: Fate) -> None:
        if self.chosen:
            self.fault.follow(fate)

    def why(self, connections: int) -> str:
        return "" if self.items.hit else NEVER + self.items.why(connections)
