"""The summary in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trioecho.model import ConnectionSummary, Summary
from trioecho.render.colors import Style
from trioecho.text import bytes_of, plural, printable, seconds


def totals(
    summary: Summary, headlines: Mapping[int, str] | None = None
) -> Iterator[tuple[str, Style]]:
    """The summary's lines, each with its style.

    Args:
        summary: the summary.
        headlines: what held connections up, by number.
    """
    several = len(summary.connections) > 1
    for connection in summary.connections:
        about = _connection(connection, several)
        yield next(about)
        if headlines and (headline := headlines.get(connection.number)):
            yield headline, "strong"
        yield from about
    if summary.forgotten:
        yield f"and {plural(summary.forgotten, 'connection')} before that, forgotten by now", ""
    for sentence in summary.unmatched:
        yield f"! {sentence}", "trouble"
    if summary.others:
        yield selected(len(summary.connections), len(summary.connections) + summary.others), ""
    capture = summary.capture
    where = printable(capture.interface)
    if capture.told:
        frames = f"{plural(capture.frames, 'TCP frame')} in {where}"
        if capture.dropped:
            lost = plural(capture.dropped, "packet")
            yield (
                f"! {frames}; the capture dropped {lost}: this ladder may have holes",
                "trouble",
            )
        else:
            yield f"{frames}, and none was dropped by the capture", ""
    elif capture.dropped:
        lost = plural(capture.dropped, "frame")
        yield (
            f"! the kernel dropped {lost}: this ladder has holes (captured"
            f" {plural(capture.frames, 'frame')} on {where})",
            "trouble",
        )
    elif capture.dropped is None:
        yield f"{plural(capture.frames, 'TCP frame')} in {where}", ""
    else:
        frames = plural(capture.frames, "frame")
        yield f"captured {frames} on {where}, the kernel dropped 0", "quiet"
    if summary.kernel:
        yield printable(summary.kernel), "quiet"


def selected(count: int, among: int) -> str:
    """How many connections were selected: ``1 of 7 connections``, or ``7 connections``."""
    return (
        f"{count:,} of {plural(among, 'connection')}"
        if count < among
        else plural(among, "connection")
    )


def _connection(connection: ConnectionSummary, several: bool) -> Iterator[tuple[str, Style]]:
    name = f"connection {connection.number}: " if several else ""
    who = connection.reset_by
    forged = ", which the wire forged" * (who == "wire")
    match connection.closed_by:
        case "fin":
            closed = "closed by FIN, both directions"
            if who:
                closed += f", then by RST{forged or f' from the {who}'}"
        case "rst":
            closed = f"closed by RST{forged}"
        case None:
            stopped = connection.stopped
            when = f"when trioecho stopped the {stopped}" if stopped else "at the end"
            closed = "the client gave up" if connection.gave_up else f"still open {when}"
    took = connection.handshake_time
    handshake = "" if took is None else f" handshake {seconds(took)};"  # else see completeness
    within = f" in {connection.tunnel}" if connection.tunnel else ""
    yield f"{name}{connection.client} to {connection.server}{within};{handshake} {closed}", ""
    again = repeated(connection)
    if not connection.retransmissions:
        again.insert(0, plural(0, "retransmission"))
    yield (
        f"client {bytes_of(connection.client_bytes)} in"
        f" {plural(connection.client_segments, 'segment')}, server"
        f" {bytes_of(connection.server_bytes)} in"
        f" {plural(connection.server_segments, 'segment')}; {', '.join(again)}",
        "trouble" if connection.retransmissions else "",
    )
    words = [connection.completeness] if connection.completeness else []
    words += round_trips(connection)
    for end, spent in (("client", connection.client_states), ("server", connection.server_states)):
        if spent:
            times = ", ".join(f"{state} {seconds(time)}" for state, time in spent.items())
            words.append(f"{end} was in {times}")
    if words:
        yield "; ".join(words), "quiet"


def repeated(connection: ConnectionSummary) -> list[str]:
    """What was sent again, in words: ``2 retransmissions``, ``1 probe``; what never was, is left
    out."""
    counts = (connection.retransmissions, "retransmission"), (connection.probes, "probe")
    return [plural(count, what) for count, what in counts if count]


def round_trips(connection: ConnectionSummary) -> list[str]:
    """Each end's round-trip times, in words, where any were measured."""
    said = []
    for end, rtt in (("client", connection.client_rtt), ("server", connection.server_rtt)):
        if rtt is not None:
            times = "/".join(seconds(time) for time in (rtt.least, rtt.median, rtt.p95))
            said.append(f"{end} RTT min/median/p95 {times}")
    return said
