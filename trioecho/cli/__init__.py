"""The command line: one file a command, ``cli/NAME.py``, and its helpers beside it, ``NAME_*.py``.

A command's file holds its options and one function that runs it. To add a command, write
``cli/name.py`` with the function ``name`` and register it in ``cli/app.py``.
"""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of ``trioecho``."""
    try:
        from trioecho.cli.app import app  # here, so that Ctrl-C during the import is caught too

        app()
    except KeyboardInterrupt:
        sys.exit(130)
