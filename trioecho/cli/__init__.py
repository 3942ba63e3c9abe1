"""The command line: one file a command, ``cli/NAME.py``, and its helpers beside it, ``NAME_*.py``.

A command's file holds its options and one function that runs it. To add a command, write
``cli/name.py`` with the function ``name`` and register it in ``cli/app.py``.
"""

from __future__ import annotations

import sys

from trioecho.cli.interrupts import exit_on_interrupt, ignore_interrupts


def main() -> None:
    """The entry point of ``trioecho``."""
    exit_on_interrupt()
    try:
        from trioecho.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        ignore_interrupts()
