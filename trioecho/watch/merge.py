"""Merges the frames of several captures in order of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from math import inf
from operator import attrgetter

from trioecho.capture.live import size_of
from trioecho.model import Frame

_TIME = attrgetter("time")


class Merge:
    """Holds frames until no capture can deliver an older one.

    A capture is settled up to the time of its last frame. Those that hold up the others are
    ``unsettled``, and must be asked.
    """

    def __init__(self, sources: int) -> None:
        self._held: list[list[Frame]] = [[] for _ in range(sources)]
        self._settled: list[float] = [0] * sources
        self._number = 0

    def take(self, batch: list[Frame]) -> None:
        """Adds frames of one capture, in its order."""
        source = batch[0].interface
        self._held[source].extend(batch)
        self.settle(source, batch[-1].time)

    def settle(self, source: int, until: float) -> None:
        """Notes that a capture has delivered all up to a time, nanoseconds since the epoch."""
        self._settled[source] = max(self._settled[source], until)

    def end(self, source: int) -> None:
        """Notes that a capture delivers nothing more."""
        self._settled[source] = inf

    def over(self, source: int) -> bool:
        """Whether a capture's last frame has been released."""
        return self._settled[source] == inf and not self._held[source]

    @property
    def newest(self) -> int:
        """The time of the newest frame held, 0 for none."""
        return max((held[-1].time for held in self._held if held), default=0)

    @property
    def waiting(self) -> int:
        """Bytes of the frames held."""
        return sum(map(size_of, self._held))

    def unsettled(self) -> Iterable[int]:
        """The captures that hold up the others."""
        newest = self.newest
        return [source for source, until in enumerate(self._settled) if until < newest]

    def release(self) -> list[Frame]:
        """The frames that nothing can precede any more, numbered from 1 over all captures."""
        until = min(self._settled)
        runs = []
        for source, held in enumerate(self._held):
            if not held:
                continue
            if held[-1].time <= until:
                runs.append(held)
                self._held[source] = []
            elif cut := bisect_right(held, until, key=_TIME):
                runs.append(held[:cut])
                del held[:cut]
        if not runs:
            return []
        return self._numbered(runs[0] if len(runs) == 1 else _joined(runs))

    def _numbered(self, frames: list[Frame]) -> list[Frame]:
        first, self._number = self._number + 1, self._number + len(frames)
        if frames[0].number == first and frames[-1].number == self._number:
            return frames  # as its only capture has numbered them
        return [
            Frame(number, one.time, one.data, one.link, one.length, one.interface)
            for number, one in enumerate(frames, first)
        ]


def _joined(runs: Sequence[list[Frame]]) -> list[Frame]:
    """Frames in order of time; each run keeps its order, even where a clock was set back.

    A frame counts as no older than those before it in its run.
    """
    frames = list(chain(*runs))
    if all(run == sorted(run, key=_TIME) for run in runs):  # nearly always, and quick to check
        return sorted(frames, key=_TIME)
    times = list(chain(*(accumulate(map(_TIME, run), max) for run in runs)))
    return [frames[at] for at in sorted(range(len(frames)), key=times.__getitem__)]
