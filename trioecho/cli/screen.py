"""Where a command's ladder goes: standard output in one format, and files by their suffix."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from trioecho.cli import stdout
from trioecho.cli.options import FOLD, OutputFormat, ShowOptions
from trioecho.cli.pick import Pick, check_there, with_overview
from trioecho.cli.stderr import warn
from trioecho.errors import TrioechoError
from trioecho.model import Rung
from trioecho.render import AT_THE_END, FORMATS, SUFFIXES, Event, Renderer, Setting
from trioecho.render.limits import ladder_room

if TYPE_CHECKING:
    from io import FileIO

    from trioecho.cli.selecting import Selecting
    from trioecho.model import Summary
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
        several: bool = False,
        calls: bool = True,
        refill: int = 0,
        raw: bool = False,
        pick: Pick | None = None,
        requests: bool = False,
        least: int | None = None,
        accounts: bool = False,
    ) -> None:
        self.options = options
        self.several = several
        self._calls = calls
        self._refill = refill
        self._pick = pick
        self._requests = requests
        self._least = least
        self._accounts = accounts
        self._told: set[str] = set()
        self._first: Selecting | None = None
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
                (renderer, sink), *others = self.show_on(files, title, interfaces, start)
                decide = None
                if self.is_text and wrap is not None:
                    renderer = wrap(renderer)
                elif self.is_text and self._pick is not None:
                    renderer, decide = with_overview(renderer, self._pick)
                told = _accounted if self._accounts else list
                renderers = told([renderer, *(one for one, _ in others)])
                first, *more = [self._of(one, stack) for one in renderers]
                # A terminal that nobody reads may be left behind.
                outputs = [Output(first, sink, abandon=True, decide=decide)]
                sinks = (to for _, to in others)
                return outputs + [Output(one, to) for one, to in zip(more, sinks, strict=True)]

            yield opened

    def _room(self) -> int | None:
        """How many lines a ladder has on this terminal."""
        if self._least is None or self.options.show_all or self.options.verbose:
            return None
        return ladder_room(stdout.height(), stdout.width(), self._least)

    def _of(self, renderer: Renderer, stack: ExitStack) -> Renderer:
        """A renderer that is shown only what was picked."""
        if not self._calls:
            renderer = _WithoutCalls(renderer)
        if self._requests:
            renderer = _WithRequests(renderer, tell=self._tell)
        if self._pick is None or self._pick.everything:
            return renderer
        from trioecho.cli.selecting import Selecting

        selecting = stack.enter_context(closing(Selecting(renderer, self._pick.selection)))
        self._first = self._first or selecting
        return selecting

    def _tell(self, sentence: str) -> None:
        """Warn once, however many outputs there are."""
        if sentence not in self._told:
            self._told.add(sentence)
            warn(sentence)

    def demand(self, where: str) -> None:
        """Check that there was such a connection as was asked for.

        Raises:
            TrioechoError: there was none.
        """
        if self._pick is not None and self._first is not None:
            check_there(self._pick.selection.connection, self._first.count, where)

    def show_on(
        self,
        files: Sequence[tuple[Path, Sink]],
        title: str,
        interfaces: Sequence[str],
        start: int | None = None,
    ) -> list[Shown]:
        """Renderers for standard output, which comes first, and for each file."""
        from msgspec.structs import replace

        setting = Setting(
            title=title,
            interfaces=interfaces,
            width=100,
            absolute=self.options.absolute,
            several=self.several,
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
            room=self._room(),
        )
        return [
            Shown(FORMATS[self.options.output_format](here), stdout.write_bytes),
            *(Shown(FORMATS[SUFFIXES[path.suffix]](setting), sink) for path, sink in files),
        ]


def _accounted(renderers: Sequence[Renderer]) -> list[Renderer]:
    """Renderers that are told where the time went, as far as their formats say so."""
    from trioecho.cli.accounting import Accounting, WithAccounts
    from trioecho.render.renderer import Accounted

    accounting = Accounting()
    return [
        WithAccounts(one, accounting) if isinstance(one, Accounted) else one for one in renderers
    ]


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


class _WithRequests:
    """A renderer that is shown what each rung asks and answers."""

    def __init__(self, renderer: Renderer, tell: Callable[[str], None]) -> None:
        from trioecho.requests.notes import Noting

        self._inner, self._tell = renderer, tell
        self._noting = Noting()
        self.begin = renderer.begin

    def show(self, events: Sequence[Event]) -> bytes:
        noted = self._noting.of
        return self._inner.show(
            [noted([one])[0] if isinstance(one, Rung) else one for one in events]
        )

    def end(self, summary: Summary) -> bytes:
        for sentence in self._noting.advice():
            self._tell(sentence)
        return self._inner.end(summary)


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
