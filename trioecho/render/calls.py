"""Socket calls as a reader of the program would write them."""

from __future__ import annotations

from collections.abc import Sequence

from trioecho.model import RECEIVING, SENDING, Call


def call_text(calls: Sequence[Call]) -> str:
    """Successive calls on one socket, in words."""
    socket = f"{calls[0].socket}: " if calls[0].end == "server" else ""
    return socket + ", ".join(map(_one, calls))


def _one(call: Call) -> str:
    text = call.name
    if call.arguments and call.name not in (*SENDING, "close"):
        text += f"({call.arguments})"
    if call.error is not None:
        return f"{text} -> {call.error}"
    if call.name in RECEIVING:
        return f"{text} -> {f'{call.result} B' if call.result != 0 else '0, the end'}"
    if call.name in SENDING:
        return f"{text} {call.result} B"
    if call.name == "accept":
        return f"accept -> connection fd {call.result}"
    if call.name == "connect" and call.result == 0:
        return "connect -> connected"
    return text
