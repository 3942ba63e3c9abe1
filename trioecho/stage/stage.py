"""The stage: where anything plays, a wire between two hosts or one loopback."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, TypeAlias

import trio

from trioecho.hosts.host import Host
from trioecho.hosts.sockdiag import Diag
from trioecho.model import Call, End, Endpoint, Summary
from trioecho.render import Event
from trioecho.sockets.told import SocketFactory
from trioecho.stage.journal import Journal
from trioecho.view import Ladder

#: ``wire``: two hosts and a wire. ``host``: one host and its loopback. ``loopback``: the same, or
#: this machine's own loopback where there is no such host.
Where: TypeAlias = Literal["wire", "host", "loopback"]


class Stage(ABC):
    """Two ends, and everything that happens between them.

    Attributes:
        name: what it is, in words.
        interfaces: the names of its interfaces.
        notice: what the user should know about the choice of this stage, or ``""``.
    """

    notice = ""

    def __init__(self, name: str, interfaces: Sequence[str]) -> None:
        self.name = name
        self.interfaces = interfaces

    @property
    def title(self) -> str:
        """What it is, in words, for the title of a ladder."""
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
            ipv6: whether to return its IPv6 address.

        Returns:
            The address.
        """
        host = self.host(end)
        return host.address6 if ipv6 else host.address

    def socket(self, end: End) -> SocketFactory:
        """The factory of one end's TCP sockets.

        Args:
            end: which.

        Returns:
            An async function that takes an address family and returns a socket.
        """
        host = self.host(end)

        async def make(family: int) -> socket.socket:
            return await host.socket(family, socket.SOCK_STREAM)

        return make

    @abstractmethod
    def only(self, server: Endpoint) -> None:
        """Ignore all connections but those of a server, where others can be seen.

        Args:
            server: the endpoint it listens on.
        """

    @abstractmethod
    def record(self, call: Call) -> None:
        """Record a call on one of our sockets, as soon as it has returned.

        Args:
            call: the call; it is ignored after `close`.
        """

    @abstractmethod
    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Record what happens until the stage is closed; a wire does so by itself.

        Args:
            task_status: started once everything is recorded.
        """

    @abstractmethod
    def close(self) -> None:
        """End the run: let segments in flight arrive, and ignore further calls."""

    @abstractmethod
    async def settle(self) -> None:
        """Return when everything sent so far has been recorded."""

    @abstractmethod
    async def over(self) -> None:
        """Return when every connection has ended."""

    @abstractmethod
    def summary(self) -> Summary:
        """How the connections ended."""

    @abstractmethod
    def ladder(self) -> Ladder:
        """What has been seen until now, where no output shows it.

        Returns:
            The connections; each is a snapshot of this moment.
        """


class RecordedStage(Stage):
    """A stage with its journal, as the other modules use it; only `Stage` is public.

    Attributes:
        journal: what happens, in order.
    """

    def __init__(self, name: str, interfaces: Sequence[str], journal: Journal) -> None:
        super().__init__(name, interfaces)
        self.journal = journal
        self._servers: set[Endpoint] = set()
        self._closed = False
        self._shown: list[Event] = []

    def only(self, server: Endpoint) -> None:
        """Ignore all connections but those of a server, where others can be seen."""
        self._servers.add(server)

    def record(self, call: Call) -> None:
        """Record a call on one of our sockets, unless the stage is closed."""
        if not self._closed:
            self.journal.call(call)

    def close(self) -> None:
        """End the run, and ignore further calls."""
        self._closed = True

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Nothing: it records by itself."""
        task_status.started()

    async def landed(self) -> None:
        """Return when each segment that is under way has arrived or is lost."""
        await self.settle()
        await self.journal.landed()

    async def over(self) -> None:
        """Return when every connection has ended."""
        await self.settle()
        while not self.journal.over():
            await self.journal.change()

    def ladder(self) -> Ladder:
        """What has been seen until now, where no output shows it."""
        self._shown += self.journal.ready()
        events = [*self._shown, *self.journal.pending()]
        return Ladder(self.journal.tracker.connections, events, self.summary())

    @abstractmethod
    async def ask(self) -> None:
        """Settle the journal up to now, at once or soon."""

    @abstractmethod
    def diags(self) -> AbstractAsyncContextManager[Mapping[End, Diag]]:
        """A connection to inet_diag on each end's host, for as long as the block lasts.

        Raises:
            TrioechoError: the kernel lacks it.
        """
