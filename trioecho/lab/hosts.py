"""Host: a private network namespace, its loopback, and the sockets in it."""

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
from trioecho.lab.refusal import WITHOUT, NamespaceUnavailable, refusal

KEEPER = Path(__file__).with_name("keeper.py")

_RAISE = "Raise `ulimit -n`"
_HINTS = {errno.EAFNOSUPPORT: "This kernel lacks support for it", errno.EMFILE: _RAISE}


class Host:
    """A machine of one's own: a network namespace with nothing in it but a loopback.

    Its sockets are made by the keeper, who lives there, and passed up; they stay in that namespace
    wherever they are used, so this process binds, connects and captures there without being there.

    Args:
        keeper: the line to the process that holds it.
        pid: that process.
        number: which of its network namespaces this is.

    Attributes:
        interface: the name of its interface, ``lo``. 127.0.0.1 and ::1 can be used at once.
        pid: the keeper's process id; its namespaces are those of ``/proc/PID/ns``.
    """

    interface = "lo"

    def __init__(self, keeper: Keeper, pid: int, number: int = 0) -> None:
        self.pid = pid
        self._keeper = keeper
        self._number = number

    async def socket(self, family: int, type: int, proto: int = 0) -> socket.socket:  # noqa: A002
        """Make a socket in this host's namespace.

        Args:
            family: ``AF_INET``, ``AF_INET6``, ``AF_PACKET`` …
            type: ``SOCK_STREAM``, ``SOCK_RAW`` …
            proto: the protocol; for ``AF_PACKET`` leave it 0 and bind later, so that no frame
                arrives before a filter or a ring is in place.

        Returns:
            The socket, non-blocking and not inherited by other programs. The caller closes it.

        Raises:
            TrioechoError: the kernel refused the socket, or the keeper is gone.
        """
        descriptor = await self._keeper.ask("socket", self._number, family, type, proto)
        made = socket.socket(family, type, proto, fileno=descriptor)
        made.setblocking(False)
        return made


class Keeper:
    """The parent's end of the line to the keeper process. See keeper.py for what is said on it.

    Args:
        control: our end of the socketpair.
    """

    def __init__(self, control: trio.socket.SocketType) -> None:
        self._control = control
        self._lock = trio.Lock()
        self._number = 0

    async def ready(self) -> None:
        """Wait until the namespaces are there.

        Raises:
            NamespaceUnavailable: the kernel refused; the message says what forbids it.
        """
        verdict, _ = await self._reply(0)
        if verdict != "ok":
            _, number, step = verdict.split(" ", 2)
            raise refusal(step, int(number))

    async def ask(self, verb: str, *arguments: int) -> int:
        """Ask for one thing.

        A request that is cancelled may still be answered; its answer is known by its number and
        thrown away by the next one.

        Args:
            verb: what is asked for.
            arguments: what it takes.

        Returns:
            The descriptor that came with the answer, which the caller closes.

        Raises:
            TrioechoError: the kernel refused it, the keeper is gone, or this process has no room
                for one more descriptor.
        """
        async with self._lock:
            self._number += 1
            words = " ".join(map(str, (self._number, verb, *map(int, arguments))))
            try:
                await self._control.send(words.encode())
            except (BrokenPipeError, ConnectionResetError):
                raise keeper_gone() from None
            verdict, descriptors = await self._reply(self._number)
        if verdict != "ok":
            _, number, step = verdict.split(" ", 2)
            raise TrioechoError(
                f"The private namespace refused {step}: {os.strerror(int(number))}",
                _HINTS.get(int(number), ""),
            )
        if not descriptors:  # the kernel cuts off what the receiver has no room for: unix(7)
            what = "No file descriptor is left for a socket of the private namespace"
            raise TrioechoError(what, _RAISE)
        return descriptors[0]

    async def _reply(self, number: int) -> tuple[str, list[int]]:
        while True:
            try:
                message, control, _, _ = await self._control.recvmsg(
                    1024, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC
                )
            except ConnectionResetError:
                raise keeper_gone() from None
            descriptors = [
                int.from_bytes(data[:4], sys.byteorder)
                for level, kind, data in control
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS
            ]
            if not message:
                raise keeper_gone()
            answered, _, verdict = message.decode().partition(" ")
            if int(answered) == number:
                return verdict, descriptors
            for descriptor in descriptors:
                os.close(descriptor)


def keeper_gone() -> TrioechoError:
    """What to say of a keeper that answers no more."""
    return TrioechoError("The process that holds the private namespace has ended", "Start again")


@asynccontextmanager
async def open_host() -> AsyncIterator[Host]:
    """Make a private network namespace, without root, for as long as the block lasts.

    A child process makes it and holds it, which takes about 30 ms; it ends with the block, or with
    this process, however that ends. Sockets made in it outlive it, and the namespace lives on in
    them until the last is closed.

    Returns:
        A context manager that gives a `Host`.

    Raises:
        NamespaceUnavailable: there are no such namespaces here; the message says what forbids
            them and what would allow them.

    See also:
        user_namespaces(7), network_namespaces(7).
    """
    if sys.platform != "linux":
        raise NamespaceUnavailable("Private network namespaces exist on Linux alone", WITHOUT)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with trio.socket.from_stdlib_socket(ours) as control:
        with theirs:
            descriptor = theirs.fileno()
            process = await trio.lowlevel.open_process(
                [sys.executable, "-I", "-S", str(KEEPER), str(descriptor), "1"],
                stdin=DEVNULL,
                stdout=DEVNULL,
                pass_fds=[descriptor],
                process_group=0,  # signals that the terminal sends to us do not take it from us
            )
        try:
            keeper = Keeper(control)
            await keeper.ready()
            yield Host(keeper, process.pid)
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
