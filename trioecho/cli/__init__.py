"""The command line: one file a command, ``cli/NAME.py``, and its helpers beside it, ``NAME_*.py``.

A command's file holds its options and one function that runs it. To add a command, write
``cli/name.py`` with the function ``name`` and register it in ``cli/app.py``.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """The entry point of ``trioecho``."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, exit_at_once)
    try:
        from trioecho.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)


def exit_at_once(number: int, frame: object) -> None:
    """Handles Ctrl-C while modules load, until the command handles it.

    A KeyboardInterrupt would not do: in a callback of the import system it is printed and lost.
    """
    os._exit(130)
