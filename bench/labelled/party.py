"""Party: one program of a labelled run, which notes when it did what."""

from __future__ import annotations

from time import monotonic_ns

import trio
from msgspec import Struct

from trioecho.model import End


class Did(Struct):
    """Something that a program did.

    Args:
        end: whose program.
        what: ``connect``, ``send``, ``recv`` or ``sleep``.
        start, end_time: when it began and returned, on the wire's clock, nanoseconds.
        count: bytes.
    """

    end: End
    what: str
    start: int
    end_time: int
    count: int = 0


class Party:
    """One end's program.

    Args:
        end: which end.
        sock: its socket.
        epoch: what makes this machine's monotonic clock the wire's.
        log: what both programs did.
    """

    def __init__(self, end: End, sock: trio.socket.SocketType, epoch: int, log: list[Did]) -> None:
        self.end, self.sock = end, sock
        self._epoch, self._log = epoch, log

    def now(self) -> int:
        """The time on the wire's clock."""
        return self._epoch + monotonic_ns()

    def _did(self, what: str, start: int, count: int = 0) -> None:
        self._log.append(Did(self.end, what, start, self.now(), count))

    async def connect(self, address: tuple[str, int]) -> None:
        """Connect, and note how long it took."""
        start = self.now()
        try:
            await self.sock.connect(address)
        finally:
            self._did("connect", start)

    async def send(self, data: bytes) -> None:
        """Send all of it, each part that the kernel takes noted on its own."""
        view = memoryview(data)
        while view:
            start = self.now()
            sent = await self.sock.send(view)
            self._did("send", start, sent)
            view = view[sent:]

    async def receive(self, count: int, most: int = 65536) -> None:
        """Read so many bytes, as soon as they come."""
        while count > 0:
            start = self.now()
            data = await self.sock.recv(min(count, most))
            self._did("recv", start, len(data))
            if not data:
                return
            count -= len(data)

    async def sleep(self, time: float) -> None:
        """Do something else for so many seconds."""
        start = self.now()
        await trio.sleep(time)
        self._did("sleep", start)
