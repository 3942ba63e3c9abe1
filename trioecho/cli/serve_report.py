"""What ``trioecho serve`` prints: its socket calls as they happen, and a summary."""

from __future__ import annotations

from dataclasses import asdict
from errno import errorcode
from time import time_ns
from typing import TYPE_CHECKING

from trioecho.text import bytes_of, exit_of, plural, preview

if TYPE_CHECKING:
    from trioecho.cli.line_writer import LineWriter
    from trioecho.echo.report import ServerReport
    from trioecho.model import Call
    from trioecho.sockets.listening import ListeningSocket

PREVIEW = 32  # bytes shown of what was received

_ERRORS = {
    "ECONNRESET": "the client has reset the connection",
    "EPIPE": "the connection is closed at the other end",
    "ETIMEDOUT": "the client no longer answers",
    "EMFILE": "this process has no file descriptor left; retrying",
    "ENFILE": "this machine has no file descriptor left; retrying",
    "ENOMEM": "the kernel has no memory left; retrying",
    "ENOBUFS": "the kernel has no memory left; retrying",
    "ECONNABORTED": "the client left before it was accepted",
}


class ServeReport:
    """Prints a server's life for people.

    Attributes:
        record: takes each socket call; None if calls are not shown.
    """

    def __init__(self, lines: LineWriter, *, quiet: bool) -> None:
        self._lines = lines
        self._start = time_ns()
        self.record = None if quiet else self._call

    def listening(self, listener: ListeningSocket) -> None:
        """The server listens."""
        self._lines.write(f"listening on {listener.local}")

    def behaving(self, text: str) -> None:
        """It will behave badly in a way; says which lesson shows what its client sees."""
        from trioecho.echo.behaviour import KINDS

        kind = KINDS[text.partition("=")[0]]
        lesson = f"; a lesson on it: trioecho lab {kind.lesson}" if kind.lesson else ""
        self._lines.write(f"{text}: it {kind.does}{lesson}")

    def replacing(self, number: int, code: int) -> None:
        """A worker has ended by itself, and another takes its place."""
        self._lines.write(f"worker {number} has ended: {exit_of(code)}; another takes its place")

    def exhausted(self, error: OSError) -> None:
        """It cannot accept for a while; ``_call`` has said so where calls are shown."""
        if self.record is None:
            name = errorcode.get(error.errno or 0, "")
            self._lines.write(f"accept -> {_error(name)}")

    def stopping(self, report: ServerReport, grace: float) -> None:
        """The server accepts no more connections."""
        if report.open:
            self._lines.write(
                f"stopping: {plural(report.open, 'connection')} may finish within {grace:g} s; "
                "Ctrl-C again cuts off"
            )

    def summary(self, report: ServerReport) -> None:
        """The server has ended."""
        self._lines.write(_summary(report))

    def _call(self, call: Call) -> None:
        self._lines.write_call(f"{(call.time - self._start) / 1e6:9.3f}  {_describe(call)}")


class JsonServeReport(ServeReport):
    """Prints a server's life as JSON, for programs."""

    def listening(self, listener: ListeningSocket) -> None:
        self._lines.write({"type": "listening", "address": str(listener.local)})

    def behaving(self, text: str) -> None:
        self._lines.write({"type": "behaviour", "behaviour": text})

    def replacing(self, number: int, code: int) -> None:
        self._lines.write({"type": "replaced", "worker": number, "code": code})

    def exhausted(self, error: OSError) -> None:
        if self.record is None:
            name = errorcode.get(error.errno or 0, "")
            self._lines.write({"type": "exhausted", "error": name})

    def stopping(self, report: ServerReport, grace: float) -> None:
        pass

    def summary(self, report: ServerReport) -> None:
        self._lines.write({"type": "summary", **asdict(report)})

    def _call(self, call: Call) -> None:
        from trioecho.render.jsonl import call_object

        self._lines.write_call(call_object(call, self._start))


def _describe(call: Call) -> str:
    """A call as a line.

    Each line names its kind of socket. A plain socket program never shows that there are two: one
    listens, and there is one for each client.
    """
    kind = "listening socket" if call.socket == "listening" else "connection"
    return f"{kind} fd {call.fd}: {_done(call)}"


def _done(call: Call) -> str:
    text = call.name
    if call.arguments and call.name not in ("send", "close"):
        text += f"({call.arguments})"
    if call.error is not None:
        return f"{text} -> {_error(call.error)}"
    match call.name:
        case "accept":
            return f"{text} -> connection socket fd {call.result}, peer {call.peer}"
        case "recv" if call.result:
            data = preview(call.data, PREVIEW, call.result)
            return f"{text} -> {bytes_of(call.result)} {data}"
        case "recv":
            return f"{text} -> 0 bytes: the client has closed its direction"
        case "send":
            return f"{text} -> {bytes_of(call.result or 0)}"
        case "setsockopt" if call.arguments == "SO_LINGER 0":
            return f"{text}: the close will be a reset"
        case _:
            return text


def _error(name: str) -> str:
    return f"{name}: {_ERRORS[name]}" if name in _ERRORS else name


def _summary(report: ServerReport) -> str:
    ends = [
        (report.finished, "closed by the client"),
        (report.ended, "ended by the server"),
        (report.reset, "reset"),
        (report.cut, "cut off"),
    ]
    ended = ", ".join(f"{count:,} {end}" for count, end in ends if count)
    return (
        f"{plural(report.connections, 'connection')}"
        f"{': ' + ended if ended else ''}; "
        f"{bytes_of(report.received)} received, {bytes_of(report.sent)} sent"
    )
