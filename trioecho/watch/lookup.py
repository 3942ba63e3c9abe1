"""Looks up the processes at the ends of new connections, off the path of the frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import trio

from trioecho.model import Process
from trioecho.tcp.connection import TrackedConnection
from trioecho.watch.engine import Engine
from trioecho.watch.processes import AskedConnection, find_processes

# At most this many connections wait; under a flood, the oldest are left out.
MOST_ASKED = 1_000
# Each search is followed by a pause, this many times as long.
PAUSE = 20


class Lookup:
    """Searches in a thread, each time for all connections that came since the last search."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asked: deque[AskedConnection] = deque(maxlen=MOST_ASKED)
        self._news = trio.Event()
        self._over = trio.Event()

    def ask(self, connections: Sequence[TrackedConnection]) -> None:
        """Asks for the processes of new connections."""
        for one in connections:
            self._asked.append(
                AskedConnection(one.number, one.client.endpoint, one.server.endpoint)
            )
        if self._asked:
            self._news.set()

    def finish(self) -> None:
        """Ends after a last search: no more connections will come."""
        self._over.set()
        self._news.set()

    async def run(self, put: Callable[[Sequence[Process]], Awaitable[None]]) -> None:
        """Searches until `finish` is called and nobody waits."""
        while self._asked or not self._over.is_set():
            await self._news.wait()
            self._news = trio.Event()
            asked = list(self._asked)
            self._asked.clear()
            if not asked:
                continue
            begun = trio.current_time()
            held = await trio.to_thread.run_sync(find_processes, asked, abandon_on_cancel=True)
            took = trio.current_time() - begun
            now = self._engine.now
            answers = [Process(now, one.connection, one.end, one.pid, one.name) for one in held]
            if known := [one for one in answers if self._engine.hold(one)]:
                await put(known)
            with trio.move_on_after(PAUSE * took):
                await self._over.wait()
