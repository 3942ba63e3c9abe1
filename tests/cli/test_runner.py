from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import trio

from trioecho.cli.runner import run
from trioecho.cli.stdout import OutputClosed
from trioecho.errors import TrioechoError

SENTENCE = TrioechoError("It broke", "Mend it")
FULL = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
BUG = ZeroDivisionError("a bug")
BROKEN = trio.BrokenResourceError("what follows")
CLOSED = trio.ClosedResourceError("what follows")
NOBODY = OutputClosed()


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def code_of(main: Callable[[trio.Event], object], *, graceful: bool = True) -> int:
    with pytest.raises(SystemExit) as caught:
        run(main, graceful=graceful)  # type: ignore[arg-type]
    assert isinstance(caught.value.code, int)
    return caught.value.code


def failing(*errors: BaseException) -> Callable[[trio.Event], object]:
    """A command whose tasks end in these errors."""

    async def main(_: trio.Event) -> int:
        raise BaseExceptionGroup("tasks", [BaseExceptionGroup("more", errors)])

    return main


@pytest.mark.parametrize(
    ("errors", "code", "says"),
    [
        ([SENTENCE], 1, "trioecho: It broke. Mend it\n"),
        ([SENTENCE, TrioechoError("It broke", "Mend it")], 1, "trioecho: It broke. Mend it\n"),
        ([BROKEN, SENTENCE], 1, "trioecho: It broke. Mend it\n"),
        ([SENTENCE, CLOSED], 1, "trioecho: It broke. Mend it\n"),
        (
            [FULL],
            1,
            "trioecho: No file descriptor is left: Too many open files. Raise `ulimit -n`\n",
        ),
        ([TrioechoError("A \x1b[2J file\nsays")], 1, "trioecho: A \\x1b[2J file\\nsays\n"),
        ([NOBODY, BROKEN], 141, ""),
        ([NOBODY, SENTENCE], 141, ""),
        ([KeyboardInterrupt()], 130, ""),
    ],
)
def test_an_error_and_what_follows_from_it(
    errors: list[BaseException], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(failing(*errors)) == code
    assert capsys.readouterr() == ("", says)


@pytest.mark.parametrize("others", [[SENTENCE], [NOBODY], [BROKEN], []])
def test_a_bug_keeps_its_traceback(
    others: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((ZeroDivisionError, BaseExceptionGroup)):
        run(failing(BUG, *others))  # type: ignore[arg-type]
    assert capsys.readouterr() == ("", "")


def test_what_follows_from_nothing_is_a_bug() -> None:
    with pytest.raises(trio.BrokenResourceError):
        run(failing(BROKEN))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("error", "says"),
    [(None, ""), (SENTENCE, "trioecho: It broke. Mend it\n"), (NOBODY, "")],
)
def test_after_a_signal_the_code_is_the_signals(
    number: signal.Signals,
    error: Exception | None,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def main(stop: trio.Event) -> int:
        signal.raise_signal(number)
        await stop.wait()
        if error is not None:
            raise error
        return 0

    assert code_of(main) == 128 + number
    assert capsys.readouterr() == ("", says)


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    async def main(stop: trio.Event) -> int:
        signal.raise_signal(signal.SIGINT)
        await trio.testing.wait_all_tasks_blocked()
        assert not stop.is_set()
        signal.raise_signal(signal.SIGTERM)
        await stop.wait()
        return 0

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert code_of(main) == 143
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_bug_after_a_signal_keeps_its_traceback() -> None:
    async def main(stop: trio.Event) -> int:
        signal.raise_signal(signal.SIGTERM)
        await stop.wait()
        raise BUG

    with pytest.raises(ZeroDivisionError):
        run(main)


# A signal that comes between the opening of a file and the block that would close it.
UNOWNED = """
import signal
import subprocess
import sys
from trioecho.cli.runner import run_blocking

def opened():
    file = open("/dev/null", "rb")
    signal.raise_signal(signal.NUMBER)
    return file

def main():
    with opened():
        return 0

run_blocking(main)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_file_is_opened_leaves_no_warning(number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", UNOWNED.replace("NUMBER", number.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


@pytest.mark.parametrize(("graceful", "signals"), [(True, 2), (False, 1)])
def test_the_last_signal_cancels(graceful: bool, signals: int) -> None:
    async def main(stop: trio.Event) -> int:
        for _ in range(signals):
            signal.raise_signal(signal.SIGINT)
            await trio.testing.wait_all_tasks_blocked()
        await trio.sleep_forever()
        return 0

    assert code_of(main, graceful=graceful) == 130
