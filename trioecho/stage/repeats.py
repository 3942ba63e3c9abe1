"""Repeats: calls that a program repeats with no effect, reported as one call with a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from trioecho.model import RECEIVING, SENDING, Call, End

#: How many of each kind are reported one by one.
FEW = 3
#: After this many more their count is reported, while the program still spins.
SOON = 100
_MOST = 1_000  # sockets remembered: strace does not show the closes of a task that ends
_MOST_KINDS = 4  # kinds of calls in one loop

Key = tuple[int, End, int, str]


class Repeats:
    """Counts the calls of a program that spins, so that a minute of it is a few rows.

    A call has no effect when it returns no bytes or an error. It is a repeat when the same socket
    has made it before, and no other call with an effect since. Each kind is reported ``FEW`` times.
    The rest become one call with their number, ``times``: after ``SOON``, when the socket does
    something else, when its end closes, and at the end.
    """

    def __init__(self) -> None:
        self._loops: dict[Key, _Loop] = {}

    def told(self, call: Call, task: int = 0) -> Iterator[Call]:
        """The calls to report after this one."""
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
        """The calls counted but not reported yet, of one end or of both."""
        for (_, whose, _, _), loop in self._loops.items():
            if end in (None, whose):
                yield from loop.release()


class _Loop:
    """The repeated calls of one socket."""

    def __init__(self) -> None:
        self.count = 0  # of all calls that are not reported one by one
        self._told: dict[Call, int] = {}
        self._held: dict[Call, int] = {}
        self._time = 0

    def counts(self, call: Call) -> bool:
        """Whether a call is only counted, not reported."""
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
        """The counted calls, each kind as one call at the time of the last."""
        held, self._held = self._held, {}
        return [replace(kind, time=self._time, times=times) for kind, times in held.items()]


def _is_idle(call: Call) -> bool:
    if call.name == "accept":
        return call.error is not None
    return call.name in RECEIVING | SENDING and not call.result
