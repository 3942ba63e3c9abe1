"""Socket calls as a reader of the program would write them."""

from __future__ import annotations

from collections.abc import Sequence

from trioecho.model import RECEIVING, SENDING, Call


def call_text(calls: Sequence[Call]) -> str:
    """Calls on one socket, one after the other.

    Args:
        calls: the calls, at least one, all of the same end and socket.

    Returns:
        Such as ``listening: socket, bind(127.0.0.1:65432), listen(128)``. A server's two kinds of
        socket are told apart; a client has only one.
    """
    first = calls[0]
    whose = f"{first.socket}: " if first.end == "server" else ""
    return whose + ", ".join(map(_one, calls))


def _one(call: Call) -> str:
    text = call.name
    if call.arguments and call.name not in (*SENDING, "close"):
        text += f"({call.arguments})"
    if call.error is not None:
        return f"{text} -> {call.error}"
    match call.name:
        case "accept":
            return f"accept -> connection fd {call.result}"
        case one if one in RECEIVING and call.result == 0:
            return f"{text} -> 0, the end"
        case one if one in RECEIVING:
            return f"{text} -> {call.result} B"
        case one if one in SENDING:
            return f"{one} {call.result} B"
        case "connect" if call.result == 0:
            return "connect -> connected"
        case _:
            return text
