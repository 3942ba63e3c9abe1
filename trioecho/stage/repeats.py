"""Repeats: calls that a program makes again and again with no effect, told as one with a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from trioecho.model import RECEIVING, SENDING, Call, End

#: So many of each kind are told one by one.
FEW = 3
#: After so many more their count is told, while the program still spins.
SOON = 100
_MOST = 1_000  # sockets that are remembered: a task that ends closes its own unseen
_MOST_KINDS = 4  # kinds of calls in one such loop

Key = tuple[int, End, int, str]


class Repeats:
    """Counts what a spinning program does, so that a minute of it is a few rows.

    A call has no effect when it returns no bytes or an error: the end, once more. It is a repeat
    when the same socket has made it before, and done nothing else since. Each kind is told ``FEW``
    times. The others become one call with their number, ``times``: after ``SOON``, when the
    socket does something else, when its end closes, and at the end.
    """

    def __init__(self) -> None:
        self._loops: dict[Key, _Loop] = {}

    def told(self, call: Call, task: int = 0) -> Iterator[Call]:
        """What there is to tell of a call, and of those before."""
        key = (task, call.end, call.fd, call.socket)
        loop = self._loops.get(key)
        if _is_idle(call):
            if loop is None:
                loop = self._loops[key] = _Loop()
                if len(self._loops) > _MOST:
                    yield from self._loops.pop(next(iter(self._loops))).release()
            if loop.counts(call):
                if loop.count == SOON:
                    yield from loop.release()
                return
        elif loop is not None:
            del self._loops[key]
            yield from loop.release()
        yield call

    def counted(self, end: End | None = None) -> Iterator[Call]:
        """What was counted until now and is not told yet: of one end, or of both."""
        for (_, whose, _, _), loop in self._loops.items():
            if end in (None, whose):
                yield from loop.release()


class _Loop:
    """What one socket repeats."""

    def __init__(self) -> None:
        self.count = 0  # since the beginning, of those that are not told one by one
        self._told: dict[Call, int] = {}
        self._held: dict[Call, int] = {}
        self._time = 0

    def counts(self, call: Call) -> bool:
        """Whether a call is counted, and not told by itself."""
        kind = replace(call, time=0)
        times = self._told.get(kind, 0)
        if times < FEW:
            if times or len(self._told) < _MOST_KINDS:
                self._told[kind] = times + 1
            return False
        self._held[kind] = self._held.get(kind, 0) + 1
        self._time = call.time
        self.count += 1
        return True

    def release(self) -> Sequence[Call]:
        """Those counted, each kind as one call at the time of the last."""
        held, self._held = self._held, {}
        return [replace(kind, time=self._time, times=times) for kind, times in held.items()]


def _is_idle(call: Call) -> bool:
    if call.name == "accept":
        return call.error is not None
    return call.name in RECEIVING | SENDING and not call.result
