"""Which segments a fault acts on: whose, of what kind, which of them, how often. PURE."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from trioecho.model import End

Kind = Literal["syn", "syn-ack", "ack", "data", "fin", "rst", "segment"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Nothing marks one of these as a repetition of another.
ONCE_ONLY: tuple[Kind, ...] = ("ack", "rst", "segment")


class Which(Struct, frozen=True):
    """Which of the items of a kind.

    Args:
        parts: first and last number of each part; None for one without an end.
        every: every so many, when not 0; ``parts`` is empty then.
    """

    parts: tuple[tuple[int, int | None], ...] = ((1, 1),)
    every: int = 0

    def has(self, number: int) -> bool:
        """Whether the item of this number is one of them."""
        if self.every:
            return number % self.every == 0
        return any(
            first <= number and (last is None or number <= last) for first, last in self.parts
        )

    @classmethod
    def only(cls, number: int) -> Which:
        """One item."""
        return cls(((number, number),))

    @property
    def first(self) -> int:
        """The lowest number among them."""
        return self.every or min(first for first, _ in self.parts)


class Items(Struct, frozen=True):
    """The segments that a fault acts on.

    Args:
        end: who sends them; None for either end, both counted together in order of time.
        kind: what they are.
        which: their numbers.
        times: how many transmissions of each, from its first on; None for all of them.
        connection: the number of their connection, from 1; None for each connection on its own.
        containing: the bytes that a segment of data holds; only those that do are counted.
        byte: the byte that they hold, of all that their end sends, from 1; 0 for any segment.
    """

    end: End | None
    kind: Kind
    which: Which = Which()
    times: int | None = 1
    connection: int | None = None
    containing: bytes = b""
    byte: int = 0
