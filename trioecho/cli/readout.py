"""What ``trioecho read`` shows of each file: a ladder, a table, or the bytes of a stream."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from trioecho.capture.files import CaptureFile, open_capture_file
from trioecho.cli.following import Following
from trioecho.cli.output import warn
from trioecho.cli.overview import Overview
from trioecho.cli.screen import Screen, Shown, Sink, open_files, show_on
from trioecho.errors import TrioechoError
from trioecho.reading.reading import Reading, Selection
from trioecho.reading.sharing import processors, read_shared
from trioecho.text import plural, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from trioecho.model import Frame

SHARED_FROM = 8 << 20  # bytes of a file that are worth more processes
PATIENCE = 1.0  # seconds of work before a progress bar appears


class Request(NamedTuple):
    """What the command line asks for."""

    files: Sequence[str]
    selection: Selection
    sort: str
    limit: int | None
    follow: bool
    screen: Screen
    paths: Sequence[Path]


class Readout:
    """Reads one file after the other and shows each."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def run(self) -> int:
        """Show every file.

        Returns:
            The exit code: 1 if a file could not be read to its end.
        """
        files, paths = self._request.files, self._request.paths
        code = 0
        if paths:  # what they held is not to be lost for nothing
            code, files = _readable(files)
            if not files:
                return code
        if self._request.follow:
            return code | _each(files, self._follow)
        with open_files(paths) as outputs:
            return code | _each(files, partial(self._file, outputs))

    def _follow(self, name: str) -> int:
        selection = self._request.selection
        with open_capture_file(name) as file:
            following = Following(selection, self._request.paths)
            following.run(_frames(file))
            code = _complain(file.name, str(file.trouble or ""))
            self._demand(following.reading, file.name)
            return code

    def _demand(self, reading: Reading, name: str) -> None:
        """Raises TrioechoError when the connection asked for is not there."""
        wanted, count = self._request.selection.connection, reading.tracker.count
        if wanted is None or next(reading.connections(), None) is not None:
            return
        if wanted <= count:
            hint = "Leave --host, --port and --only away"
            raise TrioechoError(f"Connection {wanted} of {name} is none of those asked for", hint)
        there = plural(count, "connection") if count else "none"
        verb = "is" if count < 2 else "are"
        raise TrioechoError(f"{name} has no connection {wanted}: there {verb} {there}")

    def _file(self, files: Sequence[tuple[Path, Sink]], name: str) -> int:
        request = self._request
        selection = request.selection
        streams = request.screen.format != "terminal" or selection.connection is not None
        if selection.only_trouble and (streams or files):
            selection = self._troubled(name)
        with open_capture_file(name) as file:
            first, *others = show_on(request.screen, files, f"{file.name}", _Names(file))
            reading = Reading(selection)
            main = Overview(first, reading, selection, request.sort, request.limit, streams=streams)
            for shown in others:
                shown.sink(shown.renderer.begin())

            def finish() -> None:
                main.finish(file.name)
                for shown in others:
                    shown.sink(shown.renderer.end(reading.summary(file.name, None)))

            try:
                to_share = self._through(name, file, reading, main, others)
            except BaseException:  # cut by Ctrl-C, too: what was read until then is shown
                finish()
                raise
            trouble = str(file.trouble or "")
            if to_share:
                connections, trouble = read_shared(name, processors(), _frames)
                main.share(connections)
            finish()
            code = _complain(file.name, trouble) | _complain(file.name, _strangers(reading))
            self._demand(reading, file.name)
            return code

    def _through(
        self,
        name: str,
        file: CaptureFile,
        reading: Reading,
        main: Overview,
        others: Sequence[Shown],
    ) -> bool:
        """Read a file and show it, to its end or until it is better read by several processes.

        Returns:
            Whether it is.
        """
        with closing(_frames(file)) as batches:
            for frames in batches:
                if main.is_table and not others:
                    reading.notice(frames)
                    if _worth_sharing(name, file):
                        return True
                elif rungs := reading.rungs(frames):
                    main.show(rungs)
                    for shown in others:
                        shown.sink(shown.renderer.show(rungs))
        return False

    def _troubled(self, name: str) -> Selection:
        """The connections of a file on which something went wrong; it is read once to know them."""
        selection = self._request.selection
        reading = Reading(selection)
        with open_capture_file(name) as file:
            if name == "-" or file.size is None:
                raise TrioechoError(
                    f"{file.name[0].upper()}{file.name[1:]} can be read only once, and"
                    " --only trouble must know the end first",
                    "Save it to a file, or leave --format away for a table",
                )
            for frames in _frames(file):
                reading.notice(frames)
        return replace(selection, numbers=frozenset(one.number for one in reading.connections()))


class _Names(Sequence[str]):
    """The names of a file's interfaces, which come as it is read."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = file

    def __len__(self) -> int:
        return len(self._file.interfaces)

    def __getitem__(self, at: int) -> str:  # type: ignore[override]
        return printable(self._file.interfaces[at].name)


def _frames(file: CaptureFile) -> Generator[list[Frame]]:
    """A file's frames, with a progress bar on a terminal when they take long."""
    start = monotonic()
    bar: tuple[Progress, TaskID] | None = None
    watched = file.size is not None and sys.stderr.isatty()
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
    """Whether so much of a regular file is left that other processors should help.

    Standard input, though it may be one, has but one position, which they would share.
    """
    if name == "-" or file.size is None or file.size - file.position <= SHARED_FROM:
        return False
    return processors() > 1


def _each(files: Sequence[str], show: Callable[[str], int]) -> int:
    """Show each file; one that cannot be read does not keep the others from it."""
    code = 0
    for name in files:
        try:
            code |= show(name)
        except TrioechoError as error:
            warn(str(error))
            code = 1
    return code


def _readable(files: Sequence[str]) -> tuple[int, list[str]]:
    """Those of some files that are capture files; of the others it is said why they are not.

    What is there but no regular file can be opened only once, and is believed.

    Returns:
        The exit code so far, and the files.
    """
    found: list[str] = []

    def look(name: str) -> int:
        if name != "-" and (os.path.isfile(name) or not os.path.exists(name)):
            open_capture_file(name).close()
        found.append(name)
        return 0

    return _each(files, look), found


def _strangers(reading: Reading) -> str:
    """What is said of frames whose link type is not known here."""
    links = ", ".join(map(str, sorted(reading.strangers)))
    return f"frames of link type {links} (tcpdump.org's LINKTYPE_) cannot be read" if links else ""


def _complain(name: str, trouble: str) -> int:
    if not trouble:
        return 0
    warn(f"{name}: {trouble}")
    return 1
