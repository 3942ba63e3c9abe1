"""``trioecho lab``: the lessons."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import CallsOption, KernelOption, OutputFormat, ShowOptions

if TYPE_CHECKING:
    import trio

    from trioecho.render import Renderer


def complete(incomplete: str) -> list[str]:
    """Complete a lesson's name, for the shell."""
    from trioecho.lessons.shelf import names

    return [name for name in names() if name.startswith(incomplete)]


def lab(
    lesson: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A lesson, or the path of your own TOML file; without one, all are listed.",
            autocompletion=complete,
        ),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="List the names only, one a line.")
    ] = False,
    answer: Annotated[
        bool,
        typer.Option(
            "--answer", help="Show the lesson's question and the answer, and do not perform it."
        ),
    ] = False,
    quiz: Annotated[
        bool,
        typer.Option("--quiz", help="Hide what comes next, ask, show it, and count what is right."),
    ] = False,
    grade: Annotated[
        Path | None,
        typer.Option(
            "--grade",
            metavar="FILE",
            help="Mark a .ladder file in which somebody has predicted the lesson, rung by rung; the"
            " exit code is 0 if all of it is right, and 1 otherwise.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Compare what happens with the lesson's .ladder and with the kernels."
        ),
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write the lesson's .ladder file, next to the lesson.")
    ] = False,
    kernel: KernelOption = False,
    calls: CallsOption = True,
    *,
    show: ShowOptions,
) -> None:
    """Learn TCP from what goes wrong: lessons on a private wire with faults.

    Two real kernels perform each lesson while you watch, and it ends with a question. To write your
    own, copy the file of one; the list says where they are.

    Examples:

      trioecho lab

      trioecho lab lost-syn-ack

      trioecho lab lost-syn-ack --answer

      trioecho lab lost-syn-ack --quiz

      trioecho lab lost-syn-ack --grade homework.ladder

      trioecho lab lost-syn-ack --kernel

      trioecho lab fast-retransmit -o fast-retransmit.pcapng

      trioecho lab ./my.toml
    """
    from trioecho.cli.runner import run, run_blocking
    from trioecho.cli.screen import Screen

    if lesson is None and (answer or quiz or grade is not None):
        raise typer.BadParameter("of which lesson? Add its NAME", param_hint="NAME")
    if names and lesson is not None:
        raise typer.BadParameter("it lists all lessons; leave out NAME", param_hint="--names")
    if lesson is None:
        from trioecho.cli import lab_text

        listing = lab_text.list_lessons
        if show.output_format is OutputFormat.json:
            listing = lab_text.list_objects
        run_blocking(lab_text.list_names if names else listing)
    name = lesson
    modes = {"--answer": answer, "--quiz": quiz, "--grade": grade is not None}
    others = {"--check": check, "--write": write, "--kernel": kernel, "-o": show.output}
    others["--format"] = show.output_format is not OutputFormat.terminal
    chosen = [mode for mode, given in modes.items() if given]
    if chosen and (wrong := chosen[1:] + [one for one, given in others.items() if given]):
        raise typer.BadParameter(
            f"it cannot be combined; leave out {', '.join(wrong)}",
            param_hint=chosen[0],
        )
    if answer:
        from trioecho.cli.lab_text import show_answer

        run_blocking(lambda: show_answer(name))
    if grade is not None:
        from trioecho.cli.lab_grade import show_grade

        run_blocking(lambda: show_grade(name, grade))
    if quiz:
        show, calls = replace(show, show_all=True), False
    screen = Screen(show, calls=calls)

    async def main(stop: trio.Event) -> int:
        from trioecho.cli.lab_text import WithProse, compare
        from trioecho.cli.stdout import say
        from trioecho.lessons.expected import path_of, write_ladder
        from trioecho.lessons.lesson import read
        from trioecho.lessons.performance import perform_lesson
        from trioecho.lessons.shelf import check_own, find

        path = find(name)
        one = read(path)
        if write:
            check_own(path)
        screen.several = sum(step.opens for _, party in one.parties for step in party) > 1

        def wrap(renderer: Renderer) -> Renderer:
            return WithProse(renderer, one, name, stop.is_set)

        if quiz:
            from trioecho.cli.lab_quiz import quiz as ask

            return await ask(one, name, screen, stop)
        with screen.opener(wrap) as opened:
            performance = await perform_lesson(one, opened, kernel=kernel, stop=stop)
        if performance.stopped:
            return 0
        if write:
            write_ladder(path_of(path), one, performance.rungs)
        if check:
            compare(path, performance, say if screen.is_text else partial(print, file=sys.stderr))
        return 0

    run(main)
