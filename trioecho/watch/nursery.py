"""The nursery of a watch: a capture for each interface, one engine, its outputs.

The path of a frame: ring -> merge -> engine -> one channel per output. Beside it, a thread looks up
the processes at the ends of new connections, and a table takes snapshots.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from math import inf
from typing import NamedTuple, TypeAlias

import trio
from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.model import Frame, Summary
from trioecho.render.renderer import Accounted
from trioecho.stage.outputs import Events, Output
from trioecho.text import bytes_of, plural
from trioecho.watch.captures import Captures
from trioecho.watch.engine import Engine
from trioecho.watch.interfaces import Taps
from trioecho.watch.lookup import Lookup
from trioecho.watch.snapshot import Snapshot, rows

#: Shows snapshots of as many connections as it asks for, until the event is set.
Board: TypeAlias = Callable[[Callable[[int], Snapshot], trio.Event], Awaitable[None]]

ALARM = 1.0  # seconds between checks of the kernel's drop counters
MOMENT = 1.0  # seconds after Ctrl-C until a message says what takes so long


class WatchSettings(Struct, frozen=True):
    """How long to watch, and how to show it.

    Args:
        count: how many segments to show; None for no limit.
        seconds: how long to watch; None for no limit.
        few: how many connections may be open at once before a table takes the ladder's place: 0
            for a table from the beginning, None for a ladder to the end.
        accounted: whether to account for the connections' time.
    """

    count: int | None = None
    seconds: float | None = None
    few: int | None = None
    accounted: bool = False


class Audience(NamedTuple):
    """The outputs of a watch.

    Args:
        outputs: show everything.
        screen: shows everything until the table takes its place, then the summary.
        board: shows the table, live; None where there is no terminal.
        say: shows a message to the user at once.
    """

    outputs: Sequence[Output] = ()
    screen: Output | None = None
    board: Board | None = None
    say: Callable[[str], None] = lambda notice: None


async def watch(
    taps: Taps, settings: WatchSettings, audience: Audience, *, stop: trio.Event | None = None
) -> Summary:
    """Watch interfaces.

    Raises:
        TrioechoError: the last interface went down; the outputs are complete all the same.
    """
    return await _Watch(taps, settings, audience).run(trio.Event() if stop is None else stop)


class _Watch:
    """The tasks of one watch and what they share."""

    def __init__(self, taps: Taps, settings: WatchSettings, audience: Audience) -> None:
        self.names = taps.names
        self.settings, self.audience = settings, audience
        self.confluence = Captures(taps.captures, self._fail)
        selects = None if taps.wanted.everything else taps.wanted.selects
        self.engine = Engine(
            several=len(self.names) > 1, selects=selects, accounted=settings.accounted
        )
        self.asking = Lookup(self.engine)
        self.listening = list(audience.outputs)  # the outputs that show each event
        if audience.screen is not None and settings.few != 0:
            self.listening.append(audience.screen)
        self.turn = trio.Lock()  # of the outputs
        self.enough = trio.Event()
        self.over = trio.Event()
        self.failures: list[TrioechoError] = []
        self.notices: list[str] = []

    async def run(self, stop: trio.Event) -> Summary:
        """Runs the watch, from the first frame to the summary."""
        all_outputs = [*self.audience.outputs]
        if self.audience.screen is not None:
            all_outputs.append(self.audience.screen)
        async with trio.open_nursery() as shows:
            for output in self.listening:
                await output.write(output.renderer.begin)
            for output in self.audience.outputs:
                shows.start_soon(output.run)
            shows.start_soon(self._screen)
            async with trio.open_nursery() as clocks:
                clocks.start_soon(self._clock, stop)
                clocks.start_soon(self._alarm)
                await self._work()
                clocks.cancel_scope.cancel()
            self.over.set()
            for output in self.listening:
                output.finish()
        summary = self.engine.summary(self.names, self.confluence.dropped)
        accounts = self.engine.accounts
        told = [] if accounts is None else list(accounts.end())
        for output in all_outputs:
            if told and isinstance(output.renderer, Accounted):
                await output.write(partial(output.renderer.tell, told))
            await output.write(partial(output.renderer.end, summary))
        if self.engine.copies:
            copies = plural(self.engine.copies, "frame")
            self.audience.say(f"{copies} crossed a second interface, and are shown once")
        if summary.capture.dropped and self.audience.screen is None:
            self.audience.say(f"the kernel dropped {plural(summary.capture.dropped, 'frame')}")
        if len(self.failures) == len(self.names):
            raise self.failures[-1]
        return summary

    def snapshot(self, count: int) -> Snapshot:
        """A snapshot with ``count`` connections."""
        engine = self.engine
        return Snapshot(
            rows(engine, count),
            engine.tracker.count,
            engine.open(),
            engine.frames,
            self.confluence.dropped,
            self.confluence.behind,
            engine.now,
            tuple(self.names[number] for number in sorted(engine.interfaces)),
            tuple(self.notices),
            self.settings.accounted,
        )

    # ---- how it ends, and what is said meanwhile -------------------------------------------------

    async def _clock(self, stop: trio.Event) -> None:
        """Stop the captures on request, when the time is up, or at the limit of segments."""
        async with trio.open_nursery() as nursery:

            async def asked() -> None:
                await stop.wait()
                self.enough.set()

            nursery.start_soon(asked)
            with trio.move_on_after(
                inf if self.settings.seconds is None else self.settings.seconds
            ):
                await self.enough.wait()
            nursery.cancel_scope.cancel()
        self.confluence.stop()
        await trio.sleep(MOMENT)
        if behind := self.confluence.behind:
            self._tell(f"finishing the {bytes_of(behind)} captured; Ctrl-C again gives them up")

    async def _alarm(self) -> None:
        """Warn when the kernel begins to drop frames."""
        while not self.confluence.dropped:
            with trio.move_on_after(ALARM):
                await self.over.wait()
        self._tell("the kernel is dropping frames: they arrive faster than they can be processed")

    def _tell(self, notice: str) -> None:
        self.notices.append(notice)
        if self.audience.board is None or self.audience.screen in self.listening:
            self.audience.say(notice)

    async def _screen(self) -> None:
        """Shows the ladder, and then the table, where there is one."""
        screen, board = self.audience.screen, self.audience.board
        if screen in self.listening and screen is not None:
            await screen.run()
        if screen not in self.listening and board is not None:
            await board(self.snapshot, self.over)

    # ---- the path of a frame ---------------------------------------------------------------------

    async def _work(self) -> None:
        """Processes frames until every capture has delivered its last one."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.asking.run, self._put)
            await self.confluence.run(self._show)
            self.asking.finish()

    def _fail(self, number: int, error: TrioechoError) -> None:
        """A capture has failed: if it was the last one, the watch ends."""
        self.failures.append(error)
        self.engine.leave(number)
        if len(self.failures) < len(self.names):
            self._tell(error.what)

    async def _show(self, frames: list[Frame]) -> None:
        engine, count = self.engine, self.settings.count
        left = None if count is None else count - engine.frames
        if left == 0:
            return
        known = engine.tracker.count
        rungs = engine.rungs(frames, left)
        if engine.tracker.count > known:
            self.asking.ask(engine.newest(known))
            await self._make_room()
        if rungs:
            await self._put(rungs)
        if engine.frames == count:
            self.enough.set()

    async def _make_room(self) -> None:
        """Let the table take the ladder's place when there are too many connections for one."""
        few, screen = self.settings.few, self.audience.screen
        if few and self.audience.board and screen in self.listening and self.engine.open() > few:
            async with self.turn:
                self.listening.remove(screen)
                screen.finish()

    async def _put(self, events: Events) -> None:
        async with self.turn:
            for output in self.listening:
                await output.put(events)
