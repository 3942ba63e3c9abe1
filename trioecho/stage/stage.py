"""The stage: where anything plays, a wire between two hosts or one loopback, and its journal."""

from __future__ import annotations

import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal, TypeAlias

import trio
from msgspec import Struct
from msgspec.structs import replace

from trioecho.capture import Capture, SnifferName, open_capture
from trioecho.errors import TrioechoError
from trioecho.faults.fault import Fault
from trioecho.hosts.host import Host, open_host
from trioecho.hosts.refusal import NamespaceUnavailable
from trioecho.hosts.sockdiag import Diag
from trioecho.model import Call, End, Endpoint, Frame, Summary
from trioecho.packet.decoder import Decoder
from trioecho.sockets.told import SocketFactory, plain_socket
from trioecho.stage.journal import MOST_WAITING, Journal, Moment
from trioecho.stage.kernels import open_diag, open_diags, open_truth
from trioecho.stage.marks import Marks
from trioecho.stage.wire import INTERFACES, Wire, open_wire

#: ``wire``: two hosts and a wire. ``host``: one host and its loopback. ``loopback``: the same, or
#: this machine's own loopback where there is no such host.
Where: TypeAlias = Literal["wire", "host", "loopback"]

_AF_PACKET, _SOCK_RAW = 17, 3
_LOOPBACKS = ("lo", "lo0")
_PRIVATE = "private loopback"


class Tap(Struct, frozen=True):
    """How to capture on a loopback.

    Args:
        interface: this machine's loopback; None for a private one.
        sniffer: which capture to use.
        port: the server's port; on this machine's loopback nothing else is captured. 0 when the
            kernel will choose it.
        size: bytes of the capture's ring, None for its usual size.
    """

    interface: str | None = None
    sniffer: SnifferName = "auto"
    port: int = 0
    size: int | None = None


_TAP = Tap()


class Stage(ABC):
    """Two ends, what is between them, and the journal of what happens there.

    Attributes:
        name: what it is, in words.
        interfaces: the names of its interfaces.
        notice: what the user should know about the choice of this stage, or ``""``.
        journal: what happens, in order.
    """

    notice = ""

    def __init__(self, name: str, interfaces: Sequence[str], journal: Journal) -> None:
        self.name = name
        self.interfaces = interfaces
        self.journal = journal
        self._servers: set[Endpoint] = set()
        self._over = False

    @property
    def title(self) -> str:
        """What it is, in words, for the head of a ladder."""
        return f"{self.name}, no root needed"

    @abstractmethod
    def host(self, end: End) -> Host:
        """The host of one end.

        Args:
            end: which.

        Returns:
            The host; there is none on this machine's own loopback.
        """

    def address(self, end: End, *, ipv6: bool = False) -> str:
        """The address of one end.

        Args:
            end: which.
            ipv6: whether the IPv6 one is wanted.

        Returns:
            The address.
        """
        host = self.host(end)
        return host.address6 if ipv6 else host.address

    def socket(self, end: End) -> SocketFactory:
        """What makes the TCP sockets of one end.

        Args:
            end: which.

        Returns:
            A function that is given an address family.
        """
        host = self.host(end)

        async def make(family: int) -> socket.socket:
            return await host.socket(family, socket.SOCK_STREAM)

        return make

    def only(self, server: Endpoint) -> None:
        """Pass over all connections but those of a server, where others can be seen.

        Args:
            server: the endpoint it listens on.
        """
        self._servers.add(server)

    def record(self, call: Call) -> None:
        """Take a call on a socket of ours, as soon as it has returned.

        Args:
            call: the call; once the play is over, it is none of the story.
        """
        if not self._over:
            self.journal.call(call)

    def close(self) -> None:
        """The play is over: let what is under way come, and take no more calls."""
        self._over = True

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Write the journal until the stage is closed.

        Args:
            task_status: started as soon as it is written.
        """
        task_status.started()

    @abstractmethod
    async def ask(self) -> None:
        """See that the journal is settled up to now, or will be."""

    @abstractmethod
    async def settle(self) -> None:
        """Return when all that was sent until now is in the journal."""

    async def over(self) -> None:
        """Return when every connection has come to its end."""
        await self.settle()
        while not self.journal.over():
            await self.journal.change()

    @abstractmethod
    def diags(self) -> AbstractAsyncContextManager[Mapping[End, Diag]]:
        """Ask the kernels of both ends for their sockets, for as long as the block lasts.

        Returns:
            A context manager that gives a line to inet_diag for each end.

        Raises:
            TrioechoError: the kernel lacks it.
        """

    @abstractmethod
    def summary(self) -> Summary:
        """What the connections came to."""


class OnWire(Stage):
    """Two hosts with a wire between them, which tells the journal by itself.

    Attributes:
        wire: the wire.
    """

    def __init__(self, wire: Wire, journal: Journal) -> None:
        super().__init__("private wire", INTERFACES, journal)
        wire.observers.append(journal)
        self.wire = wire

    def host(self, end: End) -> Host:
        """The host of one end."""
        return self.wire.host(end)

    def record(self, call: Call) -> None:
        """Take a call; what it has sent comes right behind it."""
        super().record(call)
        if not self._over:
            self.wire.drain()

    async def settle(self) -> None:
        """Take what the hosts have sent."""
        moment = self.journal.moment()
        while self.wire.drain():
            await trio.lowlevel.checkpoint()
        self.journal.settle(moment)

    ask = settle

    def diags(self) -> AbstractAsyncContextManager[Mapping[End, Diag]]:
        """Ask the kernels of both hosts."""
        return open_diags(self.wire)

    def summary(self) -> Summary:
        """What the connections came to, and which faults have done nothing."""
        return self.journal.summary(self.name, self.wire.unmatched())


class OnLoopback(Stage):
    """One loopback, and a capture on it.

    Args:
        capture: the capture.
        host: the host whose loopback it is; None for this machine.
    """

    def __init__(self, capture: Capture, host: Host | None = None) -> None:
        name = f"this machine's loopback, {capture.interface}" if host is None else _PRIVATE
        super().__init__(name, (capture.interface,), Journal(tapped=True))
        self._host = host
        self._capture = capture
        self._marks = Marks[Moment](capture)

    @property
    def title(self) -> str:
        """What it is, in words, for the head of a ladder."""
        return self.name if self._host is None else super().title

    def host(self, end: End) -> Host:
        """The one host."""
        assert self._host is not None
        return self._host

    def address(self, end: End, *, ipv6: bool = False) -> str:
        """The one address."""
        return "::1" if ipv6 else "127.0.0.1"

    def socket(self, end: End) -> SocketFactory:
        """What makes TCP sockets there."""
        return plain_socket if self._host is None else super().socket(end)

    def close(self) -> None:
        """Let the capture deliver the rest."""
        super().close()
        self._capture.stop()

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Write down what the capture sees."""
        journal, servers, decoder = self.journal, self._servers, Decoder()
        send, receive = trio.open_memory_channel[list[Frame]](16)
        number = 0
        async with trio.open_nursery() as nursery, receive:
            await nursery.start(self._capture.run, send)
            task_status.started()
            async for batch in receive:
                await journal.room()
                if not batch:
                    journal.settle(self._marks.answered())
                    continue
                journal.catch_up()
                for segment in decoder.segments(batch):
                    if servers and servers.isdisjoint((segment.source, segment.destination)):
                        continue
                    number += 1
                    if segment.frame.number != number:  # others' frames lie between
                        segment = replace(segment, frame=replace(segment.frame, number=number))
                    journal.seen(segment)
            self._marks.end()

    async def ask(self) -> None:
        """Ask for a mark behind everything that the capture has, unless one is on its way."""
        if not self._marks:
            self._marks.ask(self.journal.moment())

    async def settle(self) -> None:
        """Wait for a mark behind everything that the capture has."""
        await self._marks.ask(self.journal.moment()).wait()

    @asynccontextmanager
    async def diags(self) -> AsyncIterator[Mapping[End, Diag]]:
        """Ask the one kernel."""
        async with open_diag(self.host("client")) as diag:
            yield {"client": diag, "server": diag}

    def summary(self) -> Summary:
        """What the connections came to, and how many frames the kernel dropped."""
        return self.journal.summary(self._capture.interface, dropped=self._capture.dropped())


@asynccontextmanager
async def open_stage(
    where: Where,
    faults: Sequence[str | Fault] = (),
    *,
    kernel: Literal["ours", "others"] | None = None,
    tap: Tap = _TAP,
    most: int | None = MOST_WAITING,
) -> AsyncIterator[Stage]:
    """Set a stage, for as long as the block lasts.

    Args:
        where: what it is.
        faults: what its wire does to whom.
        kernel: whether to ask the kernels at each segment of a wire, and whether the sockets are
            ours or other programs'; None not to ask.
        tap: how to capture on a loopback.
        most: events that may wait to be taken before a wire waits too; None for any number.

    Returns:
        A context manager that gives the stage.

    Raises:
        TrioechoError: there can be no such stage here; it says what forbids it and what would allow
            it. Or a fault is not understood.
    """
    if where == "wire":
        async with open_wire(faults) as wire:
            if kernel is None:
                yield OnWire(wire, Journal(most=most))
                return
            async with open_truth(wire, ours=kernel == "ours") as truth:
                yield OnWire(wire, Journal(truth, most))
        return
    async with _open_loopback(where, tap) as stage:
        yield stage


@asynccontextmanager
async def _open_loopback(where: Where, tap: Tap) -> AsyncIterator[OnLoopback]:
    if where == "loopback" and (tap.interface is not None or sys.platform != "linux"):
        with _own_loopback(tap) as capture:
            yield OnLoopback(capture)
        return
    refused: NamespaceUnavailable | None = None
    try:
        async with open_host() as host:
            packet = await host.socket(_AF_PACKET, _SOCK_RAW)
            with open_capture(
                tap.sniffer, interface=host.interface, sock=packet, size=tap.size
            ) as capture:
                yield OnLoopback(capture, host)
            return
    except NamespaceUnavailable as error:
        if where == "host":
            raise
        refused = error
    try:
        capture = _own_loopback(replace(tap, interface="lo"))
    except TrioechoError as error:
        both = f"{refused.what}, and {_lower(error.what)}"
        raise TrioechoError(both, f"{refused.hint}; or else {_lower(error.hint)}") from None
    with capture:
        stage = OnLoopback(capture)
        stage.notice = f"{refused.what}; this machine's own loopback is used instead"
        yield stage


def _own_loopback(tap: Tap) -> Capture:
    interface, sniffer = tap.interface, tap.sniffer
    if interface is None:
        interface = "lo0" if sys.platform == "darwin" else r"\Device\NPF_Loopback"
        sniffer = "scapy"
    if not (interface in _LOOPBACKS or "loopback" in interface.lower()):
        raise TrioechoError(
            f"The echo runs over this machine's loopback, and {interface!r} is another interface",
            "Use --interface lo, or none for a private loopback",
        )
    return open_capture(sniffer, interface=interface, port=tap.port or None, size=tap.size)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
