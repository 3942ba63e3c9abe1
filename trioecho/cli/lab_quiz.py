"""``trioecho lab NAME --quiz``: what comes next?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import trio

from trioecho.cli.lab_text import epilogue, prologue
from trioecho.cli.prose import strong
from trioecho.cli.runner import cancel_at
from trioecho.cli.stdout import encoded, write_bytes
from trioecho.lessons.lesson import Lesson
from trioecho.lessons.performance import perform_lesson
from trioecho.lessons.quiz import Choice, Question, answered, questions
from trioecho.text import plural

if TYPE_CHECKING:
    from trioecho.cli.screen import Screen
    from trioecho.stage.outputs import Output

_STDIN, _MOST = 0, 4096  # the descriptor, and bytes that are read at once


async def quiz(lesson: Lesson, name: str, screen: Screen, stop: trio.Event) -> int:
    """Perform a lesson unseen, and show its ladder with a question before each rung worth one.

    It ends with the ladder, with Ctrl-C, or where standard input ends; then it shows the score.

    Returns:
        The exit code: 1 if standard input ended before the first answer.

    Raises:
        TrioechoError: the lesson cannot be performed here.
        OutputClosed: the reader has closed standard output.
    """
    titles: list[str] = []

    def opened(title: str, interfaces: Sequence[str]) -> list[Output]:
        titles.append(title)
        return []

    await _say(*prologue(lesson))
    performance = await perform_lesson(lesson, opened, stop=stop)
    if performance.stopped:
        return 0
    renderer = screen.show_on((), titles[0], ())[0].renderer
    await _show(renderer.begin())
    answers = Answers(stop)
    asked = right = 0
    for one in questions(performance.rungs, name):
        if isinstance(one, Question):
            await _say("", strong("What comes next?"), *_choices(one))
            choice = await _choice(one, answers)
            if choice is None and answers.ended:
                break
            asked, right = asked + 1, right + (choice == one.right)
            await _say("Right." if choice == one.right else f"No, the {one.right}.", "")
        await _show(renderer.show([one.rung if isinstance(one, Question) else one]))
    else:
        await _say(*epilogue(lesson, name))
    if answers.ended and not asked:
        await _say("", strong("No answer was given"))
        return 1
    await _say("", strong(f"{right} of {plural(asked, 'answer')} right"))
    return 0


class Answers:
    """Lines of standard input, until it ends or an event stops it.

    Attributes:
        ended: whether there are no more.
    """

    def __init__(self, stop: trio.Event) -> None:
        self.ended = False
        self._stop = stop
        self._read = b""

    async def next(self) -> str:
        """The next line without its end; ``""`` where there are no more."""
        while b"\n" not in self._read and not self.ended:
            data = await self._more()
            self.ended = not data
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        if line:
            self.ended = False  # the last line had no end
        return line.decode("utf-8", "replace")

    async def _more(self) -> bytes:
        """What can be read now; nothing at the end, and when stopped."""
        data = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_at, self._stop, nursery.cancel_scope)
            # An abandoned thread does no harm: it dies with the process.
            data = await trio.to_thread.run_sync(_read, abandon_on_cancel=True)
            nursery.cancel_scope.cancel()
        return b"" if self._stop.is_set() else data


async def _choice(question: Question, answers: Answers) -> Choice | None:
    """Read lines until one is clear; None for an empty one, and where there are no more."""
    while answer := (await answers.next()).strip():
        if choice := answered(question, answer):
            return choice
        await _say(f"Which one? Answer with a letter, or in words: {question.choices[0]}")
    return None


def _choices(question: Question) -> Iterable[str]:
    letters = zip("abcd", question.choices, strict=False)
    return (*(f"  {letter}) {choice}" for letter, choice in letters), "An empty line shows it.")


def _read() -> bytes:
    try:
        return os.read(_STDIN, _MOST)
    except OSError:  # the shell has closed it
        return b""


async def _say(*lines: str) -> None:
    await _show(b"".join(map(encoded, lines)))


async def _show(data: bytes) -> None:
    """Write in a thread: a terminal that nobody reads may be left behind."""
    await trio.to_thread.run_sync(write_bytes, data, abandon_on_cancel=True)
