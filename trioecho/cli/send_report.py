"""What ``trioecho send`` prints about an exchange: text for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trioecho.text import bytes_of, preview, seconds

if TYPE_CHECKING:
    from trioecho.cli.line_writer import LineWriter
    from trioecho.echo.client import Exchange
    from trioecho.model import Call
    from trioecho.sockets.address import Address

PREVIEW = 256  # bytes shown of an echo


class TextReport:
    """Prints an exchange for people.

    Args:
        address: the server's, as the user wrote it.
        count: how many times the message is sent.
        lines: prints the lines.

    Attributes:
        record: takes each socket call; None if calls are not shown.
    """

    record: Callable[[Call], None] | None = None

    def __init__(self, address: Address, count: int, lines: LineWriter) -> None:
        self.lines = lines
        self.address = address
        self.count = count
        self.head = b""
        self.length = 0
        self.times: list[int] = []

    def sending(self, size: int | None, name: str) -> None:
        """The connection is open. ``name`` is the message's, for an unknown size."""
        host, port = self.address
        what = name if size is None else bytes_of(size)
        times = f", {self.count:,} times" if self.count > 1 else ""
        self.lines.write(f"Sending {what} to {host} port {port}{times}")

    async def received(self, data: bytes) -> None:
        """A part of the echo has arrived; waits while standard output is behind."""
        self.length += len(data)
        if len(self.head) < PREVIEW:
            self.head += data[: PREVIEW - len(self.head)]
        await self.lines.room()

    async def round_done(self, number: int, time: int) -> None:
        """The whole echo of a message has arrived, ``time`` nanoseconds after it was sent."""
        self.times.append(time)
        self.show_round(number, time)
        self.head, self.length = b"", 0
        await self.lines.room()

    def show_round(self, number: int, time: int) -> None:
        """Print the echo of message ``number``, counted from 1."""
        remarks = []
        if self.length > PREVIEW:
            remarks.append(bytes_of(self.length))
        if self.count > 1:
            remarks += [f"{number:,} of {self.count:,}", seconds(time)]
        remark = f" ({', '.join(remarks)})" if remarks else ""
        shown = preview(self.head, PREVIEW, self.length)
        self.lines.write(f"Message received from the server: {shown}{remark}")

    def end(self, result: Exchange | None) -> None:
        """The exchange has ended; None if it failed."""
        if self.count > 1 and self.times:
            times = "/".join(seconds(time) for time in round_trips(self.times).values())
            self.lines.write(f"Round trip min/median/p99/max: {times}")
        if result is None:
            return
        if result.server_end == "open":
            self.lines.write("The server keeps its direction open; not waiting any longer")
        elif result.server_end == "rst":
            self.lines.write("The server reset the connection after the echo was complete")


class JsonReport(TextReport):
    """Prints an exchange as JSON, for programs."""

    def __init__(self, address: Address, count: int, lines: LineWriter) -> None:
        from time import time_ns

        from trioecho.render.jsonl import call_object

        super().__init__(address, count, lines)
        start = time_ns()
        self.record = lambda call: lines.write_call(call_object(call, start))

    def sending(self, size: int | None, name: str) -> None:
        self.lines.write({"type": "sending", "address": str(self.address), "bytes": size})

    def show_round(self, number: int, time: int) -> None:
        from base64 import b64encode

        self.lines.write(
            {
                "type": "message",
                "number": number,
                "bytes": self.length,
                "round_trip": time / 1e9,
                "data": b64encode(self.head).decode("ascii"),
            }
        )

    def end(self, result: Exchange | None) -> None:
        summary: dict[str, object] = {
            "type": "summary",
            "address": str(self.address),
            "complete": result is not None,
            "messages": len(self.times),
            "sent": result.sent if result else None,
            "received": result.received if result else None,
            "round_trip": None,
            "server_end": result.server_end if result else None,
        }
        if self.times:
            trips = round_trips(self.times)
            summary["round_trip"] = {name: time / 1e9 for name, time in trips.items()}
        self.lines.write(summary)


def round_trips(times: list[int]) -> dict[str, int]:
    """The minimum, median, 99th percentile (nearest rank) and maximum of some times."""
    ordered = sorted(times)
    count = len(ordered)
    return {
        "min": ordered[0],
        "median": (ordered[(count - 1) // 2] + ordered[count // 2]) // 2,
        "p99": ordered[-(-count * 99 // 100) - 1],
        "max": ordered[-1],
    }
