"""OnWire: a stage of two hosts and a wire between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from trioecho.faults.fault import Fault
from trioecho.hosts.host import Host
from trioecho.hosts.sockdiag import Diag
from trioecho.hosts.ways import USUAL, Ways, give_ways, words_of
from trioecho.model import Call, End, Summary
from trioecho.stage.journal import Journal
from trioecho.stage.kernels import Truth, open_diags
from trioecho.stage.order import MOST_WAITING
from trioecho.stage.stage import RecordedStage
from trioecho.stage.wire import INTERFACES, PrivateWire, open_wire


class OnWire(RecordedStage):
    """Two hosts with a wire between them, which writes the journal itself.

    Attributes:
        wire: the wire.
    """

    def __init__(self, wire: PrivateWire, journal: Journal) -> None:
        super().__init__("private wire", INTERFACES, journal)
        wire.observers.append(journal)
        self.wire = wire

    def host(self, end: End) -> Host:
        """The host of one end."""
        return self.wire.host(end)

    def record(self, call: Call) -> None:
        """Record a call; the segments it sent follow right after it."""
        super().record(call)
        if not self._closed:
            self.wire.drain()

    async def settle(self) -> None:
        """Read everything the hosts have sent."""
        moment = self.journal.moment()
        while self.wire.drain():
            await trio.lowlevel.checkpoint()
        self.journal.settle(moment)

    ask = settle

    def diags(self) -> AbstractAsyncContextManager[Mapping[End, Diag]]:
        """Ask the kernels of both hosts."""
        return open_diags(self.wire)

    def summary(self) -> Summary:
        """How the connections ended, and which faults did nothing."""
        hosts = self.wire.client, self.wire.server
        return self.journal.summary(self.name, self.wire.unmatched(), kernel=words_of(hosts))


@asynccontextmanager
async def open_on_wire(
    faults: Sequence[str | Fault] = (),
    *,
    kernel: bool = False,
    most: int | None = MOST_WAITING,
    ways: Ways = USUAL,
) -> AsyncIterator[OnWire]:
    """Open two hosts and a wire for the duration of the block."""
    async with open_wire(faults) as wire, open_diags(wire) as diags:
        await give_ways((wire.client, wire.server), ways)
        truth = Truth(diags)
        kernels = truth if kernel else None
        journal = Journal(kernels, most, holds=truth.holds, listens=truth.listens)
        try:
            yield OnWire(wire, journal)
        finally:  # the wire may still carry a packet once no kernel can be asked of it any more
            wire.observers.remove(journal)
