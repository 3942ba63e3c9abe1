"""The summary in words."""

from __future__ import annotations

from collections.abc import Iterator

from trioecho.model import ConnectionSummary, Summary
from trioecho.text import bytes_of, plural, printable, seconds


def totals(summary: Summary) -> Iterator[tuple[str, str]]:
    """The summary's lines, each with the style to show it in."""
    for connection in summary.connections:
        yield from _connection(connection, len(summary.connections) > 1)
    if summary.forgotten:
        yield f"and {plural(summary.forgotten, 'connection')} before that, forgotten by now", ""
    capture = summary.capture
    where = printable(capture.interface)
    if capture.dropped:
        lost = plural(capture.dropped, "frame")
        yield (
            f"! the kernel dropped {lost}: this ladder has holes (captured"
            f" {plural(capture.frames, 'frame')} on {where})",
            "trouble",
        )
    else:
        yield f"captured {plural(capture.frames, 'frame')} on {where}, the kernel dropped 0", ""


def _connection(connection: ConnectionSummary, several: bool) -> Iterator[tuple[str, str]]:
    name = f"connection {connection.number}: " if several else ""
    match connection.closed_by:
        case "fin":
            closed = "closed by FIN, both directions"
        case "rst":
            closed = "closed by RST"
        case None:
            closed = "still open at the end"
    took = connection.handshake_time
    handshake = "no handshake seen" if took is None else f"handshake {seconds(took)}"
    yield f"{name}{connection.client} to {connection.server}; {handshake}; {closed}", ""
    again = connection.retransmissions
    yield (
        f"client {bytes_of(connection.client_bytes)} in"
        f" {plural(connection.client_segments, 'segment')}, server"
        f" {bytes_of(connection.server_bytes)} in"
        f" {plural(connection.server_segments, 'segment')};"
        f" {plural(again, 'retransmission')}",
        "trouble" if again else "",
    )
