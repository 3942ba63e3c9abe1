"""``trioecho read``, one file after the other: a ladder, a table, or the bytes of a stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trioecho.account import Accounts
from trioecho.capture.files import CaptureFile, open_capture_file
from trioecho.cli.capture_files import complain, demand, each_of, frames_of, unknown_links
from trioecho.cli.pick import Pick
from trioecho.cli.read_follow import Follower
from trioecho.cli.read_overview import FileOverview
from trioecho.cli.screen import Screen, Sink, open_files
from trioecho.cli.stderr import warn
from trioecho.reading.reading import Reading
from trioecho.reading.sharing import processors, read_shared
from trioecho.reading.troubled import HeldEvents
from trioecho.render.renderer import Accounted
from trioecho.text import printable

if TYPE_CHECKING:
    from trioecho.account import Account
    from trioecho.model import ConnectionSummary, Rung
    from trioecho.render.headlines import Ask
    from trioecho.requests.notes import Noting

SHARED_FROM = 8 << 20  # bytes left of a file from which on more processes help


class Request(NamedTuple):
    """The user's options."""

    files: Sequence[str]
    pick: Pick
    follow: bool
    screen: Screen
    requests: bool = False


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
        return code | each_of(files, reader.follow)
    with open_files(paths) as outputs:
        return code | each_of(files, partial(reader.show, outputs))


class _Reader:
    def __init__(self, request: Request) -> None:
        self._request = request

    def follow(self, name: str) -> int:
        """Show the bytes of one connection."""
        request = self._request
        with open_capture_file(name) as file:
            follower = Follower(request.pick.selection, request.screen.paths)
            follower.run(frames_of(file))
            code = complain(file.name, str(file.trouble or ""))
            demand(request.pick.selection, follower.reading, file.name)
            return code

    def show(self, files: Sequence[tuple[Path, Sink]], name: str) -> int:
        """Show a ladder or a table."""
        request = self._request
        selection = request.pick.selection
        streams = not request.screen.is_text
        with open_capture_file(name) as file, ExitStack() as stack:
            first, *others = request.screen.show_on(files, file.name, _Names(file))
            reading, accounts = Reading(selection), Accounts()
            pipe = file.size is None
            once = pipe or name == "-"  # it cannot be read again
            _, table, order = request.pick
            main = FileOverview(
                first,
                reading,
                selection,
                order,
                table,
                streams=streams,
                above=not pipe,
                requests=request.requests,
            )
            asked = any(isinstance(one.renderer, Accounted) for one in (first, *others))

            @cache
            def begin() -> None:
                main.begin()
                for shown in others:
                    shown.sink(shown.renderer.begin())

            held: HeldEvents[Rung] | None = None
            if selection.only_trouble and (streams or files or selection.connection is not None):
                held = stack.enter_context(
                    closing(HeldEvents(lambda rung: reading.troubled(rung.connection)))
                )

            def show(rungs: Sequence[Rung]) -> None:
                begin()
                main.show(rungs)
                for shown in others:
                    shown.sink(shown.renderer.show(rungs))

            noting = _noting() if request.requests else None

            def only_a_table() -> bool:
                return main.is_table and not others and not once

            def put(rungs: Sequence[Rung]) -> None:
                if asked:
                    accounts.see(rungs)
                if noting is not None:
                    rungs = noting.of(rungs)
                if rungs := rungs if held is None else held.put(rungs):
                    show(rungs)

            def finish(dropped: int | None, ask: Ask | None = None) -> None:
                begin()
                for rungs in held.rest() if held is not None else ():
                    show(rungs)
                found: list[Account] = []
                if asked and not only_a_table():  # for that the rest of the file was passed over
                    chosen = {one.number for one in reading.connections()}
                    found = [one for one in accounts.end() if one.connection in chosen]
                main.tell(found)
                main.finish(file.name, dropped, ask)
                for shown in others:
                    if isinstance(shown.renderer, Accounted):
                        shown.sink(shown.renderer.tell(found))
                    shown.sink(shown.renderer.end(reading.summary(file.name, dropped)))

            try:
                to_share = self._through(name, file, reading, put, only_a_table)
            except BaseException:  # also after Ctrl-C, show what was read
                put(reading.rest())
                finish(file.dropped)
                raise
            trouble, dropped = str(file.trouble or ""), file.dropped
            if to_share:
                connections, trouble, dropped = read_shared(name, processors(), frames_of)
                main.share(connections)
            put(reading.rest())
            try:
                demand(selection, reading, file.name)
                finish(dropped, partial(_again, name) if only_a_table() else None)
            finally:
                for sentence in noting.advice() if noting is not None else ():
                    warn(sentence)
                code = complain(file.name, trouble) | complain(file.name, unknown_links(reading))
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
        with closing(frames_of(file)) as batches:
            for frames in batches:
                if not only_a_table():
                    put(reading.rungs(frames))
                    continue
                reading.notice(frames)
                if _worth_sharing(name, file):
                    return True
        return False


def _again(name: str, connections: Sequence[ConnectionSummary]) -> Mapping[int, Account]:
    from trioecho.reading.again import accounts_of

    return accounts_of(name, connections, frames_of)


def _noting() -> Noting:
    from trioecho.requests.notes import Noting

    return Noting()


class _Names(Sequence[str]):
    """The names of a file's interfaces, which become known while it is read."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = file

    def __len__(self) -> int:
        return len(self._file.interfaces)

    def __getitem__(self, at: int) -> str:  # type: ignore[override]
        return printable(self._file.interfaces[at].name)


def _worth_sharing(name: str, file: CaptureFile) -> bool:
    """Whether so much of a regular file is left that more processes should help.

    Not for standard input, even from a file: the processes would share its one position.
    """
    if name == "-" or file.size is None or file.size - file.position <= SHARED_FROM:
        return False
    return processors() > 1


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

    return each_of(files, look), found
