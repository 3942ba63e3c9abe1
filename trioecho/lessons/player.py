"""Player: does the steps of one party of a lesson."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar, assert_never

import trio

from trioecho.errors import TrioechoError
from trioecho.lessons import steps
from trioecho.lessons.steps import Listen, Meet, Step
from trioecho.model import OTHER, End
from trioecho.sockets.listening import ListeningSocket
from trioecho.sockets.observed import ObservedSocket
from trioecho.sockets.recorder import error_name
from trioecho.sockets.told import ToldSocket
from trioecho.stage.stage import Stage

if TYPE_CHECKING:
    from trioecho.lessons.tls import Tls

_ALL = 65536  # bytes for one recv, unless the step says otherwise
_AGAIN = 0.005  # seconds; the kernel does not notify of an ACK
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
Kind = TypeVar("Kind", bound=ToldSocket)


class Meetings:
    """Where parties wait for each other."""

    def __init__(self, parties: Sequence[Sequence[Step]]) -> None:
        self._missing: Counter[str] = Counter()
        for party in parties:
            met = {step.action.name for step in party if isinstance(step.action, Meet)}
            self._missing.update(met)
        self._complete = {name: trio.Event() for name in self._missing}

    async def meet(self, name: str) -> None:
        """Wait until all parties of this meeting have reached it."""
        self._missing[name] -= 1
        if self._missing[name] <= 0:
            self._complete[name].set()
        await self._complete[name].wait()


class Player:
    """Does one step after another.

    Attributes:
        at: the current step, or None before the first and after the last.
        listens: set once it listens, or never will.
    """

    def __init__(self, end: End, script: Sequence[Step], stage: Stage, meetings: Meetings) -> None:
        self.end = end
        self.at: Step | None = None
        self.listens = trio.Event()
        self._script = script
        self._stage = stage
        self._meetings = meetings
        self._listener: ListeningSocket | None = None
        self._connections: dict[str, ObservedSocket] = {}
        self._secure: dict[str, Tls] = {}
        self._everything: list[ToldSocket] = []
        self._will_listen = any(isinstance(step.action, Listen) for step in script)
        if not self._will_listen:
            self.listens.set()

    async def act(self) -> None:
        """Do all steps.

        Raises:
            TrioechoError: a step failed that must not, or did not fail as it must.
        """
        for step in self._script:
            self.at = step
            try:
                await self._do(step)
            except OSError as error:
                name = error_name(error)
                if name != step.fails:
                    wanted = f"failed with {name}, not {step.fails}" if step.fails else "failed"
                    raise self._wrong(step, f"{wanted}: {error.strerror}") from None
            else:
                if step.fails:
                    raise self._wrong(step, "did not fail")
        self.at = None

    def close(self) -> None:
        """Close what is still open, without recording it."""
        for sock in self._everything:
            sock.close()

    async def _do(self, step: Step) -> None:
        action = step.action
        match action:
            case steps.Listen(port, backlog):
                try:
                    listener = await self._listening()
                    listener.bind((self._stage.address(self.end), port))
                    listener.listen(backlog)
                finally:
                    self.listens.set()  # or never will, and then the client finds out
            case steps.StopListening():
                (await self._listening()).close()
                self._listener = None  # it may listen again, on another socket
            case steps.Accept():
                connection = await (await self._listening()).accept()
                self._keep(connection)
                self._connections[step.name] = connection
            case steps.Bind(port):
                (await self._connection(step)).bind((self._stage.address(self.end), port))
            case steps.Connect(port):
                await (await self._connection(step)).connect(
                    (self._stage.address(OTHER[self.end]), port)
                )
            case steps.Send(size, times):
                for _ in range(times):
                    await self._stream(step).send_all(pattern(size))
            case steps.Receive(size, at_a_time):
                await self._receive(step, size, at_a_time or _ALL)
            case steps.Wait(milliseconds):
                await trio.sleep(milliseconds / 1000)
            case steps.WaitAcknowledged():
                await _acknowledged(self._connected(step))
            case steps.Meet(name):
                await self._meetings.meet(name)
            case steps.Shutdown():
                self._connected(step).shutdown_write()
            case steps.Close(reset):
                connection = self._connected(step)
                if reset:
                    connection.abort()
                else:
                    connection.close()
                del self._connections[step.name]
                self._secure.pop(step.name, None)
            case steps.StartTls():
                await self._start_tls(step)
            case steps.EndTls():
                await self._tls(step).end()
            case steps.Set(level, option, value, text):
                known = self._connections.get(step.name)
                if known is None and self._will_listen and not step.name:
                    (await self._listening()).set_option(level, option, value, text)
                else:
                    (await self._connection(step)).set_option(level, option, value, text)
            case _:
                assert_never(action)

    async def _receive(self, step: Step, size: int | None, at_a_time: int) -> None:
        stream, got = self._stream(step), 0
        while size is None or got < size:
            wanted = at_a_time if size is None else min(at_a_time, size - got)
            data = await stream.recv(wanted)
            if not data:
                if size is None:
                    return
                raise self._wrong(step, f"reached the end after {got} bytes")
            got += len(data)

    async def _listening(self) -> ListeningSocket:
        if self._listener is None:
            self._listener = await self._made(ListeningSocket)
        return self._listener

    async def _connection(self, step: Step) -> ObservedSocket:
        """The connection of a step, made if there is none yet."""
        if step.name not in self._connections:
            self._connections[step.name] = await self._made(ObservedSocket)
        return self._connections[step.name]

    def _connected(self, step: Step) -> ObservedSocket:
        connection = self._connections.get(step.name)
        if connection is None:
            raise self._wrong(step, "needs a connection, and there is none")
        return connection

    def _stream(self, step: Step) -> ObservedSocket | Tls:
        """What a step sends and receives through: TLS, if the connection has it."""
        return self._secure.get(step.name) or self._connected(step)

    async def _start_tls(self, step: Step) -> None:
        from trioecho.lessons.tls import Tls  # few lessons need it, and OpenSSL is large

        self._secure[step.name] = tls = Tls(self._connected(step))
        await tls.start()

    def _tls(self, step: Step) -> Tls:
        tls = self._secure.get(step.name)
        if tls is None:
            raise self._wrong(step, "needs a connection with TLS, and there is none")
        return tls

    async def _made(self, kind: type[Kind]) -> Kind:
        stage = self._stage
        made = await kind.create(
            socket.AF_INET, end=self.end, factory=stage.socket(self.end), record=stage.record
        )
        self._keep(made)
        return made

    def _keep(self, sock: ToldSocket) -> None:
        self._everything.append(sock)

    def _wrong(self, step: Step, what: str) -> TrioechoError:
        return TrioechoError(f"The {self.end}'s step {step.text!r} {what}")


async def _acknowledged(connection: ObservedSocket) -> None:
    while True:
        if not connection.unacknowledged():
            return
        await trio.sleep(_AGAIN)


def pattern(size: int) -> bytes:
    """So many letters of the alphabet, over and over."""
    return (_LETTERS * (size // len(_LETTERS) + 1))[:size]
