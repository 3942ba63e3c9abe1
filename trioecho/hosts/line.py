"""The connection to the keeper process: requests go down, replies and descriptors come up."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.refusal import NamespaceUnavailable, refusal

KEEPER = Path(__file__).with_name("keeper.py")

_RAISE = "Raise `ulimit -n`"
_HINTS = {errno.EAFNOSUPPORT: "This kernel lacks support for it", errno.EMFILE: _RAISE}
_MOST_DESCRIPTORS = 2
# Seconds for the keeper to kill what still runs in its namespaces, once told to end.
_PATIENCE = 5.0


class KernelRefusedError(TrioechoError):
    """The kernel refused a step of the keeper's."""

    def __init__(self, step: str, number: int, hint: str = "") -> None:
        what = f"The private namespace refused {step}: {os.strerror(number)}"
        super().__init__(what, hint or _HINTS.get(number, ""))
        self.step, self.number = step, number


class Keeper:
    """The parent's end of the connection to the keeper process. keeper.py has the protocol."""

    def __init__(self, control: trio.socket.SocketType, pid: int) -> None:
        self.pid: int = pid
        self._control = control
        self._lock = trio.Lock()
        self._number = 0

    async def ready(self) -> None:
        """Wait until the namespaces exist, or raise NamespaceUnavailable."""
        verdict, _ = await self._reply(0)
        if verdict != "ok":
            _, number, step = verdict.split(" ", 2)
            raise refusal(step, int(number))

    async def ask(
        self, verb: str, *arguments: int | str, lend: int | None = None
    ) -> tuple[str, list[int]]:
        """Send a request, perhaps with a descriptor, and wait for its answer.

        A cancelled request may still be answered; the next one recognises that answer by its number
        and discards it.

        Raises:
            KernelRefusedError: the kernel refused it.
            TrioechoError: the keeper is gone.
        """
        async with self._lock:
            self._number += 1
            words = [int(one) if isinstance(one, int) else one for one in arguments]
            request = " ".join(map(str, (self._number, verb, *words))).encode()
            rights = [] if lend is None else [_rights(lend)]
            try:
                await self._control.sendmsg([request], rights)
            except (BrokenPipeError, ConnectionResetError):
                raise keeper_gone() from None
            verdict, descriptors = await self._reply(self._number)
        if not verdict.startswith("ok"):
            _, number, step = verdict.split(" ", 2)
            raise KernelRefusedError(step, int(number))
        return verdict.removeprefix("ok").strip(), descriptors

    async def descriptors(self, count: int, verb: str, *arguments: int | str) -> list[int]:
        """As ``ask``, for ``count`` descriptors; this process may have no room for them."""
        _, descriptors = await self.ask(verb, *arguments)
        if len(descriptors) < count:  # the kernel cuts off what there is no room for: unix(7)
            for descriptor in descriptors:
                os.close(descriptor)
            what = "No file descriptor is left for a socket of the private namespace"
            raise TrioechoError(what, _RAISE)
        return descriptors

    async def descriptor(self, verb: str, *arguments: int | str) -> int:
        """Ask for one descriptor; as for ``descriptors``."""
        return (await self.descriptors(1, verb, *arguments))[0]

    async def _reply(self, number: int) -> tuple[str, list[int]]:
        while True:
            try:
                message, control, _, _ = await self._control.recvmsg(
                    8192, socket.CMSG_SPACE(4 * _MOST_DESCRIPTORS), socket.MSG_CMSG_CLOEXEC
                )
            except ConnectionResetError:
                raise keeper_gone() from None
            descriptors = [
                int.from_bytes(data[at : at + 4], sys.byteorder)
                for level, kind, data in control
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS
                for at in range(0, len(data) - 3, 4)
            ]
            if not message:
                raise keeper_gone()
            answered, _, verdict = message.decode().partition(" ")
            if int(answered) == number:
                return verdict, descriptors
            for descriptor in descriptors:
                os.close(descriptor)


def _rights(descriptor: int) -> tuple[int, int, bytes]:
    return socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor.to_bytes(4, sys.byteorder)


def keeper_gone() -> TrioechoError:
    """The error for a keeper that has ended."""
    return TrioechoError("The process that holds the private namespace has ended", "Start again")


@asynccontextmanager
async def open_keeper(namespaces: int) -> AsyncIterator[Keeper]:
    """Start a keeper, for as long as the block lasts.

    It ends with the block, or with this process, however that ends, and the programs that run in
    its namespaces end with it; one that has made namespaces of its own, for users and for the
    network, is not found.

    Raises:
        NamespaceUnavailable: there are no such namespaces here; the message says what forbids
            them and what would allow them.

    See also:
        user_namespaces(7), network_namespaces(7).
    """
    if sys.platform != "linux":
        raise NamespaceUnavailable("Private network namespaces exist only on Linux")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with trio.socket.from_stdlib_socket(ours) as control:
        with theirs:
            descriptor = theirs.fileno()
            process = await trio.lowlevel.open_process(
                [sys.executable, "-I", "-S", str(KEEPER), str(descriptor), str(namespaces)],
                stdin=DEVNULL,
                stdout=DEVNULL,
                pass_fds=[descriptor],
                process_group=0,  # so that the terminal's signals do not kill it
            )
        try:
            keeper = Keeper(control, process.pid)
            await keeper.ready()
            yield keeper
        finally:
            control.close()
            with trio.CancelScope(shield=True):
                with trio.move_on_after(_PATIENCE):
                    await process.wait()
                process.kill()
                await process.wait()
