"""OnLoopback: a stage that is one loopback, with a capture on it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import trio
from msgspec import Struct
from msgspec.structs import replace

from trioecho.capture import Capture, SnifferName, open_capture
from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host, open_host
from trioecho.hosts.refusal import NamespaceUnavailable
from trioecho.hosts.sockdiag import Diag
from trioecho.hosts.ways import USUAL, Ways, give_ways, own_words, words_of
from trioecho.model import End, Frame, Summary
from trioecho.packet.decoder import Decoder
from trioecho.sockets.told import SocketFactory, plain_socket
from trioecho.stage.journal import Journal, Moment
from trioecho.stage.kernels import open_diag
from trioecho.stage.marks import Marks
from trioecho.stage.stage import RecordedStage

_AF_PACKET, _SOCK_RAW = 17, 3
_LOOPBACKS = ("lo", "lo0")
_PRIVATE = "private loopback"


class Tap(Struct, frozen=True):
    """How to capture on a loopback.

    Args:
        interface: this machine's loopback; None for a private one.
        sniffer: which capture to use.
        port: the server's port; on this machine's loopback nothing else is captured. 0 to let the
            kernel choose.
        size: bytes of the capture's ring, None for its usual size.
    """

    interface: str | None = None
    sniffer: SnifferName = "auto"
    port: int = 0
    size: int | None = None


USUAL_TAP = Tap()


class OnLoopback(RecordedStage):
    """One loopback, and a capture on it."""

    def __init__(self, capture: Capture, host: Host | None = None) -> None:
        name = f"this machine's loopback, {capture.interface}" if host is None else _PRIVATE
        super().__init__(name, (capture.interface,), Journal(tapped=True))
        self._host = host
        self._capture = capture
        self._marks = Marks[Moment](capture)

    @property
    def title(self) -> str:
        """What it is, in words, for the title of a ladder."""
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
        """Let the capture deliver the remaining frames."""
        super().close()
        self._capture.stop()

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Record what the capture sees."""
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
        """Ask for a mark behind everything the capture has, unless one is pending."""
        if not self._marks:
            self._marks.ask(self.journal.moment())

    async def settle(self) -> None:
        """Wait for a mark behind everything the capture has."""
        await self._marks.ask(self.journal.moment()).wait()

    @asynccontextmanager
    async def diags(self) -> AsyncIterator[Mapping[End, Diag]]:
        """Ask the one kernel."""
        async with open_diag(self.host("client")) as diag:
            yield {"client": diag, "server": diag}

    def summary(self) -> Summary:
        """How the connections ended, and how many frames the kernel dropped."""
        kernel = own_words() if self._host is None else words_of((self._host,))
        dropped = self._capture.dropped()
        return self.journal.summary(self._capture.interface, kernel=kernel, dropped=dropped)


@asynccontextmanager
async def open_on_loopback(
    where: Literal["host", "loopback"], tap: Tap = USUAL_TAP, ways: Ways = USUAL
) -> AsyncIterator[OnLoopback]:
    """Open a loopback for the duration of the block: a private one, or else this machine's."""
    if ways.sysctl and tap.interface is not None:
        raise TrioechoError(
            "This machine's own loopback keeps its settings",
            "--sysctl is for private hosts; leave out --interface",
        )
    if where == "loopback" and (tap.interface is not None or sys.platform != "linux"):
        with _own_loopback(tap) as capture:
            yield OnLoopback(capture)
        return
    try:
        async with open_host() as host:
            await give_ways((host,), ways)
            packet = await host.socket(_AF_PACKET, _SOCK_RAW)
            with open_capture(
                tap.sniffer, interface=host.interface, sock=packet, size=tap.size
            ) as capture:
                yield OnLoopback(capture, host)
            return
    except NamespaceUnavailable as error:
        if where == "host" or ways.sysctl:
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
            f"The echo runs over a loopback interface, and {interface!r} is none",
            "Use --interface lo, or leave --interface out for a private loopback",
        )
    return open_capture(sniffer, interface=interface, port=tap.port or None, size=tap.size)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
