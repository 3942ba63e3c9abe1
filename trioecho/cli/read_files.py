"""``trioecho read``, one file after the other: a ladder, a table, or the bytes of a stream."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from trioecho.capture.files import CaptureFile, open_capture_file
from trioecho.cli.read_follow import Follower
from trioecho.cli.read_overview import Overview, instead
from trioecho.cli.screen import Screen, Sink, open_files
from trioecho.cli.stderr import warn
from trioecho.cli.stdout import is_terminal
from trioecho.errors import TrioechoError
from trioecho.packet.linktypes import link_words
from trioecho.reading.reading import Reading, Selection
from trioecho.reading.sharing import processors, read_shared
from trioecho.reading.troubled import HeldRungs
from trioecho.text import plural, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from trioecho.model import Frame, Rung

SHARED_FROM = 8 << 20  # bytes left of a file from which on more processes help
PATIENCE = 1.0  # seconds before a progress bar appears


class Request(NamedTuple):
    """The user's options."""

    files: Sequence[str]
    selection: Selection
    sort: str
    limit: int | None
    follow: bool
    screen: Screen


def read_files(request: Request) -> int:
    """Show each file; the exit code is 1 if one could not be read to its end."""
    files, paths = request.files, request.screen.paths
    reader = _Reader(request)
    code = 0
    if paths:  # do not overwrite them when there is nothing to read
        code, files = _readable(files)
        if not files:
            return code
    if request.follow:
        return code | _each(files, reader.follow)
    with open_files(paths) as outputs:
        return code | _each(files, partial(reader.show, outputs))


class _Reader:
    def __init__(self, request: Request) -> None:
        self._request = request

    def follow(self, name: str) -> int:
        """Show the bytes of one connection."""
        request = self._request
        with open_capture_file(name) as file:
            follower = Follower(request.selection, request.screen.paths)
            follower.run(_frames(file))
            code = _complain(file.name, str(file.trouble or ""))
            self._demand(follower.reading, file.name)
            return code

    def _demand(self, reading: Reading, name: str) -> None:
        """Raise TrioechoError if the requested connection does not exist."""
        wanted, count = self._request.selection.connection, reading.tracker.count
        if wanted is None or next(reading.connections(), None) is not None:
            return
        if wanted <= count:
            hint = "Leave out --host, --port and --only"
            raise TrioechoError(f"Connection {wanted} of {name} does not match the filters", hint)
        there = plural(count, "connection") if count else f"none in {instead(reading.census)}"
        verb = "is" if count < 2 else "are"
        raise TrioechoError(f"{name} has no connection {wanted}: there {verb} {there}")

    def show(self, files: Sequence[tuple[Path, Sink]], name: str) -> int:
        """Show a ladder or a table."""
        request = self._request
        selection = request.selection
        streams = not request.screen.is_text or selection.connection is not None
        with open_capture_file(name) as file, ExitStack() as stack:
            first, *others = request.screen.show_on(files, file.name, _Names(file))
            reading = Reading(selection)
            main = Overview(first, reading, selection, request.sort, request.limit, streams=streams)

            @cache
            def begin() -> None:
                main.begin()
                for shown in others:
                    shown.sink(shown.renderer.begin())

            held: HeldRungs | None = None
            if selection.only_trouble and (streams or files):
                held = stack.enter_context(closing(HeldRungs(reading.troubled)))

            def show(rungs: Sequence[Rung]) -> None:
                begin()
                main.show(rungs)
                for shown in others:
                    shown.sink(shown.renderer.show(rungs))

            def put(rungs: Sequence[Rung]) -> None:
                if rungs := rungs if held is None else held.put(rungs):
                    show(rungs)

            def finish(dropped: int | None) -> None:
                begin()
                for rungs in held.rest() if held is not None else ():
                    show(rungs)
                main.finish(file.name, dropped)
                for shown in others:
                    shown.sink(shown.renderer.end(reading.summary(file.name, dropped)))

            try:
                to_share = self._through(
                    name, file, reading, put, lambda: main.is_table and not others
                )
            except BaseException:  # also after Ctrl-C, show what was read
                put(reading.rest())
                finish(file.dropped)
                raise
            trouble, dropped = str(file.trouble or ""), file.dropped
            if to_share:
                connections, trouble, dropped = read_shared(name, processors(), _frames)
                main.share(connections)
            put(reading.rest())
            try:
                self._demand(reading, file.name)
                finish(dropped)
            finally:
                code = _complain(file.name, trouble) | _complain(file.name, _unknown_links(reading))
            return code

    def _through(
        self,
        name: str,
        file: CaptureFile,
        reading: Reading,
        put: Callable[[Sequence[Rung]], None],
        only_a_table: Callable[[], bool],
    ) -> bool:
        """Read a file; returns True to have several processes read the rest of it for a table."""
        with closing(_frames(file)) as batches:
            for frames in batches:
                if not only_a_table():
                    put(reading.rungs(frames))
                    continue
                reading.notice(frames)
                if _worth_sharing(name, file):
                    return True
        return False


class _Names(Sequence[str]):
    """The names of a file's interfaces, which become known while it is read."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = file

    def __len__(self) -> int:
        return len(self._file.interfaces)

    def __getitem__(self, at: int) -> str:  # type: ignore[override]
        return printable(self._file.interfaces[at].name)


def _frames(file: CaptureFile) -> Generator[list[Frame]]:
    """A file's frames, with a progress bar on a terminal if it takes long."""
    start = monotonic()
    bar: tuple[Progress, TaskID] | None = None
    watched = file.size is not None and is_terminal(sys.stderr)
    try:
        for frames in file:
            yield frames
            if watched and bar is None and monotonic() - start > PATIENCE:
                bar = _bar(file)
            if bar is not None:
                bar[0].update(bar[1], completed=file.position)
    finally:
        if bar is not None:
            bar[0].stop()


def _bar(file: CaptureFile) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    progress.start()
    return progress, progress.add_task(escape(file.name), total=file.size)


def _worth_sharing(name: str, file: CaptureFile) -> bool:
    """Whether so much of a regular file is left that more processes should help.

    Not for standard input, even from a file: the processes would share its one position.
    """
    if name == "-" or file.size is None or file.size - file.position <= SHARED_FROM:
        return False
    return processors() > 1


def _each(files: Sequence[str], show: Callable[[str], int]) -> int:
    """Show each file, also after one that cannot be read."""
    code = 0
    for name in files:
        try:
            code |= show(name)
        except TrioechoError as error:
            warn(str(error))
            code = 1
    return code


def _readable(files: Sequence[str]) -> tuple[int, list[str]]:
    """The exit code so far, and those files that are captures; warns about the others.

    A pipe or a device can be opened only once, so it is not checked.
    """
    found: list[str] = []

    def look(name: str) -> int:
        if name != "-" and (os.path.isfile(name) or not os.path.exists(name)):
            open_capture_file(name).close()
        found.append(name)
        return 0

    return _each(files, look), found


def _unknown_links(reading: Reading) -> str:
    """A warning about frames of unknown link types, or an empty string."""
    links = "; ".join(map(link_words, sorted(reading.strangers)))
    return f"cannot read frames of link type {links} (LINKTYPE_ of tcpdump.org)" if links else ""


def _complain(name: str, trouble: str) -> int:
    if not trouble:
        return 0
    warn(f"{name}: {trouble}")
    return 1
