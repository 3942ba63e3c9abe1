"""What every command does around its work: trio, the signals, the errors, the exit code."""

from __future__ import annotations

import errno
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from trioecho.cli.output import OutputClosed, warn
from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    import trio

Main: TypeAlias = "Callable[[trio.Event], Awaitable[int]]"

OUTPUT_CLOSED = 141  # what a shell reports for a program that SIGPIPE ended


def run(main: Main, *, graceful: bool = True) -> NoReturn:
    """Run a command and leave the process.

    The first SIGINT or SIGTERM sets the event that ``main`` was given, and a second one cancels it.
    A signal that was ignored from the start, as SIGINT is in a shell's background job, stays
    ignored. However it ends after a signal, the exit code is the signal's, 130 or 143; only a bug
    has its traceback and 1 all the same. Otherwise the code is what ``main`` returned, 1 after a
    sentence on what went wrong, or 141 when nobody reads standard output any more.

    Args:
        main: the command's work, given the event that asks it to stop; it returns the exit code.
        graceful: False cancels at the first signal already, for work that has nothing to finish.

    Raises:
        SystemExit: always, except for a bug, which keeps its traceback.
    """
    import trio

    caught: list[int] = []
    try:
        code = trio.run(_supervise, main, graceful, caught)
    except BaseException as error:
        leaves = list(_leaves(error))
        code = _explain(leaves)
        if not code:
            raise leaves[0] if len(leaves) == 1 else error from None
    if caught:
        code = 128 + caught[0]
    gc.freeze()  # looking for cycles among all modules at exit takes longer than a round trip
    sys.exit(code)


def run_blocking(main: Callable[[], int]) -> NoReturn:
    """Run a command that waits for nothing but files, without trio, and leave the process.

    SIGINT and SIGTERM raise KeyboardInterrupt in it; the exit code is the signal's: 130 or 143.

    Args:
        main: the command's work; it returns the exit code.
    """
    caught = signal.SIGINT

    def terminate(number: int, frame: object) -> NoReturn:
        nonlocal caught
        caught = signal.Signals(number)
        raise KeyboardInterrupt

    if _is_heard(signal.SIGTERM):
        signal.signal(signal.SIGTERM, terminate)
    try:
        code = main()
    except KeyboardInterrupt:
        code = 128 + caught
    except (TrioechoError, OutputClosed) as error:
        code = _explain([error])
    gc.freeze()
    sys.exit(code)


def refuse(error: TrioechoError) -> NoReturn:
    """Leave because the command line itself is wrong: one line, and exit code 2.

    Args:
        error: what is wrong with it.

    Raises:
        SystemExit: always.
    """
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
    """The errors in a group, at whatever depth."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _explain(errors: list[BaseException]) -> int:
    """Say what the errors are about; 0 when one of them is a bug and needs its traceback."""
    sentences: list[str] = []
    code = 0
    for error in errors:
        if isinstance(error, KeyboardInterrupt):  # before or after the signals were ours
            code = 130
        elif isinstance(error, OutputClosed):
            code = code or OUTPUT_CLOSED
        elif isinstance(error, TrioechoError):
            sentences.append(str(error))
        elif isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            sentences.append(f"No file descriptor is left: {error.strerror}. Raise `ulimit -n`")
        elif not _follows(error):
            return 0
    if not code:
        for sentence in dict.fromkeys(sentences):
            warn(sentence)
    return code or (1 if sentences else 0)


def _follows(error: BaseException) -> bool:
    """Whether an error only follows from another task's.

    When one task fails, the others are cancelled and find their sockets closed. That is not worth a
    word, as long as there is one on what it follows from.
    """
    import trio

    return isinstance(error, (trio.Cancelled, trio.BrokenResourceError, trio.ClosedResourceError))
