"""``trioecho lab``: the lessons."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import (
    FOLD,
    AbsoluteOption,
    AllOption,
    CallsOption,
    Format,
    FormatOption,
    KernelOption,
    OutputOption,
    VerboseOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import trio

    from trioecho.stage.outputs import Output


def complete(incomplete: str) -> list[str]:
    """The lessons whose names begin so, for the shell."""
    from trioecho.lessons.shelf import names

    return [name for name in names() if name.startswith(incomplete)]


def lab(
    lesson: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A lesson, or the path of a TOML file of your own; without one, all are listed.",
            autocompletion=complete,
        ),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="List the names alone, one a line.")
    ] = False,
    answer: Annotated[
        bool, typer.Option("--answer", help="Show the answer to the lesson's question too.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Compare what happens with the lesson's .ladder and with the kernel."
        ),
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write the lesson's .ladder anew, beside it.")
    ] = False,
    kernel: KernelOption = False,
    output_format: FormatOption = Format.terminal,
    output: OutputOption = None,
    absolute: AbsoluteOption = False,
    verbose: VerboseOption = False,
    calls: CallsOption = True,
    show_all: AllOption = False,
) -> None:
    """Learn TCP from what goes wrong: lessons on a private wire that breaks what it carries.

    Each is performed by two real kernels while you watch, and ends with a question.
    docs/how-to/lesson.md tells how to write your own.

    Examples:

      trioecho lab

      trioecho lab lost-syn-ack

      trioecho lab lost-syn-ack --answer --kernel

      trioecho lab fast-retransmit -o fast-retransmit.pcapng

      trioecho lab ./my.toml
    """
    from trioecho.cli.output import say
    from trioecho.cli.runner import run, run_blocking
    from trioecho.cli.screen import Screen, check_suffixes, open_outputs

    if names and lesson is not None:
        raise typer.BadParameter("the names are those of all lessons", param_hint="--names")
    if lesson is None:
        from trioecho.cli.lessons import list_lessons, list_names, list_objects

        listing = list_objects if output_format is Format.json else list_lessons
        run_blocking(list_names if names else listing)
    paths = check_suffixes(output or [])
    name = lesson
    screen = Screen(
        format=output_format.value,
        absolute=absolute,
        verbose=verbose,
        calls=calls,
        fold=None if show_all else FOLD,
        several=False,
        several_in_files=False,
    )

    async def main(stop: trio.Event) -> int:
        from trioecho.cli.lessons import WithProse, judge
        from trioecho.lessons.expected import path_of, write_ladder
        from trioecho.lessons.lesson import read
        from trioecho.lessons.performance import perform_lesson
        from trioecho.lessons.shelf import find

        path = find(name)
        one = read(path)
        prose = output_format is Format.terminal
        several = sum(step.opens for _, party in one.parties for step in party) > 1
        shown = screen._replace(several=several, several_in_files=several)

        with ExitStack() as stack:

            def opened(title: str, interfaces: Sequence[str]) -> list[Output]:
                outputs = open_outputs(stack, shown, paths, title, interfaces)
                if prose:
                    screened = outputs[0].renderer
                    outputs[0].renderer = WithProse(screened, one, name, answer, stop.is_set)
                return outputs

            performance = await perform_lesson(one, opened, kernel=kernel, stop=stop)
        if performance.stopped:
            return 0
        if write:
            write_ladder(path_of(path), one, performance.rungs)
        if check:
            judge(path, performance, say if prose else partial(print, file=sys.stderr))
        return 0

    run(main)
