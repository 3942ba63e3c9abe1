"""Ctrl-C before a command runs."""

from __future__ import annotations

import os
import signal


def exit_on_interrupt() -> None:
    """Let Ctrl-C exit at once while modules load, unless SIGINT is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit)


def raise_on_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, now that a command runs."""
    if signal.getsignal(signal.SIGINT) is _exit:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _exit(number: int, frame: object) -> None:
    # A KeyboardInterrupt would not do: in a callback of the import system it is printed and lost.
    os._exit(130)
