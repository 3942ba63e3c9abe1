"""The window of a sender's peer, and what counts as a full segment into it."""

from __future__ import annotations

_DEFAULT_MSS = 536  # RFC 9293 §3.7.1
#: Options of a full segment take this much of the MSS (timestamps).
OPTIONS = 12


class Window:
    """What a sender may send.

    Attributes:
        mss: bytes of a full segment, as the sender itself offered to take.
        offered: whether it did where that was seen.
        size: its peer's window, in bytes; None before the first.
        widest: that at its widest.
        full: what counts as a full segment, also into a small window (RFC 9293 §3.8.6.2.1).
    """

    __slots__ = ("full", "mss", "offered", "size", "widest")

    def __init__(self) -> None:
        self.mss = _DEFAULT_MSS
        self.offered = False
        self.size: int | None = None
        self.widest = 0
        self.full = _DEFAULT_MSS - OPTIONS

    def offer(self, mss: int) -> None:
        """The sender tells how large a segment it takes."""
        self.mss, self.offered = mss, True
        self._widen(self.widest)

    def segment(self, length: int, *, stamped: bool) -> int:
        """Bytes of a full segment on the wire: where no MSS was seen, those captured as one.

        Args:
            length: those that were.
            stamped: whether it has timestamps.
        """
        if not self.offered:
            return length
        return max(1, self.mss - OPTIONS if stamped else self.mss)

    def open(self, size: int) -> None:
        """The peer tells how much it takes now."""
        self.size = size
        if size > self.widest:
            self._widen(size)

    def blocks(self, flying: int) -> bool:
        """Whether it has no room for a full segment behind what is in flight."""
        return self.size is not None and self.size - flying < self.full

    def reader(self, size: int) -> str:
        """It is full, and has that size now: is it small because its program does not read?"""
        small = min(size, self.size or 0) < self.widest / 2
        return "slow-reader" if small else "receive-buffer"

    def _widen(self, widest: int) -> None:
        full, self.widest = self.mss - OPTIONS, widest
        self.full = min(full, widest // 2) if widest else full
