"""Runs of duplicate ACKs: the first three are shown, and the others become one line."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from trioecho.model import Fact, Rung
from trioecho.tcp.rules.loss import DuplicateAck, Sack
from trioecho.text import plural, seconds

# So many make a sender repeat a segment (RFC 5681 §3.2), so each of them matters.
_SHOWN = 3
# Runs that are counted at a time, one of each end at most; beyond that the oldest is told.
_MOST = 100


class _Run(Struct):
    """Duplicates that one end has sent in a row."""

    first: Rung
    last: Rung
    count: int = 1

    def __str__(self) -> str:
        first, last = self.first, self.last
        what = plural(self.count, "more duplicate ACK")
        rungs = f"rung {first.number}"
        if self.count > 1:
            rungs = f"rungs {first.number} to {last.number}, in {seconds(last.time - first.time)}"
        told = [note.text(last) for note in last.notes if type(note) is Sack]
        return "; ".join(
            [f"{what} from the {first.sender} folded (--all shows them): {rungs}", *told]
        )


class DuplicateAcks:
    """Decides which duplicate ACKs to fold, and counts them.

    A run ends with the next segment of the same end. Its line stands before that, so what the other
    end sends meanwhile does not cut it.
    """

    def __init__(self, *, folds: bool) -> None:
        self._folds = folds
        self._runs: dict[tuple[int, str], _Run] = {}

    def swallows(self, rung: Rung) -> bool:
        """Whether a rung is folded; if so, it is counted."""
        if not self._folds or not _is_one_more(rung):
            return False
        run = self._runs.get((rung.connection, rung.sender))
        if run is None:
            self._runs[rung.connection, rung.sender] = _Run(rung, rung)
        else:
            run.last, run.count = rung, run.count + 1
        return True

    def ended_by(self, rung: Rung) -> Iterator[str]:
        """The run, in words, that ends before a rung that is not folded."""
        run = self._runs.pop((rung.connection, rung.sender), None)
        if run is not None:
            yield str(run)
        while len(self._runs) > _MOST:
            yield str(self._runs.pop(next(iter(self._runs))))

    def rest(self) -> Iterator[str]:
        """The runs that nothing has ended."""
        yield from map(str, self._runs.values())
        self._runs.clear()


def _is_one_more(rung: Rung) -> bool:
    """Whether a rung is a duplicate ACK behind the third, and nothing else worth a look."""
    if rung.lost or rung.kind != "original" or rung.edited or rung.client_kernel is not None:
        return False
    notes = [note for note in rung.notes if not note.routine and not _tells_what_came(note)]
    return len(notes) == 1 and type(notes[0]) is DuplicateAck and notes[0].count > _SHOWN


def _tells_what_came(note: Fact) -> bool:
    return isinstance(note, Sack) and not note.outside
