"""``trioecho send --ping``: how long a server takes, again and again, a line each."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter_ns
from typing import TYPE_CHECKING, Literal, TypeAlias

import trio

from trioecho.cli.line_writer import LineWriter, open_line_writer
from trioecho.cli.runner import cancel_at
from trioecho.cli.send_report import round_trips
from trioecho.echo.dial import open_connection
from trioecho.echo.window import Window
from trioecho.errors import TrioechoError
from trioecho.text import plural, printable, seconds

if TYPE_CHECKING:
    from trioecho.sockets.address import Address
    from trioecho.sockets.observed import ObservedSocket

Kind: TypeAlias = Literal["connect", "echo"]
RECV_SIZE = 65536


@dataclass(frozen=True)
class Pinging:
    """The options of a ping.

    Args:
        address: the server's.
        kind: whether to time a connection each, or the echo of a message on one connection.
        message: what is echoed.
        count: how many times; None until Ctrl-C.
        interval: seconds from one to the next.
        timeout: seconds to wait for each.
        json: whether to print JSON.
    """

    address: Address
    kind: Kind
    message: bytes
    count: int | None
    interval: float
    timeout: float
    json: bool


async def conduct(pinging: Pinging, stop: trio.Event) -> int:
    """Ping until told to stop, or so many times, and print a summary.

    Args:
        pinging: the options.
        stop: when set, it ends.

    Returns:
        The exit code: 1 if nothing was answered.
    """
    async with open_line_writer(json=pinging.json) as lines:
        ping = _Ping(pinging, lines)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_at, stop, nursery.cancel_scope)
            await ping.run()
            nursery.cancel_scope.cancel()
        ping.summary()
    return 0 if ping.times else 1


class _Ping:
    def __init__(self, pinging: Pinging, lines: LineWriter) -> None:
        self._pinging = pinging
        self._lines = lines
        self.sent = 0
        self.times: list[int] = []

    async def run(self) -> None:
        connection: ObservedSocket | None = None
        due = trio.current_time()
        try:
            while self._pinging.count is None or self.sent < self._pinging.count:
                await trio.sleep_until(due)
                await self._lines.room()
                due = max(due + self._pinging.interval, trio.current_time())
                self.sent += 1
                try:
                    connection = await self._once(connection)
                except (TrioechoError, OSError) as error:
                    connection = None  # what is late would be taken for the next echo
                    self._failed(error)
        finally:
            if connection is not None:
                connection.close()

    async def _once(self, connection: ObservedSocket | None) -> ObservedSocket | None:
        """Time one, and return the connection that the next one goes on with.

        If this one fails, the connection is closed.
        """
        pinging = self._pinging
        start = perf_counter_ns()
        if connection is None:
            connection = await open_connection(
                pinging.address, nagle=False, timeout=pinging.timeout
            )
        if pinging.kind == "connect":
            took = perf_counter_ns() - start
            connection.close()
            self._answered(took)
            return None
        try:
            with trio.fail_after(pinging.timeout):
                start = perf_counter_ns()
                await connection.send_all(pinging.message)
                await self._echo(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, trio.TooSlowError):
                raise TrioechoError(f"no echo within {pinging.timeout:g} s") from None
            raise
        self._answered(perf_counter_ns() - start)
        return connection

    async def _echo(self, connection: ObservedSocket) -> None:
        window = Window()
        window.push(self._pinging.message)
        while window:
            data = await connection.recv(RECV_SIZE)
            if not data:
                raise TrioechoError("the server closed the connection")
            window.check(data)

    def _answered(self, took: int) -> None:
        self.times.append(took)
        address, kind = str(self._pinging.address), self._pinging.kind
        what = "echo from" if kind == "echo" else "connected to"
        self._tell(f"{what} {address}: number {self.sent:,}, {seconds(took)}", took / 1e9, None)

    def _failed(self, error: TrioechoError | OSError) -> None:
        said = printable((isinstance(error, OSError) and error.strerror) or str(error))
        self._tell(f"number {self.sent:,}: {said}", None, said)

    def _tell(self, line: str, time: float | None, error: str | None) -> None:
        if self._pinging.json:
            told = {"type": "ping", "number": self.sent, "time": time, "error": error}
            self._lines.write(told)
        else:
            self._lines.write(line)

    def summary(self) -> None:
        answered = len(self.times)
        trips = round_trips(self.times) if answered else {}
        if self._pinging.json:
            times = {name: time / 1e9 for name, time in trips.items()}
            counts = {"sent": self.sent, "answered": answered, "time": times or None}
            self._lines.write({"type": "summary", "address": str(self._pinging.address), **counts})
            return
        line = f"{plural(self.sent, 'ping')}, {answered:,} answered"
        if trips:
            line += f"; {'/'.join(trips)} {'/'.join(map(seconds, trips.values()))}"
        self._lines.write(line)
