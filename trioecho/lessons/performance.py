"""Performs a lesson: both ends do their steps on real kernels; the ladder shows it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial

import trio
from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host
from trioecho.lessons.agreement import disagreements
from trioecho.lessons.company import Company
from trioecho.lessons.lesson import Lesson
from trioecho.lessons.steps import PORT
from trioecho.model import ENDS, End, Endpoint, Rung, Summary
from trioecho.stage.open import open_recorded
from trioecho.stage.outputs import Kept, OpenOutputs, Output
from trioecho.stage.play import check_whole, play

# Seconds for segments in flight when all parties are done. For anything else a lesson has steps
# that wait.
GRACE = 1.0
# Seconds that a lesson may take beyond its own ``takes``.
PATIENCE = 20.0


class Performance(Struct, frozen=True):
    """The result.

    Args:
        rungs: the ladder.
        summary: how the connections ended.
        disagreements: a sentence for each end whose last state differs from its kernel's.
        stopped: whether it was stopped half way.
    """

    rungs: tuple[Rung, ...]
    summary: Summary
    disagreements: tuple[str, ...]
    stopped: bool


async def perform_lesson(
    lesson: Lesson,
    outputs: OpenOutputs,
    *,
    kernel: bool = False,
    stop: trio.Event | None = None,
) -> Performance:
    """Perform a lesson, live.

    Raises:
        TrioechoError: it cannot run here, or a step failed; the outputs are complete
            all the same.
    """
    if kernel and lesson.place == "loopback":
        what = "The kernel's view is shown on a wire only, and this lesson uses the loopback"
        raise TrioechoError(what, "Leave out --kernel")
    stop = trio.Event() if stop is None else stop
    kept = Kept()

    def opened(title: str, interfaces: Sequence[str]) -> list[Output]:
        return [*outputs(title, interfaces), Output(kept, lambda data: None)]

    sentences: list[str] = []
    async with (
        open_recorded(
            "host" if lesson.place == "loopback" else "wire",
            lesson.faults,
            kernel=kernel,
        ) as stage,
        stage.diags() as diags,
    ):
        await set_up(lesson, {end: stage.host(end) for end in ENDS})
        address = stage.address("server")
        stage.only(Endpoint(address, PORT))

        def settled() -> None:
            if not stop.is_set():
                sentences.extend(disagreements(stage.journal.tracker, diags, lesson.unseen))

        with closing(Company(lesson, stage)) as company:
            summary = await play(
                stage,
                opened(f"{stage.name}; {address}, port {PORT}", stage.interfaces),
                partial(company.act, stop, lesson.takes + PATIENCE),
                grace=GRACE,
                stop=stop,
                settled=settled,
                stops=dict.fromkeys(ENDS, "you stopped the lesson"),
            )
    check_whole(summary)
    return Performance(kept.rungs, summary, tuple(sentences), stop.is_set())


async def set_up(lesson: Lesson, hosts: dict[End, Host]) -> None:
    """Apply the lesson's settings to the hosts.

    Raises:
        TrioechoError: a host has no such setting, or refuses the value.
    """
    for end, host in hosts.items():
        own = lesson.sysctl.client if end == "client" else lesson.sysctl.server
        for name, value in own.items():
            await host.sysctl(name, value)
