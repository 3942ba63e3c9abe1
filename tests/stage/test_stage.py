"""A run on a stage, from the first line of its outputs to the last."""

# covers: stage/on_wire

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest
import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.sockdiag import Diag
from trioecho.model import Endpoint, Rung, Summary
from trioecho.render import Event
from trioecho.sockets.observed import ObservedSocket
from trioecho.stage.on_loopback import OnLoopback
from trioecho.stage.on_wire import open_on_wire
from trioecho.stage.open import open_recorded
from trioecho.stage.outputs import Output
from trioecho.stage.play import play
from trioecho.stage.stage import Stage, Where

pytestmark = pytest.mark.usefixtures("wires")
WHERE: tuple[Where, ...] = ("wire", "host", "loopback")


class Kept:
    """A renderer that keeps what it is shown."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.events: list[Event] = []

    def begin(self) -> bytes:
        self.story.append("begin")
        return b""

    def show(self, events: Sequence[Event]) -> bytes:
        self.events += events
        return b""

    def end(self, summary: Summary) -> bytes:
        self.story.append(f"end {len(summary.connections)}")
        return b""


def output(kept: Kept) -> Output:
    return Output(kept, lambda data: None)


async def refused(stage: Stage) -> None:
    """A client connects to a port on which nobody listens."""
    client = await ObservedSocket.create(
        2, end="client", factory=stage.socket("client"), record=stage.record
    )
    with client, pytest.raises(ConnectionRefusedError):
        await client.connect((stage.address("server"), 9))


@pytest.mark.parametrize("where", WHERE)
async def test_calls_and_segments_on_each_stage(where: Where) -> None:
    kept = Kept()
    settled: list[bool] = []
    async with open_recorded(where) as stage:

        async def act() -> list[TrioechoError]:
            await refused(stage)
            return []

        summary = await play(
            stage,
            [output(kept)],
            act,
            grace=5,
            stop=trio.Event(),
            settled=lambda: settled.append(stage.journal.over()),
        )
    assert kept.story == ["begin", "end 1"]
    assert settled == [True]
    assert [getattr(one, "sender", None) or getattr(one, "name", None) for one in kept.events] == [
        *("socket", "connect", "client", "server", "connect", "close"),
    ]
    assert summary.connections[0].closed_by == "rst"
    assert summary.capture.dropped == 0


async def test_what_went_wrong_comes_out_when_the_outputs_are_complete() -> None:
    kept = Kept()

    async def act() -> list[TrioechoError]:
        return [TrioechoError("first"), TrioechoError("second")]

    async with open_recorded("wire") as stage:
        with pytest.raises(TrioechoError, match="first"):
            await play(stage, [output(kept)], act, grace=5, stop=trio.Event())
    assert kept.story == ["begin", "end 0"]


async def test_what_went_wrong_is_not_told_to_who_has_stopped_it() -> None:
    stop = trio.Event()

    async def act() -> list[TrioechoError]:
        stop.set()
        return [TrioechoError("cut off")]

    async with open_recorded("wire") as stage:
        summary = await play(stage, [], act, grace=5, stop=stop)
    assert summary.connections == ()


async def test_only_the_connections_of_one_server() -> None:
    kept = Kept()
    async with open_recorded("host") as stage:
        assert isinstance(stage, OnLoopback)
        async with stage.diags() as diags:
            assert isinstance(diags["client"], Diag)
            assert diags["client"] is diags["server"]
        stage.only(Endpoint(stage.address("server"), 10))

        async def act() -> list[TrioechoError]:
            await refused(stage)
            return []

        await play(stage, [output(kept)], act, grace=0, stop=trio.Event())
    assert not any(isinstance(one, Rung) for one in kept.events)


async def test_a_call_after_the_end_is_none_of_the_story() -> None:
    kept = Kept()
    async with open_recorded("wire") as stage:

        async def act() -> list[TrioechoError]:
            return []

        await play(stage, [output(kept)], act, grace=0, stop=trio.Event())
        await refused(stage)
        assert stage.journal.ready() == []


async def test_what_the_wire_carries_while_a_stage_closes_asks_no_kernel() -> None:
    """Whether the pump runs before the sockets close on which kernels are asked, or after, is
    chance, so that it is tried again."""
    for _ in range(12):
        async with open_on_wire(kernel=True) as stage:
            with await stage.wire.client.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
                client.setblocking(False)
                with pytest.raises(BlockingIOError):
                    client.connect((stage.address("server"), 9))
                await trio.lowlevel.checkpoint()
