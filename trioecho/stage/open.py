"""Opens a stage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from trioecho.faults.fault import Fault
from trioecho.hosts.ways import USUAL, Ways
from trioecho.stage.on_loopback import USUAL_TAP, Tap, open_on_loopback
from trioecho.stage.on_wire import open_on_wire
from trioecho.stage.stage import RecordedStage, Stage, Where


def open_recorded(
    where: Where,
    faults: Sequence[str | Fault] = (),
    *,
    kernel: bool = False,
    tap: Tap = USUAL_TAP,
    ways: Ways = USUAL,
) -> AbstractAsyncContextManager[RecordedStage]:
    """Open a stage whose journal outputs read as it grows.

    Raises:
        TrioechoError: there can be no such stage here (the message says why, and what would allow
            it), or a fault is not valid.
    """
    if where == "wire":
        return open_on_wire(faults, kernel=kernel, ways=ways)
    return open_on_loopback(where, tap, ways)


@asynccontextmanager
async def open_stage(
    where: Where, faults: Sequence[str | Fault] = (), *, kernel: bool = False
) -> AsyncIterator[Stage]:
    """Open a stage for the duration of the block.

    Args:
        where: ``"wire"`` for two hosts and a wire; ``"host"`` for one host and its loopback;
            ``"loopback"`` for the same, or for this machine's own loopback where there can be no
            such host.
        faults: what the wire does, and to which segments, such as ``"drop syn-ack"``.
        kernel: whether to ask the kernels at each segment of a wire.

    Returns:
        A context manager that gives the `Stage`.

    Raises:
        TrioechoError: there can be no such stage here (the message says why, and what would allow
            it), or a fault is not valid.
    """
    if where == "wire":
        async with open_on_wire(faults, kernel=kernel, most=None) as wire:
            yield wire
    else:
        async with open_on_loopback(where) as loopback:
            yield loopback
