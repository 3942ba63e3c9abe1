"""What the commands that read capture files share: their progress, and what they complain of."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from trioecho.capture.files import CaptureFile
from trioecho.cli.pick import check_there
from trioecho.cli.read_overview import instead
from trioecho.cli.stderr import warn
from trioecho.cli.stdout import is_terminal
from trioecho.errors import TrioechoError
from trioecho.model.selection import Selection
from trioecho.packet.linktypes import link_words
from trioecho.reading.reading import Reading

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from trioecho.model import Frame, Rung

PATIENCE = 1.0  # seconds before a progress bar appears


def frames_of(file: CaptureFile) -> Generator[list[Frame]]:
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


def through(file: CaptureFile, reading: Reading, see: Callable[[list[Rung]], None]) -> None:
    """Give a file's rungs, from its first to its last."""
    with closing(frames_of(file)) as batches:
        for frames in batches:
            see(reading.rungs(frames))
    see(reading.rest())


def _bar(file: CaptureFile) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    progress.start()
    return progress, progress.add_task(escape(Path(file.name).name), total=file.size)


def demand(selection: Selection, reading: Reading, name: str) -> None:
    """Raise TrioechoError if the requested connection does not exist."""
    wanted, count = selection.connection, reading.tracker.count
    if wanted is None or next(reading.connections(), None) is not None:
        return
    if wanted <= count:
        hint = "Leave out --host, --port and --only"
        raise TrioechoError(f"Connection {wanted} of {name} does not match the filters", hint)
    check_there(wanted, count, name, instead=f"none in {instead(reading.census)}")


def each_of(files: Sequence[str], show: Callable[[str], int]) -> int:
    """Show each file, also after one that cannot be read."""
    code = 0
    for name in files:
        try:
            code |= show(name)
        except TrioechoError as error:
            warn(str(error))
            code = 1
    return code


def unknown_links(reading: Reading) -> str:
    """A warning about frames of unknown link types, or an empty string."""
    links = "; ".join(map(link_words, sorted(reading.strangers)))
    return f"cannot read frames of link type {links} (LINKTYPE_ of tcpdump.org)" if links else ""


def complain_of(file: CaptureFile, reading: Reading) -> int:
    """Warn of what is wrong with a file that was read; the exit code."""
    trouble = complain(file.name, str(file.trouble or ""))
    return trouble | complain(file.name, unknown_links(reading))


def complain(name: str, trouble: str) -> int:
    """Warn of what is wrong with a file, if anything is; the exit code."""
    if not trouble:
        return 0
    warn(f"{name}: {trouble}")
    return 1
