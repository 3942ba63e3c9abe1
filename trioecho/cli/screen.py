"""Where a command's ladder goes: standard output in one format, and files by their suffix."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from trioecho.cli.output import write_bytes
from trioecho.errors import TrioechoError
from trioecho.render import AT_THE_END, FORMATS, SUFFIXES, Event, Renderer, Setting

if TYPE_CHECKING:
    from trioecho.model import Summary
    from trioecho.stage.outputs import Output

Sink = Callable[[bytes], None]


class Screen(NamedTuple):
    """How to show a ladder.

    ``several`` and ``several_in_files``: whether rows must tell connections apart. ``refill``: how
    many rungs a second are shown in full in any case.
    """

    format: str
    absolute: bool
    verbose: bool
    calls: bool
    fold: int | None
    several: bool
    several_in_files: bool
    refill: int = 0


class Shown(NamedTuple):
    """A renderer and where its bytes go."""

    renderer: Renderer
    sink: Sink


def check_suffixes(paths: Sequence[Path], *, raw: bool = False) -> Sequence[Path]:
    """The paths, or a usage error when one's suffix names no format, or when one comes twice."""
    suffixes = [".raw"] if raw else list(SUFFIXES)
    for path in paths:
        if path.suffix not in suffixes:
            raise typer.BadParameter(
                f"{str(path)!r} ends in none of {', '.join(suffixes)}", param_hint="--output"
            )
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise typer.BadParameter("one file is named twice", param_hint="--output")
    return paths


@contextmanager
def open_files(paths: Sequence[Path]) -> Iterator[list[tuple[Path, Sink]]]:
    """Open files for writing, before anything has happened, and close them at the end.

    Raises:
        TrioechoError: a file cannot be opened, or, from its sink, cannot be written.
    """
    with ExitStack() as stack:
        opened: list[tuple[Path, Sink]] = []
        for path in paths:
            at_the_end = path.suffix in AT_THE_END
            try:
                # Unbuffered: what was written is there, whatever happens next.
                file = stack.enter_context(path.open("ab" if at_the_end else "wb", buffering=0))
            except OSError as error:
                raise TrioechoError(f"Cannot write {str(path)!r}: {error.strerror}") from None
            sink = _file_sink(path, file.fileno())
            if at_the_end:
                stack.callback(_drop_if_empty, path)
                sink = _over(sink, file.fileno())
            opened.append((path, sink))
        yield opened


def show_on(
    screen: Screen,
    files: Sequence[tuple[Path, Sink]],
    title: str,
    interfaces: Sequence[str],
    start: int | None = None,
) -> list[Shown]:
    """Renderers for standard output, which comes first, and for each file.

    Args:
        screen: how to show the ladder.
        files: the files, opened.
        title: one line that says what is shown.
        interfaces: the names of the interfaces; may grow.
        start: the time that counts as zero; None for the first event.
    """
    setting = Setting(
        title=title,
        interfaces=interfaces,
        width=100,
        absolute=screen.absolute,
        several=screen.several_in_files,
        start=start,
        details=_details() if screen.verbose else None,
    )
    shown = [Shown(_renderer(screen, screen.format, for_stdout(setting, screen)), write_bytes)]
    for path, sink in files:
        shown.append(Shown(_renderer(screen, SUFFIXES[path.suffix], setting), sink))
    return shown


def open_outputs(
    stack: ExitStack,
    screen: Screen,
    paths: Sequence[Path],
    title: str,
    interfaces: Sequence[str],
    start: int | None = None,
) -> list[Output]:
    """Outputs to standard output, which comes first and may be left behind, and to files.

    Args:
        stack: closes the files.
        screen, title, interfaces, start: as for ``show_on``.
        paths: the files.

    Returns:
        The outputs.

    Raises:
        TrioechoError: a file cannot be opened.
    """
    from trioecho.stage.outputs import Output

    files = stack.enter_context(open_files(paths))
    first, *others = show_on(screen, files, title, interfaces, start)
    return [
        Output(first.renderer, first.sink, abandon=True),
        *(Output(renderer, sink) for renderer, sink in others),
    ]


def for_stdout(setting: Setting, screen: Screen) -> Setting:
    """The setting for what standard output is: its width, its encoding, whether it has colours."""
    from msgspec.structs import replace

    out = sys.stdout
    return replace(
        setting,
        width=shutil.get_terminal_size((80, 24)).columns,
        unicode=(getattr(out, "encoding", "") or "").lower().replace("-", "").startswith("utf"),
        color=has_colors(),
        fold=screen.fold,
        refill=screen.refill,
        several=screen.several,
    )


def has_colors() -> bool:
    """Whether standard output shows ANSI colours, and the user wants them."""
    if sys.stdout is None or not sys.stdout.isatty() or sys.platform == "win32":
        return False
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class WithoutCalls:
    """A renderer that is shown no socket calls."""

    def __init__(self, renderer: Renderer) -> None:
        self.inner = renderer
        self.begin = renderer.begin

    def show(self, events: Sequence[Event]) -> bytes:
        """The rungs alone."""
        from trioecho.model import Rung

        return self.inner.show([event for event in events if isinstance(event, Rung)])

    def end(self, summary: Summary) -> bytes:
        """As the renderer ends."""
        return self.inner.end(summary)


def _renderer(screen: Screen, name: str, setting: Setting) -> Renderer:
    renderer = FORMATS[name](setting)
    return renderer if screen.calls else WithoutCalls(renderer)


def _over(sink: Sink, descriptor: int) -> Sink:
    """A sink that keeps what the file held before, until there is something to put in its place."""

    def write(data: bytes) -> None:
        with suppress(OSError):  # a pipe or a device holds nothing
            os.ftruncate(descriptor, 0)
        sink(data)

    return write


def _drop_if_empty(path: Path) -> None:
    with suppress(OSError):
        if path.is_file() and not path.stat().st_size:
            path.unlink()


def _file_sink(path: Path, descriptor: int) -> Sink:
    def write(data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as error:
            raise TrioechoError(f"Cannot write {str(path)!r}: {error.strerror}") from None

    return write


def _details() -> Callable[..., Sequence[str]]:
    from trioecho.packet.dissect import details

    return details
