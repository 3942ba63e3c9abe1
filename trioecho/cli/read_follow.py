"""``read --follow``: the bytes that both ends of one connection sent, in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trioecho.cli.screen import Sink, open_files
from trioecho.cli.stderr import warn
from trioecho.cli.stdout import say, styled
from trioecho.model import ENDS, OTHER
from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading
from trioecho.tcp.stream import Piece, Stream
from trioecho.text import bytes_of, printable

if TYPE_CHECKING:
    from trioecho.model import End, Frame

_MARKS = {"client": ">", "server": "<"}


def raw_paths(paths: Sequence[Path]) -> list[Path]:
    """The files of both streams: NAME.client.raw and NAME.server.raw for each NAME.raw."""
    return [path.with_suffix(f".{end}.raw") for path in paths for end in ENDS]


class Follower:
    """Prints both streams of one connection in order of arrival, or writes them to files.

    Attributes:
        reading: what is known of the capture so far.
    """

    def __init__(self, selection: Selection, paths: Sequence[Path]) -> None:
        self.reading = Reading(selection)
        self._paths = paths
        self._streams: dict[End, Stream] = {"client": Stream(), "server": Stream()}
        self._rest: dict[End, bytes] = {"client": b"", "server": b""}

    def run(self, batches: Iterable[list[Frame]]) -> None:
        """Follow the connection through a capture."""
        with open_files(raw_paths(self._paths)) as files:
            sinks: dict[End, list[Sink]] = {
                end: [sink for path, sink in files if path.suffixes[-2:] == [f".{end}", ".raw"]]
                for end in ENDS
            }
            try:
                for rung in self.reading.through(batches):
                    mine, theirs = rung.sender, OTHER[rung.sender]
                    self._put(theirs, self._streams[theirs].acknowledged(rung.ack), sinks)
                    self._put(mine, self._streams[mine].take(rung), sinks)
            finally:
                for end in ENDS:
                    self._put(end, self._streams[end].flush(), sinks)
                    self._line(end, last=True)

    def _put(self, end: End, pieces: Sequence[Piece], sinks: dict[End, list[Sink]]) -> None:
        for piece in pieces:
            for sink in sinks[end]:
                sink(piece.data)
            if self._paths:
                if piece.missing:
                    warn(f"{bytes_of(piece.missing)} of the {end}'s stream are missing")
                continue
            if piece.missing:
                self._line(end, last=True)
                say(f"{_MARKS[end]} [{bytes_of(piece.missing)} missing]")
            other = OTHER[end]
            self._line(other, last=True)
            self._rest[end] += piece.data
            self._line(end, last=False)

    def _line(self, end: End, *, last: bool) -> None:
        """Print whole lines; an unfinished one waits for its end."""
        text = self._rest[end]
        *lines, rest = text.split(b"\n")
        if last or len(rest) > 4096:
            lines, rest = [*lines, *([rest] if rest else [])], b""
        self._rest[end] = rest
        for line in lines:
            shown = line.rstrip(b"\r").decode("utf-8", "backslashreplace")
            safe = "\t".join(map(printable, shown.split("\t")))
            say(styled(f"{_MARKS[end]} {safe}", end))
