"""Runs a command: trio, signals, errors, the exit code."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, NoReturn, TypeAlias
from warnings import simplefilter

from trioecho.cli.interrupts import exit_on_interrupt, raise_on_interrupt
from trioecho.cli.stderr import warn
from trioecho.cli.stdout import OutputClosed
from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    import trio

Main: TypeAlias = "Callable[[trio.Event], Awaitable[int]]"

OUTPUT_CLOSED = 141  # as a shell reports a program killed by SIGPIPE


def run(main: Main, *, graceful: bool = True) -> NoReturn:
    """Run a command with trio and exit.

    The first SIGINT or SIGTERM sets the event that ``main`` is given, and the second cancels it.
    A signal that was ignored at the start, as SIGINT is in a shell's background job, stays ignored.
    After a signal the exit code is 130 or 143, however ``main`` ends. Otherwise it is what ``main``
    returns, an error's code, which is printed as a sentence, or 141 when the reader has closed
    standard output. A bug always keeps its traceback.
    """
    import trio

    caught: list[int] = []
    try:
        raises = raise_on_interrupt()
        try:
            code = trio.run(_supervise, main, graceful, caught)
        finally:
            if raises:
                exit_on_interrupt()
    except BaseException as error:
        leaves = list(_leaves(error))
        code = _explain(leaves)
        if not code:
            raise leaves[0] if len(leaves) == 1 else error from None
    if caught:
        code = 128 + caught[0]
    gc.freeze()  # a search for cycles among all modules at exit takes longer than a round trip
    sys.exit(code)


async def cancel_at(stop: trio.Event, scope: trio.CancelScope) -> None:
    """Cancel what is under way, such as the rest of a nursery, once the user asks to stop."""
    await stop.wait()
    scope.cancel()


def run_blocking(main: Callable[[], int]) -> NoReturn:
    """Run a command that only waits for files, without trio, and exit.

    SIGINT and SIGTERM raise KeyboardInterrupt in ``main``, and the exit code is 130 or 143.
    """
    caught = signal.SIGINT
    ended = False

    def interrupt(number: int, frame: object) -> NoReturn:
        nonlocal caught
        if ended:
            os._exit(128 + number)
        caught = signal.Signals(number)
        # It may come when a file has been opened and the block that closes it is not entered yet.
        simplefilter("ignore", ResourceWarning)
        raise KeyboardInterrupt

    try:
        for heard in filter(_is_heard, (signal.SIGINT, signal.SIGTERM)):
            signal.signal(heard, interrupt)
        try:
            code = main()
        finally:
            ended = True
    except KeyboardInterrupt:
        code = 128 + caught
    except (TrioechoError, OutputClosed) as error:
        code = _explain([error])
    gc.freeze()
    sys.exit(code)


def refuse(error: TrioechoError) -> NoReturn:
    """Exit with code 2 and one line, because the command line is wrong."""
    warn(str(error))
    sys.exit(2)


def _is_heard(number: signal.Signals) -> bool:
    return signal.getsignal(number) is not signal.SIG_IGN


async def _supervise(main: Main, graceful: bool, caught: list[int]) -> int:
    import trio

    stop = trio.Event()
    code = 0
    ours = [one for one in (signal.SIGINT, signal.SIGTERM) if _is_heard(one)]
    with trio.open_signal_receiver(*ours) as signals:
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                async for number in signals:
                    if not graceful or caught:
                        nursery.cancel_scope.cancel()
                    caught.append(number)
                    stop.set()

            nursery.start_soon(watch)
            code = await main(stop)
            nursery.cancel_scope.cancel()
    return code


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, at any depth."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _explain(errors: list[BaseException]) -> int:
    """Print the errors and return the exit code; 0 if one is a bug, which keeps its traceback."""
    sentences: list[str] = []
    code = failed = 0
    for error in errors:
        if isinstance(error, KeyboardInterrupt):  # before or after trio received the signals
            code = 130
        elif isinstance(error, OutputClosed):
            code = code or OUTPUT_CLOSED
        elif isinstance(error, TrioechoError):
            sentences.append(str(error))
            failed = failed or error.code
        elif isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            sentences.append(f"No file descriptor is left: {error.strerror}. Raise `ulimit -n`")
        elif not _follows(error):
            return 0
    if not code:
        for sentence in dict.fromkeys(sentences):
            warn(sentence)
    return code or failed or (1 if sentences else 0)


def _follows(error: BaseException) -> bool:
    """Whether an error only follows from another task's: it was cancelled, or its socket closed."""
    import trio

    return isinstance(error, (trio.Cancelled, trio.BrokenResourceError, trio.ClosedResourceError))
