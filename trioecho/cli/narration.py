"""The server's socket calls, told as they happen: one call, one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioecho.text import bytes_of, plural, preview

if TYPE_CHECKING:
    from trioecho.echo.server import ServerReport
    from trioecho.model import Call

PREVIEW = 32  # bytes of what was received that a line shows

_ERRORS = {
    "ECONNRESET": "the client has reset the connection",
    "EPIPE": "the connection is closed at the other end",
    "ETIMEDOUT": "the client does not answer any more",
    "EMFILE": "this process has no file descriptor left; trying again",
    "ENFILE": "this machine has no file descriptor left; trying again",
    "ENOMEM": "the kernel has no memory left; trying again",
    "ENOBUFS": "the kernel has no memory left; trying again",
    "ECONNABORTED": "the client went away before it was accepted",
}


def narrate(call: Call) -> str | None:
    """One call of a server as a line, or None when it is not worth one.

    Both kinds of socket are named in each line, since that there are two is what a plain socket
    program never shows: one that only listens, and one a client.

    Args:
        call: the call.

    Returns:
        The line, without its end, or None.
    """
    if call.socket == "listening":
        if call.name != "accept":
            return None
        if call.error is not None:
            outcome = _error(call.error)
        else:
            outcome = f"connection socket fd {call.result}, peer {call.peer}"
        return f"listening socket fd {call.fd}: accept -> {outcome}"
    told = _told(call)
    return told and f"connection fd {call.fd}: {told}"


def _told(call: Call) -> str | None:
    match call.name:
        case "recv" if call.error is not None:
            return f"recv({call.arguments}) -> {_error(call.error)}"
        case "recv" if call.result:
            data = preview(call.data, PREVIEW, call.result)
            return f"recv({call.arguments}) -> {bytes_of(call.result)} {data}"
        case "recv":
            return f"recv({call.arguments}) -> 0 bytes: the client has closed its direction"
        case "send" if call.error is not None:
            return f"send -> {_error(call.error)}"
        case "send":
            return f"send -> {bytes_of(call.result or 0)}"
        case "setsockopt" if call.arguments == "SO_LINGER 0":
            return "setsockopt(SO_LINGER 0): the close will be a reset"
        case "close":
            return "close"
        case _:
            return None


def _error(name: str) -> str:
    return f"{name}: {_ERRORS[name]}" if name in _ERRORS else name


def summarise(report: ServerReport) -> str:
    """What a server came to.

    Args:
        report: its report.

    Returns:
        A line, without its end.
    """
    ends = [
        (report.finished, "closed by the client"),
        (report.reset, "reset"),
        (report.cut, "cut off"),
    ]
    told = ", ".join(f"{count:,} {end}" for count, end in ends if count)
    return (
        f"{plural(report.connections, 'connection')}"
        f"{': ' + told if told else ''}; "
        f"{bytes_of(report.received)} received, {bytes_of(report.sent)} sent"
    )
