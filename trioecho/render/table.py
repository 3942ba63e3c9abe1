"""A table of connections: their ends, their figures and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap

from trioecho.model import ConnectionSummary
from trioecho.render.colors import Style
from trioecho.render.totals import repeated, round_trips
from trioecho.text import bytes_of, plural, printable, seconds

_HEADING = (
    f"{'#':>6} {'start s':>10} {'lasted s':>10} {'handshake':>9} {'sent B':>10} {'segs':>6}"
    f" {'got B':>10} {'segs':>6}"
)

#: The orders a table can have; trouble first, since that is what people look for.
SORTS: dict[str, Callable[[ConnectionSummary], tuple[int, ...]]] = {
    "trouble": lambda one: (-one.troubles, one.number),
    "number": lambda one: (one.number,),
    "duration": lambda one: (one.start - one.end, one.number),
    "bytes": lambda one: (-one.client_bytes - one.server_bytes, one.number),
}


def table(
    connections: Sequence[ConnectionSummary], start: int, width: int
) -> Iterator[tuple[str, Style]]:
    """The lines of a table of connections."""
    narrow = width < len(_HEADING)
    if not narrow:
        yield _HEADING, "strong"
    for one in connections:
        within = f" in {one.tunnel}" if one.tunnel else ""
        yield f"{one.number:>6} {one.client} -> {one.server}{within}", "call"
        took = "-" if one.handshake_time is None else seconds(one.handshake_time)
        since, lasted = (one.start - start) / 1e9, (one.end - one.start) / 1e9
        figures = [
            f"{since:10.6f} {lasted:10.6f} {took:>9}"
            f" {one.client_bytes:>10} {one.client_segments:>6}"
            f" {one.server_bytes:>10} {one.server_segments:>6}"
        ]
        if narrow:
            figures = wrap(_in_words(one, since, lasted, took), width - 7)
        yield from ((f"{'':6} {line}", "") for line in figures)
        held = ((one.client_process, "client"), (one.server_process, "server"))
        if known := ", ".join(f"{end} {process}" for process, end in held if process):
            yield f"{'':6} {known}", "call"
        words = [one.completeness, *repeated(one)]
        if one.resets:
            words.append(plural(one.resets, "reset"))
        words += round_trips(one)
        for line in wrap("; ".join(words), width - 7):
            yield f"{'':6} {line}", "quiet"
        if one.first_trouble:
            more = f" (and {one.troubles - 1:,} more)" if one.troubles > 1 else ""
            for line in wrap(printable(one.first_trouble) + more, width - 7):
                yield f"{'':6} {line}", "trouble"


def _in_words(one: ConnectionSummary, since: float, lasted: float, took: str) -> str:
    return (
        f"start {since:.6f} s, lasted {lasted:.6f} s, handshake {took},"
        f" sent {bytes_of(one.client_bytes)} in {plural(one.client_segments, 'segment')},"
        f" got {bytes_of(one.server_bytes)} in {plural(one.server_segments, 'segment')}"
    )
