"""Lesson: what a TOML file says of it, checked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.faults import faults
from trioecho.faults.faults import parse
from trioecho.lessons import steps
from trioecho.lessons.steps import Accept, Listen, Meet, Step, StopListening
from trioecho.model import End, State

Level = Literal["beginner", "intermediate", "expert"]
Compared = Literal["times", "windows", "options"]
_MOST = 1 << 20  # bytes of a file
_LONGEST = 3600  # seconds


class Party(Struct, frozen=True, forbid_unknown_fields=True):
    """Someone who does one step after the other, at one end. Several parties act side by side.

    Args:
        steps: what is done, in the words of steps.py.
    """

    steps: tuple[str, ...]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The hosts' settings, by their names, such as ``net.ipv4.tcp_retries2``."""

    client: dict[str, int | str] = {}
    server: dict[str, int | str] = {}


class Unseen(Struct, frozen=True, forbid_unknown_fields=True):
    """Where at the end the ladder cannot know what the kernel does.

    Args:
        end: of which end.
        shown: the state on the ladder.
        kernel: the state in the kernel.
        why: what no segment tells.
        connection: its number, from 1.
    """

    end: End
    shown: State
    kernel: State
    why: str
    connection: int = 1


class Lesson(Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson.

    Args:
        title: one line, without a full stop.
        level: for whom.
        rfc: the sections where the rules stand, such as ``RFC 9293 §3.5``.
        introduction: what happens and why, before the ladder.
        notice: what to notice in the ladder.
        question, answer: for the reader to think about.
        client, server: the parties at either end.
        number: its place among the others.
        takes: seconds, where it waits for real timers; less than an hour.
        place: on a ``wire`` between two hosts, or on the ``loopback`` of one.
        faults: what the wire does, in the words of the fault grammar.
        sysctl: settings of the hosts.
        compare: what else of each segment belongs to the lesson, and is compared with its ladder:
            ``times`` of 150 ms and more, ``windows``, a SYN's ``options``.
        unseen: where the ladder cannot know what the kernel does.
    """

    title: str
    level: Level
    rfc: tuple[str, ...]
    introduction: str
    notice: tuple[str, ...]
    question: str
    answer: str
    client: tuple[Party, ...] = ()
    server: tuple[Party, ...] = ()
    number: int = 0
    takes: float = 0
    place: Literal["wire", "loopback"] = "wire"
    faults: tuple[str, ...] = ()
    sysctl: Settings = Settings()
    compare: tuple[Compared, ...] = ()
    unseen: tuple[Unseen, ...] = ()

    @property
    def parties(self) -> list[tuple[End, list[Step]]]:
        """Each party's end and steps, the server's first."""
        ends: tuple[tuple[End, tuple[Party, ...]], ...] = (
            ("server", self.server),
            ("client", self.client),
        )
        return [
            (end, [steps.parse(step) for step in party.steps])
            for end, parties in ends
            for party in parties
        ]


def read(path: Path) -> Lesson:
    """Read a lesson.

    Raises:
        TrioechoError: it cannot be read, or makes no sense; it names the file, and the word.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise TrioechoError(f"Cannot read {str(path)!r}: {error.strerror}") from None
    if len(data) > _MOST:
        raise TrioechoError(f"{str(path)!r} is too large for a lesson: more than 1 MiB")
    try:
        lesson = msgspec.toml.decode(data, type=Lesson)
        check(lesson)
    except RecursionError:
        raise TrioechoError(f"{str(path)!r} is no lesson: it nests too deep") from None
    except (msgspec.DecodeError, ValueError) as error:  # no UTF-8; an integer of 5,000 digits
        raise TrioechoError(f"{str(path)!r} is no lesson: {error}") from None
    except TrioechoError as error:
        what = error.what[:1].lower() + error.what[1:]
        raise TrioechoError(f"In the lesson {path.stem!r}, {what}", error.hint) from None
    return lesson


def check(lesson: Lesson) -> None:
    """See whether a lesson can be performed.

    Raises:
        TrioechoError: a word is not understood, or parties would wait for ever.
    """
    if not 0 <= lesson.takes < _LONGEST:  # nan is not, either
        what = f"takes is {lesson.takes:g}, and a lesson takes 0 s and more, and less than an hour"
        raise TrioechoError(what)
    script = [parse(text) for text in lesson.faults]
    faults.check(script)
    if script and lesson.place == "loopback":
        raise TrioechoError("there are faults, and a loopback has none", 'Take place = "wire"')
    meetings: Counter[str] = Counter()
    for end, party in lesson.parties:
        actions = [step.action for step in party]
        meetings.update({action.name for action in actions if isinstance(action, Meet)})
        listening = False
        for step in party:
            if isinstance(step.action, Accept | StopListening) and not listening:
                what = f"the {end}'s step {step.text!r} comes where it does not listen"
                raise TrioechoError(what)
            if isinstance(step.action, Listen | StopListening):
                listening = isinstance(step.action, Listen)
    if not lesson.parties:
        raise TrioechoError("nobody does anything", "Write [[client]] with steps, and [[server]]")
    for name, count in meetings.items():
        if count == 1:
            raise TrioechoError(f"one party alone has the step 'meet {name}', and would wait")
