"""Lesson: its TOML file, checked."""

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
    """Does one step after another at one end. Several parties act at the same time.

    Args:
        steps: in the words of steps.py.
    """

    steps: tuple[str, ...]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The hosts' settings by name, such as ``net.ipv4.tcp_retries2``."""

    client: dict[str, int | str] = {}
    server: dict[str, int | str] = {}


class Unseen(Struct, frozen=True, forbid_unknown_fields=True):
    """An end state in the kernel that the ladder cannot know.

    Args:
        end: whose state.
        shown: the state on the ladder.
        kernel: the state in the kernel.
        why: what no segment shows.
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
        rfc: the sections with the rules, such as ``RFC 9293 §3.5``.
        introduction: what happens and why, before the ladder.
        notice: what to notice in the ladder.
        question, answer: for the reader to think about.
        client, server: the parties at either end.
        number: its place among the others.
        takes: seconds, if it waits for real timers; less than an hour.
        place: on a ``wire`` between two hosts, or on the ``loopback`` of one.
        faults: what the wire does, in the words of the fault grammar.
        sysctl: settings of the hosts.
        compare: what else of each segment is compared with the ladder:
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
        TrioechoError: it cannot be read or is not valid; the message names the file and the word.
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
        raise TrioechoError(f"{str(path)!r} is not a lesson: it nests too deep") from None
    except (msgspec.DecodeError, ValueError) as error:  # no UTF-8; an integer of 5,000 digits
        raise TrioechoError(f"{str(path)!r} is not a lesson: {error}") from None
    except TrioechoError as error:
        what = error.what[:1].lower() + error.what[1:]
        raise TrioechoError(f"In the lesson {path.stem!r}, {what}", error.hint) from None
    return lesson


def check(lesson: Lesson) -> None:
    """Check whether a lesson can be performed.

    Raises:
        TrioechoError: a word is not valid, or parties would wait for ever.
    """
    if not 0 <= lesson.takes < _LONGEST:  # nan is not, either
        what = f"takes is {lesson.takes:g}; it must be at least 0 s and less than an hour"
        raise TrioechoError(what)
    script = [parse(text) for text in lesson.faults]
    faults.check(script)
    if script and lesson.place == "loopback":
        raise TrioechoError("it has faults, and a loopback can have none", 'Use place = "wire"')
    meetings: Counter[str] = Counter()
    for end, party in lesson.parties:
        actions = [step.action for step in party]
        meetings.update({action.name for action in actions if isinstance(action, Meet)})
        listening = False
        for step in party:
            if isinstance(step.action, Accept | StopListening) and not listening:
                what = f"the {end}'s step {step.text!r} needs a listening socket, and there is none"
                raise TrioechoError(what)
            if isinstance(step.action, Listen | StopListening):
                listening = isinstance(step.action, Listen)
    if not lesson.parties:
        raise TrioechoError("it has no steps", "Write [[client]] with steps, and [[server]]")
    for name, count in meetings.items():
        if count == 1:
            raise TrioechoError(f"one party alone has the step 'meet {name}', and would wait")
