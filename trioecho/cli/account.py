"""What is said about an exchange: text for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trioecho.text import bytes_of, preview, seconds

if TYPE_CHECKING:
    from trioecho.cli.teller import Teller
    from trioecho.echo.client import Exchange
    from trioecho.model import Call
    from trioecho.sockets.address import Address

PREVIEW = 256  # bytes of an echo that are shown


class Account:
    """An exchange as text, for people.

    Args:
        address: the server's, as the user wrote it.
        count: how often the message is sent.
        teller: is told the lines.

    Attributes:
        record: is to be told each socket call, or None.
    """

    record: Callable[[Call], None] | None = None

    def __init__(self, address: Address, count: int, teller: Teller) -> None:
        self.teller = teller
        self.address = address
        self.count = count
        self.head = b""
        self.length = 0
        self.times: list[int] = []

    def sending(self, size: int | None, name: str) -> None:
        """Say that it is connected, and sends.

        Args:
            size: bytes of the message, or None when that is not known.
            name: what the message is then called.
        """
        host, port = self.address
        what = name if size is None else bytes_of(size)
        times = f", {self.count:,} times" if self.count > 1 else ""
        self.teller.say(f"Sending {what} to {host} port {port}{times}")

    async def received(self, data: bytes) -> None:
        """Take note of some of the echo, and wait while what was said is not written yet.

        Args:
            data: what came back.
        """
        self.length += len(data)
        if len(self.head) < PREVIEW:
            self.head += data[: PREVIEW - len(self.head)]
        await self.teller.room()

    async def round_done(self, number: int, time: int) -> None:
        """Take note that all of it came back.

        Args:
            number: of the round, from 1.
            time: nanoseconds since it was sent.
        """
        self.times.append(time)
        self.show_round(number, time)
        self.head, self.length = b"", 0
        await self.teller.room()

    def show_round(self, number: int, time: int) -> None:
        """Say what came back in a round.

        Args:
            number: of the round, from 1.
            time: nanoseconds it took.
        """
        remarks = []
        if self.length > PREVIEW:
            remarks.append(bytes_of(self.length))
        if self.count > 1:
            remarks += [f"{number:,} of {self.count:,}", seconds(time)]
        told = f" ({', '.join(remarks)})" if remarks else ""
        shown = preview(self.head, PREVIEW, self.length)
        self.teller.say(f"Message received from the server: {shown}{told}")

    def end(self, result: Exchange | None) -> None:
        """Say how it ended.

        Args:
            result: what it came to, or None when it did not go well.
        """
        if self.count > 1 and self.times:
            times = "/".join(seconds(time) for time in round_trips(self.times).values())
            self.teller.say(f"Round trip min/median/p99/max: {times}")
        if result is None:
            return
        if result.server_end == "open":
            self.teller.say("The server keeps its direction open; not waiting for it any longer")
        elif result.server_end == "rst":
            self.teller.say("The server reset the connection, after the echo was complete")


class JsonAccount(Account):
    """An exchange as JSON, for programs."""

    def __init__(self, address: Address, count: int, teller: Teller) -> None:
        from time import time_ns

        from trioecho.render.jsonl import call_object

        super().__init__(address, count, teller)
        start = time_ns()
        self.record = lambda call: teller.say_call(call_object(call, start))

    def sending(self, size: int | None, name: str) -> None:
        self.teller.say({"type": "sending", "address": str(self.address), "bytes": size})

    def show_round(self, number: int, time: int) -> None:
        from base64 import b64encode

        self.teller.say(
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
        self.teller.say(summary)


def round_trips(times: list[int]) -> dict[str, int]:
    """What round trips came to.

    Args:
        times: one for each, in nanoseconds.

    Returns:
        Their minimum, median, 99th percentile (nearest rank) and maximum.
    """
    ordered = sorted(times)
    count = len(ordered)
    return {
        "min": ordered[0],
        "median": (ordered[(count - 1) // 2] + ordered[count // 2]) // 2,
        "p99": ordered[-(-count * 99 // 100) - 1],
        "max": ordered[-1],
    }
