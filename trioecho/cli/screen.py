"""Where a command's ladder goes: standard output in one format, and files by their suffix."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from trioecho.cli import stdout
from trioecho.cli.options import FOLD, OutputFormat, ShowOptions
from trioecho.errors import TrioechoError
from trioecho.model import Rung
from trioecho.render import AT_THE_END, FORMATS, SUFFIXES, Event, Renderer, Setting

if TYPE_CHECKING:
    from io import FileIO

    from trioecho.stage.outputs import Output

Sink = Callable[[bytes], None]


class Shown(NamedTuple):
    """A renderer and where its bytes go."""

    renderer: Renderer
    sink: Sink


class Screen:
    """Shows a ladder on standard output and in files.

    Raises:
        typer.BadParameter: a file's suffix is not one of a format, or a file is named twice.
    """

    def __init__(
        self,
        options: ShowOptions,
        *,
        several: bool = True,
        several_in_files: bool | None = None,
        calls: bool = True,
        refill: int = 0,
        raw: bool = False,
    ) -> None:
        self.options = options
        self.several = several
        self._several_in_files = several_in_files
        self._calls = calls
        self._refill = refill
        self.paths = _checked(options.output or [], [".raw"] if raw else list(SUFFIXES))
        self.is_text = options.output_format is OutputFormat.terminal

    @contextmanager
    def opener(
        self, wrap: Callable[[Renderer], Renderer] | None = None
    ) -> Iterator[Callable[..., list[Output]]]:
        """A function that opens the outputs; at the end of the block their files are closed."""
        from trioecho.stage.outputs import Output

        with ExitStack() as stack:

            def opened(
                title: str, interfaces: Sequence[str], start: int | None = None
            ) -> list[Output]:
                files = stack.enter_context(open_files(self.paths))
                first, *others = self.show_on(files, title, interfaces, start)
                renderer = wrap(first.renderer) if wrap and self.is_text else first.renderer
                # A terminal that nobody reads may be left behind.
                outputs = [Output(renderer, first.sink, abandon=True)]
                return outputs + [Output(*shown) for shown in others]

            yield opened

    def show_on(
        self,
        files: Sequence[tuple[Path, Sink]],
        title: str,
        interfaces: Sequence[str],
        start: int | None = None,
    ) -> list[Shown]:
        """Renderers for standard output, which comes first, and for each file."""
        from msgspec.structs import replace

        in_files = self._several_in_files
        setting = Setting(
            title=title,
            interfaces=interfaces,
            width=100,
            absolute=self.options.absolute,
            several=self.several if in_files is None else in_files,
            start=start,
            details=_details() if self.options.verbose else None,
        )
        here = replace(
            setting,
            width=stdout.width(),
            unicode=stdout.has_unicode(),
            color=stdout.has_colors(),
            fold=None if self.options.show_all else FOLD,
            refill=self._refill,
            several=self.several,
        )
        return [
            Shown(self._renderer(self.options.output_format, here), stdout.write_bytes),
            *(Shown(self._renderer(SUFFIXES[path.suffix], setting), sink) for path, sink in files),
        ]

    def _renderer(self, name: str, setting: Setting) -> Renderer:
        renderer = FORMATS[name](setting)
        return renderer if self._calls else _WithoutCalls(renderer)


@contextmanager
def open_files(paths: Sequence[Path]) -> Iterator[list[tuple[Path, Sink]]]:
    """Open files for writing before anything happens, and close them at the end.

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
            if path.suffix != ".raw":  # an end that sent nothing has an empty stream
                stack.callback(_drop_if_empty, path)
            opened.append((path, _sink(path, file, replacing=at_the_end)))
        yield opened


class _WithoutCalls:
    """A renderer that is not shown socket calls."""

    def __init__(self, renderer: Renderer) -> None:
        self._inner = renderer
        self.begin = renderer.begin
        self.end = renderer.end

    def show(self, events: Sequence[Event]) -> bytes:
        return self._inner.show([event for event in events if isinstance(event, Rung)])


def _checked(paths: Sequence[Path], suffixes: Sequence[str]) -> Sequence[Path]:
    for path in paths:
        if path.suffix not in suffixes:
            raise typer.BadParameter(
                f"{str(path)!r} must end in one of {', '.join(suffixes)}", param_hint="--output"
            )
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise typer.BadParameter("the same file is given twice", param_hint="--output")
    return paths


def _sink(path: Path, file: FileIO, *, replacing: bool) -> Sink:
    """Writes to a file; ``replacing`` keeps the old content until there is new content."""

    def write(data: bytes) -> None:
        if replacing:
            with suppress(OSError):  # a pipe or a device has no content
                file.truncate(0)
        try:
            stdout.write_all(file, data)
        except OSError as error:
            raise TrioechoError(f"Cannot write {str(path)!r}: {error.strerror}") from None

    return write


def _drop_if_empty(path: Path) -> None:
    with suppress(OSError):
        if path.is_file() and not path.stat().st_size:
            path.unlink()


def _details() -> Callable[..., Sequence[str]]:
    from trioecho.packet.dissect import details

    return details
