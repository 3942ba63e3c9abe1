"""What strace writes of one program, read as it comes and put into the journal."""

from __future__ import annotations

from collections.abc import Sequence
from time import time_ns

import trio

from trioecho.model import Call, End
from trioecho.programs.calls import WAITED, TracedCalls
from trioecho.programs.connecting import AT_ONCE, Finder
from trioecho.programs.lines import ProgramLine, Tell
from trioecho.programs.pipe import Pipe
from trioecho.stage.journal import Journal

_LONGEST = 1 << 16  # bytes of a line of strace's at the most


class Tracing:
    """Puts the calls of one program into the journal.

    strace writes down the beginning of a call before the kernel makes it. So whenever a segment
    is seen, the journal has this read what there is. A call that has begun and not returned holds
    up what is younger, and no longer than `WAITED`: one that takes longer is told when it returns.
    A connect that has not returned holds up what is younger until its SYN is seen, and no longer
    than `AT_ONCE`: it may go where no segment of it is seen. Neither can be known better, since
    strace says nothing of a call while it waits.
    """

    def __init__(self, pipe: Pipe, end: End, *, journal: Journal, finder: Finder) -> None:
        self._pipe = pipe
        self._end = end
        self._calls = TracedCalls(end)
        self._late = journal.late_calls(finder.placed, self._catch_up)
        self._rest = b""
        self._remarks: list[ProgramLine] = []

    async def run(self, ended: trio.Event, tell: Tell) -> None:
        """Read until the program has ended and nothing is left."""
        try:
            data: bytes | None = None
            while data != b"":
                patience = WAITED / 1e9 if self._late.waiting else float("inf")
                if data := await self._pipe.read(ended, patience):
                    self._feed(data)
                self._late.expire(time_ns() - WAITED, time_ns() - AT_ONCE)
                if self._remarks:
                    remarks, self._remarks = self._remarks, []
                    await tell(remarks)
        finally:
            self._late.end()

    def _catch_up(self) -> None:
        # All that a pipe holds. A program that spins writes on and on: no more is waited for.
        if data := self._pipe.read_now():
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            text = line.decode("ascii", "replace")
            if text.startswith("strace: "):
                self._remarks.append(ProgramLine(time_ns(), self._end, text, remark=True))
            calls = self._calls.line(text)
            self._put(calls, text)
        self._rest = rest[:_LONGEST]
        text = self._rest.decode("ascii", "replace")
        if text:
            self._put(self._calls.beginning(text), text)
        self._late.read(self._calls.sending(text, time_ns() - WAITED))

    def _put(self, calls: Sequence[Call], text: str) -> None:
        known = self._calls
        self._late.put(calls, known.began(text), known.task, connected=known.connected)
