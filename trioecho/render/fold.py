"""Folding: past a limit, rungs with nothing new become one line that counts them."""

from __future__ import annotations

from collections import Counter

from trioecho.model import FIN, RECEIVING, RST, SENDING, SYN, Call, Rung
from trioecho.text import bytes_of, plural

# After so many rungs of its own, a kind of note is a habit of the connection.
_OFTEN = 5
# Calls that are shown in full, for each rung of the limit.
_CALLS = 2


class Fold:
    """Decides which events to fold, and counts them.

    Args:
        limit: how many rungs to show in full before folding; None never folds.
        refill: how many more to show in full for each second that passes, so that quiet traffic
            after a burst is shown again.
        hint: follows the count, and says how to see what was folded.
    """

    def __init__(
        self, limit: int | None, refill: int = 0, hint: str = " (--all shows them)"
    ) -> None:
        self._limit = limit
        self._hint = hint
        self._refill = refill
        self._rungs = 0.0  # shown in full, less those refilled
        self._told = 0.0  # calls shown in full, less those refilled
        self._last = 0
        self._shown: Counter[str] = Counter()
        self._forget()

    def _forget(self) -> None:
        self._segments = self._bytes = self._calls = 0
        self._kinds: Counter[str] = Counter()

    def swallows(self, event: Rung | Call) -> bool:
        """Whether an event is folded; if so, it is counted."""
        if self._limit is None:
            return False
        if isinstance(event, Rung):
            self._forgive(event.time)
            self._rungs = min(self._rungs + 1, self._limit + 1)
            return self._rungs > self._limit and self._swallows_rung(event)
        if event.name not in RECEIVING | SENDING or not event.result:
            return False
        self._told = min(self._told + 1, self._limit * _CALLS + 1)
        if self._rungs <= self._limit and self._told <= self._limit * _CALLS:
            return False
        self._calls += 1
        return True

    def _forgive(self, time: int) -> None:
        if self._refill:
            more = max(time - self._last, 0) * self._refill / 1e9
            self._rungs -= min(self._rungs, more)
            self._told -= min(self._told, more * _CALLS)
            self._last = time
            if not self._rungs:
                self._shown.clear()

    def _swallows_rung(self, rung: Rung) -> bool:
        if rung.lost or rung.segment.flags & (SYN | FIN | RST):
            return False
        kinds = [note.kind for note in rung.notes if not note.routine]
        if any(self._shown[kind] < _OFTEN for kind in kinds):
            self._shown.update(kinds)
            return False
        self._kinds.update(kinds)
        self._segments += 1
        self._bytes += rung.segment.length
        return True

    def release(self) -> str:
        """What has been folded since the last call, in words; ``""`` for nothing."""
        if not self._segments and not self._calls:
            return ""
        parts = []
        if self._segments:
            parts.append(f"{plural(self._segments, 'segment')} with {bytes_of(self._bytes)}")
        if self._calls:
            parts.append(plural(self._calls, "socket call"))
        text = f"{' and '.join(parts)} folded{self._hint}"
        if self._kinds:
            text += ": " + ", ".join(f"{count} {kind}" for kind, count in self._kinds.items())
        self._forget()
        return text
