"""One exchange of ``trioecho send``: where the message comes from, and where its echo goes."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import FileIO
from typing import TYPE_CHECKING

import trio

from trioecho.cli.line_writer import open_line_writer
from trioecho.cli.send_report import JsonReport, TextReport
from trioecho.cli.stdout import is_terminal, write_all
from trioecho.echo.client import Chunks, exchange
from trioecho.echo.dial import open_connection
from trioecho.errors import TrioechoError
from trioecho.sockets.address import Address

if TYPE_CHECKING:
    from trioecho.echo.client import Exchange

PROMPT = "Type your message for the server here: "
_STDIN = 0


@dataclass(frozen=True)
class Sending:
    """The options of ``trioecho send``."""

    address: Address
    message: str | None
    file: str | None
    count: int
    interval: float
    timeout: float
    output: str | None
    json: bool


def same_file(one: str, other: str) -> bool:
    """Whether two paths, which need not exist, lead to the same file."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


async def conduct(sending: Sending) -> None:
    """Send, receive, and report.

    Raises:
        OutputClosed: the reader has closed standard output.
        TrioechoError: the file, the server or the echo failed.
    """
    async with _opened(sending.file) as descriptor, _written(sending.output) as output:
        name = sending.file or "standard input"
        message, size = await _message(sending, descriptor, name)
        async with open_line_writer(json=sending.json) as lines:
            kind = JsonReport if sending.json else TextReport
            report = kind(sending.address, sending.count, lines)

            async def received(data: bytes) -> None:
                await report.received(data)
                if output is not None:
                    await output(data)

            result: Exchange | None = None
            with await open_connection(
                sending.address, timeout=sending.timeout, record=report.record
            ) as connection:
                report.sending(size, name)
                try:
                    result = await exchange(
                        connection,
                        message,
                        count=sending.count,
                        interval=sending.interval,
                        timeout=sending.timeout,
                        received=received,
                        round_done=report.round_done,
                    )
                finally:
                    report.end(result)


async def _message(
    sending: Sending, descriptor: int | None, name: str
) -> tuple[bytes | Callable[[], Chunks], int | None]:
    """The message, and its size in bytes if known."""
    if sending.message is not None:
        data = os.fsencode(sending.message)
        return data, len(data)
    from trioecho.echo import source

    if descriptor is None:
        if sys.stdin is None:  # closed by the shell; its number may be another file's now
            raise TrioechoError("Standard input is closed", "Give a MESSAGE or a --file")
        descriptor = _STDIN
        if is_terminal(sys.stdin):
            data = await _typed()
            return data, len(data)
    size = source.size_left(descriptor)
    if size is None and sending.count > 1:  # a pipe can be read only once
        data = await source.read_all(descriptor, name)
        return data, len(data)
    return source.message_from(descriptor, name), size


async def _typed() -> bytes:
    from trioecho.echo.source import read_line

    screen = sys.stdout if is_terminal(sys.stdout) else sys.stderr
    print(PROMPT, end="", file=screen, flush=True)
    line: bytes | None = None
    try:
        line = await read_line(_STDIN)
    finally:
        if not line or not line.endswith(b"\n"):
            print(file=screen)
    if not line:
        raise TrioechoError("Nothing was typed, so nothing was sent")
    return line.rstrip(b"\r\n")


@asynccontextmanager
async def _opened(path: str | None) -> AsyncIterator[int | None]:
    """A file to send, opened in a thread: a named pipe opens only once it has a writer."""
    if path is None:
        yield None
        return
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    try:
        descriptor = await trio.to_thread.run_sync(os.open, path, flags, abandon_on_cancel=True)
    except OSError as error:
        raise TrioechoError(f"Cannot read {path!r}: {error.strerror}") from None
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise TrioechoError(f"Cannot read {path!r}: it is a directory", "Pipe it in: tar c")
        yield descriptor
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _written(path: str | None) -> AsyncIterator[Callable[[bytes], Awaitable[None]] | None]:
    """Writes the echo to a file, piece by piece.

    A regular file is cached, so it is written without a thread. Others may block: a named pipe
    opens only once it has a reader, and is full while that one pauses.
    """
    if path is None:
        yield None
        return
    try:
        file = await trio.to_thread.run_sync(_created, path, abandon_on_cancel=True)
    except OSError as error:
        raise TrioechoError(f"Cannot write {path!r}: {error.strerror}") from None
    regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)

    async def write(data: bytes) -> None:
        try:
            if regular:
                write_all(file, data)
            else:
                await trio.to_thread.run_sync(write_all, file, data, abandon_on_cancel=True)
        except OSError as error:
            raise TrioechoError(f"Cannot write {path!r}: {error.strerror}") from None

    try:
        yield write
    finally:
        try:
            file.close()
        except OSError as error:
            raise TrioechoError(f"Cannot write {path!r}: {error.strerror}") from None


def _created(path: str) -> FileIO:
    return open(path, "wb", buffering=0)
