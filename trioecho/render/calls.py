"""Socket calls as a reader of the program would write them."""

from __future__ import annotations

from collections.abc import Sequence

from trioecho.model import RECEIVING, SENDING, Call

# A row of calls has the time of the first; one that came so much later has a row of its own.
_LATER = 10_000_000


def together(last: Call, call: Call) -> bool:
    """Whether a call may share a row with the one before it: the same socket, a moment later."""
    ends = (last.end, last.fd) == (call.end, call.fd)
    return ends and call.time - last.time < _LATER


def call_text(calls: Sequence[Call]) -> str:
    """Successive calls on one socket, in words."""
    socket = f"{calls[0].socket}: " if calls[0].end == "server" else ""
    return socket + ", ".join(map(_one, calls))


def spinning(calls: Sequence[Call]) -> str:
    """What is wrong with a program that repeats these calls; ``""`` where none is repeated."""
    for call in calls:
        if call.times > 1 and call.name in RECEIVING and call.error is None:
            sends = any(one.times > 1 and one.name in SENDING for one in calls)
            nothing = f", and the {call.end} sent nothing each time" if sends else ""
            return (
                f"{call.name} returned the end {call.times:,} times{nothing}: it spins; a loop must"
                f" end when {call.name} returns nothing"
            )
    for call in calls:
        if call.times > 1:
            how = (
                f"failed {call.times:,} times with {call.error}"
                if call.error
                else (f"sent nothing {call.times:,} times")
            )
            ends = "fails so" if call.error else "has nothing more to send"
            return f"{call.name} {how}: the {call.end} spins; a loop must end when it {ends}"
    return ""


def _one(call: Call) -> str:
    text = _once(call)
    return text if call.times == 1 else f"{text}, {call.times:,} times"


def _once(call: Call) -> str:
    text = call.name
    if call.arguments and call.name not in (*SENDING, "close"):
        text += f"({call.arguments})"
    if call.error is not None:
        return f"{text} -> {call.error}"
    if call.name == "SSL_read":
        return f"{text} -> {f'{call.result} B' if call.result else '0, close_notify'}"
    if call.name == "SSL_write":
        return f"{text} {call.result} B"
    if call.name in RECEIVING:
        return f"{text} -> {f'{call.result} B' if call.result != 0 else '0, the end'}"
    if call.name in SENDING:
        return f"{text} {call.result} B{f' ({call.holds})' if call.holds else ''}"
    if call.name == "accept":
        return f"accept -> connection fd {call.result}"
    if call.name == "connect" and call.result == 0:
        deferred = "connect -> 0: nothing sent yet, the first send sends the SYN"
        return deferred if call.deferred else "connect -> connected"
    return text
