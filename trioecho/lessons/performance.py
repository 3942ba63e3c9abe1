"""A lesson, performed: two ends that do their steps on real kernels, and the ladder of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import trio
from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host, open_host
from trioecho.hosts.sockdiag import Diag
from trioecho.lessons.agreement import disagreements
from trioecho.lessons.company import Company
from trioecho.lessons.lesson import Lesson
from trioecho.lessons.steps import PORT
from trioecho.model import ENDS, Call, End, Endpoint, Rung, Summary
from trioecho.render import Event
from trioecho.stage.chronicle import Chronicle
from trioecho.stage.kernels import Truth, open_diag, open_diags
from trioecho.stage.outputs import Output
from trioecho.stage.wire import INTERFACES, open_wire
from trioecho.trace.ladder import Ladder
from trioecho.trace.nursery import play
from trioecho.trace.place import open_capture_on
from trioecho.trace.wired import perform

# Seconds for what is still under way when all parties are done. What a lesson wants to wait for,
# its steps wait for.
GRACE = 1.0
# Seconds that a lesson may take beyond what it says.
PATIENCE = 20.0
# So that the ladder is the same wherever it is drawn: Reno's congestion control is in every kernel,
# and a second connection knows nothing of the first.
_SYSCTL: dict[str, int | str] = {
    "net.ipv4.tcp_congestion_control": "reno",
    "net.ipv4.tcp_no_metrics_save": 1,
}

Outputs = Callable[[str, Sequence[str]], Sequence[Output]]


class Performance(Struct, frozen=True):
    """What came of it.

    Args:
        rungs: the ladder.
        summary: what it all came to.
        disagreements: a sentence for each end whose last state is not what its kernel says.
        stopped: whether it was stopped half way.
    """

    rungs: tuple[Rung, ...]
    summary: Summary
    disagreements: tuple[str, ...]
    stopped: bool


class _Kept:
    """A renderer that writes nothing and keeps the rungs."""

    def __init__(self) -> None:
        self.rungs: list[Rung] = []

    def begin(self) -> bytes:
        return b""

    def show(self, events: Sequence[Event]) -> bytes:
        self.rungs += [event for event in events if isinstance(event, Rung)]
        return b""

    def end(self, summary: Summary) -> bytes:
        return b""


async def perform_lesson(
    lesson: Lesson,
    outputs: Outputs,
    *,
    kernel: bool = False,
    stop: trio.Event | None = None,
) -> Performance:
    """Perform a lesson, live.

    Args:
        lesson: the lesson.
        outputs: given a title and the names of the interfaces, opens the outputs.
        kernel: whether to ask the kernel about both ends, at each segment.
        stop: when set, all parties stop where they are and what has been seen is finished.

    Returns:
        What came of it.

    Raises:
        TrioechoError: there is no place for it here, or a step failed; the outputs are complete
            all the same.
    """
    if kernel and lesson.place == "loopback":
        what = "What the kernel says is shown of a wire, and this lesson is on a loopback"
        raise TrioechoError(what, "Leave --kernel out")
    stop = trio.Event() if stop is None else stop
    kept = _Kept()

    def opened(title: str, interfaces: Sequence[str]) -> list[Output]:
        return [*outputs(title, interfaces), Output(kept, lambda data: None)]

    if lesson.place == "loopback":
        summary, sentences = await _on_loopback(lesson, opened, stop)
    else:
        summary, sentences = await _on_wire(lesson, opened, kernel, stop)
    return Performance(tuple(kept.rungs), summary, tuple(sentences), stop.is_set())


async def _on_wire(
    lesson: Lesson, outputs: Outputs, kernel: bool, stop: trio.Event
) -> tuple[Summary, list[str]]:
    sentences: list[str] = []
    async with open_wire(lesson.faults) as wire, open_diags(wire) as diags:
        hosts = {end: wire.host(end) for end in ENDS}
        await set_up(lesson, hosts)
        chronicle = Chronicle(Truth(diags, ours=True) if kernel else None)
        wire.observers.append(chronicle)

        def record(call: Call) -> None:
            if not chronicle.finished:
                chronicle.call(call)
                wire.drain()  # what the call has sent comes right behind it

        def settled() -> None:
            if not stop.is_set():
                sentences.extend(disagreements(chronicle.tracker, diags, lesson.unseen))

        with closing(Company(lesson, hosts, record)) as company:

            async def act() -> None:
                await company.act(stop, lesson.takes + PATIENCE)

            title = f"private wire; {wire.server.address}, port {PORT}"
            opened = outputs(title, INTERFACES)
            summary = await perform(
                wire, chronicle, opened, act, grace=GRACE, stop=stop, settled=settled
            )
            company.complain()
    return summary, sentences


async def _on_loopback(
    lesson: Lesson, outputs: Outputs, stop: trio.Event
) -> tuple[Summary, list[str]]:
    sentences: list[str] = []
    async with (
        open_host() as host,
        open_diag(host) as diag,
        open_capture_on(host) as capture,
    ):
        await set_up(lesson, {"client": host, "server": host})
        diags: dict[End, Diag] = dict.fromkeys(ENDS, diag)
        ladder = Ladder(capture)
        ladder.join.serve(Endpoint(host.address, PORT))
        over = False

        def record(call: Call) -> None:
            if not over:
                ladder.record(call)

        def settled() -> None:
            nonlocal over
            over = True
            if not stop.is_set():
                tracker = ladder.join.tracker
                sentences.extend(disagreements(tracker, diags, lesson.unseen))

        with closing(Company(lesson, dict.fromkeys(ENDS, host), record)) as company:

            async def act() -> list[TrioechoError]:
                await company.act(stop, lesson.takes + PATIENCE)
                return company.failures

            title = f"private loopback; {host.address}, port {PORT}"
            ladder.outputs = outputs(title, [capture.interface])
            summary = await play(capture, ladder, act, GRACE, stop, settled)
    return summary, sentences


async def set_up(lesson: Lesson, hosts: dict[End, Host]) -> None:
    """Give the hosts the settings that the lesson asks for.

    Args:
        lesson: the lesson.
        hosts: its two ends; both may be one host.

    Raises:
        TrioechoError: a host has no such setting, or refuses the value.
    """
    for end, host in hosts.items():
        own = lesson.sysctl.client if end == "client" else lesson.sysctl.server
        for name, value in {**_SYSCTL, **own}.items():
            await host.sysctl(name, value)
