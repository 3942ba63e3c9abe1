"""Ctrl-C where no command runs: while modules load, and when all is done."""

from __future__ import annotations

# What signal is made of: signal itself imports enum too, and until then Ctrl-C has a traceback.
import _signal  # type: ignore[import-not-found]
import os


def exit_on_interrupt() -> None:
    """Let Ctrl-C exit at once, unless SIGINT is ignored or a test's."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _exit)


def raise_on_interrupt() -> bool:
    """Let Ctrl-C raise KeyboardInterrupt again, now that a command runs; True if that is new."""
    ours: bool = _signal.getsignal(_signal.SIGINT) is _exit
    if ours:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    return ours


def ignore_interrupts() -> None:
    """Let Ctrl-C do nothing any more: the exit code is known, and Python only tidies up."""
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)


def _exit(number: int, frame: object) -> None:
    # A KeyboardInterrupt would not do: in a callback of the import system it is printed and lost.
    os._exit(130)
