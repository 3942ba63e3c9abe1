"""Other programs on a stage: a server and a client, and the ladder of what they do.

Start: the stage is opened, then the server starts, and once it listens, the client. End: the client
exits; its connections end by themselves, as far as the server lets them; the server is stopped;
segments in flight arrive; the outputs are finished.
"""

from __future__ import annotations

from functools import partial
from signal import SIGINT, SIGTERM, Signals
from time import time_ns

import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.sockdiag import Diag
from trioecho.model import End, Stopped
from trioecho.programs.connecting import Finder
from trioecho.programs.lines import ProgramLine, Tell
from trioecho.programs.program import Program, open_program
from trioecho.programs.settings import RunSettings
from trioecho.programs.telling import LinesOutput
from trioecho.programs.tracing import Tracing
from trioecho.stage.open import open_recorded
from trioecho.stage.outputs import OpenOutputs
from trioecho.stage.play import check_matched, play
from trioecho.stage.stage import RecordedStage, Where

# Seconds for a server to listen.
LISTENS = 10.0
# Seconds for one that listens on the loopback of another host to listen elsewhere, too.
ELSEWHERE = 1.0
# As timeout(1) exits.
TIMED_OUT = 124
# Seconds between the client's end and the server's, for the connections to end by themselves.
SERVED = 1.0
# Seconds for them to end after that: long enough for a lost FIN to be sent again.
GRACE = 5.0
# Seconds for a foreground client to end by the Ctrl-C that it received itself.
OWN_ACCORD = 1.0


async def run_programs(
    settings: RunSettings,
    outputs: OpenOutputs,
    tell: Tell,
    *,
    stop: trio.Event | None = None,
) -> int:
    """Run a server and a client, and show their ladder, live.

    Raises:
        TrioechoError: there can be no such stage here, a program could not be started, the server
            did not listen, or the time ran out; the outputs are complete all the same.
    """
    stop = trio.Event() if stop is None else stop
    where: Where = "host" if settings.same_host else "wire"
    async with (
        open_recorded(where, settings.faults, kernel=settings.kernel, ways=settings.ways) as stage,
        stage.diags() as diags,
    ):
        opened = outputs(stage.title, stage.interfaces)
        lines = LinesOutput(stage, opened, tell)
        session = Session(settings, stage, diags["server"], lines.tell, stop)
        summary = await play(stage, [*opened, lines], session.perform, grace=GRACE, stop=stop)
    if settings.strict:
        check_matched(summary)
    return session.code


class Session:
    """A server and a client, from the server's start to its end.

    Attributes:
        code: the client's exit code, once it has ended.
    """

    def __init__(
        self, settings: RunSettings, stage: RecordedStage, diag: Diag, tell: Tell, stop: trio.Event
    ) -> None:
        self.code = 0
        self._failure: TrioechoError | None = None
        self._why = "the client has ended"
        self._settings = settings
        self._stage = stage
        self._diag = diag
        self._tell = tell
        self._stop = stop
        self._enough = trio.Event()
        self._tracing = None
        if settings.calls:
            finder = Finder(stage.journal.tracker)
            self._tracing = partial(Tracing, journal=stage.journal, finder=finder)

    async def perform(self) -> list[TrioechoError]:
        """Run both until they end, and return what failed."""
        settings, stage = self._settings, self._stage
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._limit)
            try:
                async with open_program(
                    stage.host("server"),
                    "server",
                    settings.server,
                    self._tell,
                    limit=settings.output_limit,
                    tracing=self._tracing,
                ) as server:
                    if await self._listens(server):
                        await self._converse(server)
                    await stage.settle()
                    if await server.finish(SIGTERM, told=partial(self._stopped, "server")):
                        await self._remark("server", "did not end on SIGTERM, and was killed")
            except TrioechoError as error:
                self._failure = self._failure or error
            nursery.cancel_scope.cancel()
        return [] if self._failure is None else [self._failure]

    async def _limit(self) -> None:
        """Set the stop event when the user stops the run or the time is up."""
        seconds = self._settings.timeout
        with trio.move_on_after(float("inf") if seconds is None else seconds) as scope:
            await self._stop.wait()
        self._why = "you stopped the run"
        if scope.cancelled_caught:
            self._why = "the time of --timeout is up"
            self._failure = TrioechoError(
                f"The programs were stopped after {seconds:g} s (--timeout)", code=TIMED_OUT
            )
        self._enough.set()

    async def _listens(self, server: Program) -> bool:
        """Wait until the server listens, and return whether it does."""
        settings = self._settings
        port = "" if settings.port is None else f" on port {settings.port}"
        found = False
        wait = LISTENS if settings.wait is None else settings.wait
        with trio.move_on_after(wait) as patience:
            async with trio.open_nursery() as nursery:

                async def give_up() -> None:
                    await _first(server.ended, self._enough)
                    nursery.cancel_scope.cancel()

                async def lose_patience() -> None:
                    await self._diag.wait_listening(settings.port)
                    patience.deadline = min(patience.deadline, trio.current_time() + ELSEWHERE)

                nursery.start_soon(give_up)
                if settings.wait is None and not settings.same_host:
                    nursery.start_soon(lose_patience)
                await self._diag.wait_listening(
                    settings.port, beyond_loopback=not settings.same_host
                )
                found = True
                nursery.cancel_scope.cancel()
        if found or self._enough.is_set():
            return found
        if server.ended.is_set():
            self._failure = await server.untraced() or TrioechoError(
                f"The server ended with {server.how} before it listened{port}",
                "It must stay in the foreground",
            )
            return False
        what = f"The server did not listen{port} within {wait:g} s"
        hint = "Give it longer with --wait SECONDS"
        there = await self._diag.listening()
        wanted = [one for one in there if settings.port in (None, one.port)]
        elsewhere = ", ".join(sorted({str(one) for one in wanted or there}))
        self._why = "no client could reach it" if wanted else "it did not listen"
        if wanted:
            address = self._stage.host("server").address
            only = "only " * (len(wanted) == len(there))
            what = f"The server listens {only}at {elsewhere}, which another host cannot reach"
            hint = f"Let it bind {address} or 0.0.0.0, or use --same-host"
            if settings.wait is None:
                hint += "; if it binds another later, give it longer with --wait SECONDS"
        elif elsewhere:
            what += f"; it listens at {elsewhere}"
        self._failure = TrioechoError(what, hint)
        return False

    async def _converse(self, server: Program) -> None:
        """Run the client, and let its connections end."""
        settings = self._settings
        async with (
            open_program(
                self._stage.host("client"),
                "client",
                settings.client,
                self._tell,
                limit=settings.output_limit,
                tracing=self._tracing,
                foreground=settings.foreground,
            ) as client,
            # Inside, so that its cancellation does not cut off the client's last output.
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._watch, server)
            await _first(client.ended, self._enough)
            await self._stage.settle()
            told = partial(self._stopped, "client")
            if settings.foreground and not client.ended.is_set():
                with trio.move_on_after(OWN_ACCORD):
                    await client.ended.wait()
                await client.finish(SIGTERM, told=told)
            else:
                await client.finish(SIGINT, SIGTERM, told=told)
            self._why = "the client has ended"
            nursery.cancel_scope.cancel()
        self.code = client.code
        self._failure = self._failure or await client.untraced()
        if self.code:
            await self._remark("client", f"ended with {client.how}")
        with trio.move_on_after(SERVED):
            await self._stage.over()

    async def _watch(self, server: Program) -> None:
        await server.told.wait()
        await self._remark("server", f"ended with {server.how}, before the client")

    def _stopped(self, end: End, number: Signals) -> None:
        self._stage.journal.stopped(Stopped(time_ns(), end, number.name, self._why))

    async def _remark(self, end: End, text: str) -> None:
        await self._tell([ProgramLine(time_ns(), end, text, remark=True)])


async def _first(*events: trio.Event) -> None:
    """Wait until one of several events is set."""
    async with trio.open_nursery() as nursery:

        async def wait(event: trio.Event) -> None:
            await event.wait()
            nursery.cancel_scope.cancel()

        for event in events:
            nursery.start_soon(wait, event)
