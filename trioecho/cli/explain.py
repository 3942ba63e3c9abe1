"""``trioecho explain``: what a note, a state or a word of a ladder means."""

from __future__ import annotations

from typing import Annotated

import typer


def complete(incomplete: str) -> list[str]:
    """Complete what can be explained, for the shell."""
    from trioecho.cli.explain_text import topics

    return [topic for topic in topics() if topic.lower().startswith(incomplete.lower())]


def explain(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NOTE",
            help="The kind of a note, as in JSON and in a .ladder; the cause of a reset; a state;"
            " a word such as cwnd; or a cause that `trioecho why` tells. Without it, all kinds are"
            " listed.",
            autocompletion=complete,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Explain what stands on a ladder: a note, a state, a control bit, an option.

    Of a note: when it is said, by which RFC, how it looks, and the lessons that show it. Of a
    cause of lost time: how to be sure, what to change, and what it is mistaken for.

    Examples:

      trioecho explain

      trioecho explain zero-window-probe

      trioecho explain unread-data

      trioecho explain TIME-WAIT

      trioecho explain cwnd

      trioecho explain slow-reader
    """
    from trioecho.cli.explain_text import show_all, show_one
    from trioecho.cli.runner import run_blocking

    run_blocking(lambda: show_one(" ".join(words)) if words else show_all())
