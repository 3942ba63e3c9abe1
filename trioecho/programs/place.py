"""Where programs run: on two hosts with a wire between them, or both on one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import trio
from msgspec.structs import replace

from trioecho.capture import Capture
from trioecho.hosts.host import Host, open_host
from trioecho.hosts.sockdiag import Diag
from trioecho.model import End, Frame, Summary
from trioecho.packet.decode import decode
from trioecho.programs.settings import Settings
from trioecho.stage.chronicle import Chronicle
from trioecho.stage.kernels import open_diag, open_truth
from trioecho.stage.wire import INTERFACES, Wire, open_wire
from trioecho.trace.place import open_capture_on


class Place(ABC):
    """Two hosts or one, and the chronicle of what happens there.

    Attributes:
        title: what it is, in words.
        interfaces: the names of its interfaces.
        chronicle: is told each segment.
    """

    title: str
    interfaces: tuple[str, ...]

    def __init__(self, chronicle: Chronicle) -> None:
        self.chronicle = chronicle

    @abstractmethod
    def host(self, end: End) -> Host:
        """The host of one end."""

    @abstractmethod
    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Tell the chronicle until `stop`."""

    @abstractmethod
    async def settle(self) -> None:
        """Return when all that has happened until now has been told."""

    @abstractmethod
    def stop(self) -> None:
        """Nothing more is to be told."""

    @abstractmethod
    def summary(self) -> Summary:
        """What it all came to."""


class OnWire(Place):
    """Two hosts with a wire between them, which tells the chronicle by itself."""

    title = "private wire, no root needed"
    interfaces = INTERFACES

    def __init__(self, wire: Wire, chronicle: Chronicle) -> None:
        super().__init__(chronicle)
        wire.observers.append(chronicle)
        self._wire = wire

    def host(self, end: End) -> Host:
        """The host of one end."""
        return self._wire.host(end)

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Nothing: the wire carries packets already."""
        task_status.started()

    async def settle(self) -> None:
        """Take what the hosts have sent."""
        while self._wire.drain():
            await trio.lowlevel.checkpoint()

    def stop(self) -> None:
        """Nothing: the chronicle listens no more."""

    def summary(self) -> Summary:
        """What it all came to."""
        return self.chronicle.summary("private wire", self._wire.unmatched())


class OnLoopback(Place):
    """One host, and a capture on its loopback."""

    title = "one private host, no root needed"

    def __init__(self, host: Host, capture: Capture, chronicle: Chronicle) -> None:
        super().__init__(chronicle)
        self.interfaces = (host.interface,)
        self._host = host
        self._capture = capture
        self._marks: deque[trio.Event] = deque()

    def host(self, end: End) -> Host:
        """The one host."""
        return self._host

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Tell the chronicle what the capture sees."""
        send, receive = trio.open_memory_channel[list[Frame]](16)
        async with trio.open_nursery() as nursery:
            await nursery.start(self._capture.run, send)
            task_status.started()
            number = 0
            async with receive:
                async for batch in receive:
                    await self.chronicle.room()
                    if not batch:
                        self._marks.popleft().set()
                    for frame in batch:
                        segment = decode(frame)
                        if segment is None:
                            continue
                        number += 1
                        numbered = replace(frame, number=number)
                        self.chronicle.seen(replace(segment, frame=numbered))

    async def settle(self) -> None:
        """Wait for a mark behind everything that the capture has."""
        reached = trio.Event()
        self._marks.append(reached)
        self._capture.mark()
        await reached.wait()

    def stop(self) -> None:
        """Let the capture deliver the rest."""
        self._capture.stop()

    def summary(self) -> Summary:
        """What it all came to."""
        return self.chronicle.summary(self._capture.interface, dropped=self._capture.dropped())


@asynccontextmanager
async def open_place(settings: Settings) -> AsyncIterator[tuple[Place, Diag]]:
    """Make the place, for as long as the block lasts.

    Args:
        settings: which one, and what its wire does.

    Returns:
        A context manager that gives the place, and inet_diag of the server's host.

    Raises:
        TrioechoError: there can be no such place here, or a fault is not understood.
    """
    async with AsyncExitStack() as stack:
        place: Place
        if settings.same_host:
            host = await stack.enter_async_context(open_host())
            capture = await stack.enter_async_context(open_capture_on(host))
            place = OnLoopback(host, capture, Chronicle())
        else:
            wire = await stack.enter_async_context(open_wire(settings.faults))
            kernels = None
            if settings.kernel:
                kernels = await stack.enter_async_context(open_truth(wire, ours=False))
            place = OnWire(wire, Chronicle(kernels))
        yield place, await stack.enter_async_context(open_diag(place.host("server")))
