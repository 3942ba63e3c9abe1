"""``trioecho faults``: the words of faults, in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer


def complete(incomplete: str) -> list[str]:
    """Complete the word of a fault, for the shell."""
    from trioecho.faults.faults import FAULTS

    verbs = dict.fromkeys(fault.verb for fault in FAULTS)
    return [verb for verb in verbs if verb.startswith(incomplete.lower())]


def faults(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="WORD",
            help="A fault such as drop, or a word in one, such as syn-ack or TIMES; without it,"
            " all faults are listed.",
            autocompletion=complete,
        ),
    ] = None,
) -> None:
    """Look up the faults of a private wire: their words, units and examples.

    They are given to trace and run as --fault "TEXT", and stand in lessons and tests.

    Examples:

      trioecho faults

      trioecho faults drop

      trioecho faults syn-ack
    """
    from trioecho.cli.faults_text import show_all, show_word
    from trioecho.cli.runner import run_blocking

    run_blocking(show_all if word is None else lambda: show_word(word))
