"""The one nursery in which two programs run, and a ladder is made of what they do.

Start: the place is there, then the server, and once it listens, the client. End: the client has
ended; its connections come to their end by themselves, as far as the server lets them; the server
is ended; what is still under way arrives; the outputs are finished.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from signal import SIGINT, SIGTERM
from time import time_ns

import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.sockdiag import Diag
from trioecho.model import Call, End, Summary
from trioecho.programs.connecting import Finder
from trioecho.programs.lines import Line
from trioecho.programs.place import Place, open_place
from trioecho.programs.program import Program, Tell, open_program
from trioecho.programs.settings import Settings
from trioecho.stage.outputs import Output
from trioecho.stage.show import relay, show

# Seconds for the connections to end by themselves once the client has, before the server is ended.
SERVED = 1.0
# Seconds for them to end after that: a lost FIN is sent again by then.
GRACE = 5.0
# Seconds that a client in the foreground has to end by the Ctrl-C that it got itself.
OWN_ACCORD = 1.0
# Nanoseconds by which events are held back, so that strace has told of older calls by then.
LAG = 100_000_000


async def run_programs(
    settings: Settings,
    outputs: Callable[[str, Sequence[str], int], Sequence[Output]],
    tell: Tell,
    *,
    stop: trio.Event | None = None,
) -> int:
    """Run a server and a client, and show what they do as a ladder, live.

    Args:
        settings: which programs, and where.
        outputs: given a title, the names of the interfaces and the time that counts as zero, opens
            the outputs.
        tell: is given the lines that the programs write, and remarks on them.
        stop: when set, the programs are ended and what has been seen so far is finished.

    Returns:
        The client's exit code, as a shell gives it.

    Raises:
        TrioechoError: there can be no such place here, a program could not be started, the server
            did not listen, or the time was up; the outputs are complete all the same.
    """
    stop = trio.Event() if stop is None else stop
    async with open_place(settings) as (place, diag):
        chronicle = place.chronicle
        session = Session(settings, place, diag, tell, stop)
        shown = outputs(place.title, place.interfaces, time_ns())

        async def engine() -> None:
            async with trio.open_nursery() as telling:
                finder = Finder(chronicle.tracker)
                lag = LAG if settings.calls else 0
                telling.start_soon(
                    partial(relay, lag=lag, order=finder.order, rest=finder.rest), chronicle, shown
                )
                async with trio.open_nursery() as nursery:
                    await nursery.start(place.run)
                    await session.perform()
                    with trio.move_on_after(SERVED if stop.is_set() else GRACE):
                        await session.over()
                    place.stop()
                chronicle.finish()

        def summarize() -> Summary:
            return place.summary()

        await show(shown, engine, summarize, grace=GRACE, stop=stop)
    if session.failure is not None and not stop.is_set():
        raise session.failure
    return session.code


class Session:
    """A server and a client, from the start of the one to the end of the other.

    Args:
        settings: which programs.
        place: where.
        diag: tells where the server listens.
        tell: is given what they write.
        stop: is set when the user has had enough.

    Attributes:
        code: the client's exit code, once it has ended.
        failure: what went wrong, beside the programs.
    """

    def __init__(
        self, settings: Settings, place: Place, diag: Diag, tell: Tell, stop: trio.Event
    ) -> None:
        self.code = 0
        self.failure: TrioechoError | None = None
        self._settings = settings
        self._place = place
        self._diag = diag
        self._tell = tell
        self._stop = stop
        self._enough = trio.Event()

    async def perform(self) -> None:
        """Run both to their end."""
        settings, place = self._settings, self._place
        record = place.chronicle.add if settings.calls else None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._limit)
            try:
                async with open_program(
                    place.host("server"), "server", settings.server, self._tell, record=record
                ) as server:
                    if await self._listens(server):
                        await self._converse(server, record)
                    if await server.finish(SIGTERM):
                        await self._remark("server", "took no SIGTERM, and was killed")
            except TrioechoError as error:
                self.failure = self.failure or error
            nursery.cancel_scope.cancel()

    async def over(self) -> None:
        """Return when every connection has come to its end."""
        await self._place.settle()
        while not self._place.chronicle.over():
            await self._place.chronicle.change()

    async def _limit(self) -> None:
        """Say when it is enough: the user has said so, or the time is up."""
        seconds = self._settings.timeout
        with trio.move_on_after(float("inf") if seconds is None else seconds) as scope:
            await self._stop.wait()
        if scope.cancelled_caught:
            self.failure = TrioechoError(
                f"The programs were ended after {seconds:g} s, as --timeout says"
            )
        self._enough.set()

    async def _listens(self, server: Program) -> bool:
        """Wait until the server listens; whether it does."""
        settings = self._settings
        port = "" if settings.port is None else f" on port {settings.port}"
        found = False
        with trio.move_on_after(settings.wait):
            async with trio.open_nursery() as nursery:

                async def give_up() -> None:
                    await _first(server.ended, self._enough)
                    nursery.cancel_scope.cancel()

                nursery.start_soon(give_up)
                await self._diag.wait_listening(
                    settings.port, beyond_loopback=not settings.same_host
                )
                found = True
                nursery.cancel_scope.cancel()
        if found or self._enough.is_set():
            return found
        if server.ended.is_set():
            self.failure = TrioechoError(
                f"The server ended with {server.how} before it listened{port}",
                "It must stay in the foreground",
            )
            return False
        what = f"The server did not listen{port} within {settings.wait:g} s"
        hint = "--wait SECONDS gives it longer"
        elsewhere = ", ".join(sorted({str(one) for one in await self._diag.listening()}))
        if elsewhere and settings.port is None:
            address = self._place.host("server").address
            what += f", except at {elsewhere}, which a client on another host cannot reach"
            hint = f"Let it bind {address} or 0.0.0.0, or use --same-host"
        elif elsewhere:
            what += f"; it listens at {elsewhere}"
        self.failure = TrioechoError(what, hint)
        return False

    async def _converse(self, server: Program, record: Callable[[Call], None] | None) -> None:
        """Run the client, and let its connections end."""
        settings = self._settings
        async with (
            open_program(
                self._place.host("client"),
                "client",
                settings.client,
                self._tell,
                record=record,
                foreground=settings.foreground,
            ) as client,
            # Within: it is cancelled, and the client's last words must not be cut off by that.
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._watch, server)
            await _first(client.ended, self._enough)
            if settings.foreground and not client.ended.is_set():
                with trio.move_on_after(OWN_ACCORD):
                    await client.ended.wait()
                await client.finish(SIGTERM)
            else:
                await client.finish(SIGINT, SIGTERM)
            nursery.cancel_scope.cancel()
        self.code = client.code
        if self.code:
            await self._remark("client", f"ended with {client.how}")
        with trio.move_on_after(SERVED):
            await self.over()

    async def _watch(self, server: Program) -> None:
        await server.told.wait()
        await self._remark("server", f"ended with {server.how}, before the client")

    async def _remark(self, end: End, text: str) -> None:
        await self._tell([Line(time_ns(), end, text, remark=True)])


async def _first(*events: trio.Event) -> None:
    """Wait until one of several events is set."""
    async with trio.open_nursery() as nursery:

        async def wait(event: trio.Event) -> None:
            await event.wait()
            nursery.cancel_scope.cancel()

        for event in events:
            nursery.start_soon(wait, event)
