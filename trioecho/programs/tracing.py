"""Reads one program's strace as it comes, and adds its calls to the journal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from time import time_ns

import trio

from trioecho.model import Call, End
from trioecho.programs.calls import WAITED, TracedCalls
from trioecho.programs.connecting import AT_ONCE, Finder
from trioecho.programs.lines import ProgramLine, Tell
from trioecho.programs.pipe import Pipe
from trioecho.stage.journal import Journal

_SAID = re.compile(r"(?:\S*/)?strace: ")  # what it says itself, with the name it was called by
_LONGEST = 1 << 16  # the longest line of strace's, in bytes
_LOOKS = 8  # times to look for more: a program that spins writes without end


class Tracing:
    """Puts the calls of one program into the journal.

    strace logs the beginning of a call before the kernel executes it. So the journal has this read
    its output before each segment. A call that has not returned holds up later events, but no
    longer than `WAITED`: one that takes longer is reported when it returns. A connect that has not
    returned holds up later events until its SYN is seen, but no longer than `AT_ONCE`: its segments
    may go where none is seen. Nothing better is possible, since strace logs nothing while a call
    waits.
    """

    def __init__(self, pipe: Pipe, end: End, *, journal: Journal, finder: Finder) -> None:
        self._pipe = pipe
        self._end = end
        self._calls = TracedCalls(end)
        self._late = journal.late_calls(finder.placed, self._catch_up)
        self._rest = b""
        self._remarks: list[ProgramLine] = []
        self._first = ""
        self._traced = False
        self._over = trio.Event()

    async def failure(self) -> str:
        """What strace said first, if it has shown no call by its end; ``""`` if nothing."""
        await self._over.wait()
        return "" if self._traced else self._first

    async def run(self, ended: trio.Event, tell: Tell) -> None:
        """Read until the program has ended and nothing is left."""
        try:
            data: bytes | None = None
            while data != b"":
                patience = WAITED / 1e9 if self._late.waiting else float("inf")
                if data := await self._pipe.read(ended, patience):
                    self._take(data)
                self._late.expire(time_ns() - WAITED, time_ns() - AT_ONCE)
                if self._remarks:
                    remarks, self._remarks = self._remarks, []
                    await tell(remarks)
        finally:
            self._late.end()
            self._over.set()

    def _catch_up(self) -> None:
        if data := self._pipe.read_now():
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Take what has been read, and what has been written meanwhile.

        The clock is read before the pipe is found empty: a call that follows is later than the
        clock, and what it sends stands after the calls that had returned.
        """
        for _ in range(_LOOKS):
            self._feed(data)
            now = time_ns()
            if not (data := self._pipe.read_now()):
                break
        else:
            self._feed(data)
            now = time_ns()
        text = self._rest.decode("ascii", "replace")
        self._late.read(self._calls.sending(text, now - WAITED), now)

    def _feed(self, data: bytes) -> None:
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            text = line.decode("ascii", "replace")
            if said := _SAID.match(text):
                text = text[said.end() :]
                remark = ProgramLine(time_ns(), self._end, f"strace says: {text}", remark=True)
                self._remarks.append(remark)
                self._first = self._first or text
            elif exited := self._calls.exited(text):
                self._late.exited(*exited)
                continue
            elif not self._traced:
                self._traced = self._calls.began(text) is not None
            calls = self._calls.line(text)
            self._put(calls, text)
        self._rest = rest[:_LONGEST]
        text = self._rest.decode("ascii", "replace")
        if text:
            self._put(self._calls.beginning(text), text)

    def _put(self, calls: Sequence[Call], text: str) -> None:
        known = self._calls
        self._late.put(calls, known.began(text), known.task, connected=known.connected)
