"""Where a command's ladder goes: standard output in one format, and files by their suffix."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from trioecho.cli.output import OutputClosed, abandon_output
from trioecho.errors import TrioechoError
from trioecho.render import FORMATS, SUFFIXES, Renderer, RungOrCall, Setting
from trioecho.trace.output import Output, file_sink

if TYPE_CHECKING:
    from trioecho.echo.address import Address
    from trioecho.model import Summary
    from trioecho.trace.place import Place


class Screen(NamedTuple):
    """How to show a ladder."""

    format: str
    absolute: bool
    verbose: bool
    calls: bool
    fold: int | None
    several: bool


def check_suffixes(paths: Sequence[Path]) -> Sequence[Path]:
    """Raises a usage error for a file whose suffix names no format."""
    for path in paths:
        if path.suffix not in SUFFIXES:
            raise typer.BadParameter(
                f"{str(path)!r} ends in none of {', '.join(SUFFIXES)}", param_hint="--output"
            )
    return paths


@contextmanager
def open_outputs(
    screen: Screen, paths: Sequence[Path]
) -> Iterator[Callable[[Place, Address], Sequence[Output]]]:
    """Open the files, before anything has happened, and close them at the end.

    Raises:
        TrioechoError: a file cannot be opened.
    """
    with ExitStack() as stack:
        files = []
        for path in paths:
            try:
                files.append((path, stack.enter_context(path.open("wb"))))
            except OSError as error:
                raise TrioechoError(f"Cannot write {str(path)!r}: {error.strerror}") from None

        def outputs(place: Place, address: Address) -> Sequence[Output]:
            if place.notice:
                print(f"trioecho: {place.notice}", file=sys.stderr)
            title = f"{place.title}; {address.host}, port {address.port}"
            plain = Setting(
                title=title,
                interface=place.capture.interface,
                link=place.capture.link,
                width=100,
                absolute=screen.absolute,
                several=screen.several,
                details=_details() if screen.verbose else None,
            )
            opened = [Output(_renderer(screen, screen.format, _for_stdout(screen, plain)), _stdout)]
            for path, file in files:
                renderer = _renderer(screen, SUFFIXES[path.suffix], plain)
                opened.append(Output(renderer, _named(path, file_sink(file))))
            return opened

        yield outputs


class WithoutCalls:
    """A renderer that is shown no socket calls."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.begin = renderer.begin

    def show(self, events: Sequence[RungOrCall]) -> bytes:
        """The rungs alone."""
        from trioecho.model import Rung

        return self._renderer.show([event for event in events if isinstance(event, Rung)])

    def end(self, summary: Summary) -> bytes:
        """As the renderer ends."""
        return self._renderer.end(summary)


def _renderer(screen: Screen, name: str, setting: Setting) -> Renderer:
    renderer = FORMATS[name](setting)
    return renderer if screen.calls else WithoutCalls(renderer)


def _for_stdout(screen: Screen, plain: Setting) -> Setting:
    from msgspec.structs import replace

    tty = sys.stdout.isatty()
    color = tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return replace(
        plain,
        width=shutil.get_terminal_size((80, 24)).columns,
        unicode=(sys.stdout.encoding or "").lower().replace("-", "").startswith("utf"),
        color=color and sys.platform != "win32",
        fold=screen.fold,
    )


def _stdout(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        abandon_output()
        raise OutputClosed from None
    except OSError as error:
        abandon_output()
        raise TrioechoError(f"Cannot write to standard output: {error.strerror}") from None


def _named(path: Path, sink: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        try:
            sink(data)
        except OSError as error:
            raise TrioechoError(f"Cannot write {str(path)!r}: {error.strerror}") from None

    return write


def _details() -> Callable[..., Sequence[str]]:
    from trioecho.dissect import details

    return details
