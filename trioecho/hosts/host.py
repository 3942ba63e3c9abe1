"""Host: a private machine: a network namespace, the sockets in it, and its programs."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.line import Keeper, KernelRefusedError, open_keeper

# What stands below /proc/sys/net; a request to the keeper is one message of at most 4,096 bytes.
_setting = re.compile(r"[A-Za-z0-9_.-]{1,200}").fullmatch
_value = re.compile(r"[ -~]{1,1000}").fullmatch

CONGESTION_CONTROL = "net.ipv4.tcp_congestion_control"
_REFUSED = {
    errno.ENOENT: "A network namespace of this kernel has no such setting",
    errno.EACCES: "In a network namespace of this kernel it can only be read",
    errno.EROFS: "A container mounts /proc/sys read-only, but not with --security-opt"
    " systempaths=unconfined (Docker) or --security-opt unmask=ALL (Podman)",
}


class Host:
    """A private machine: a network namespace with a loopback, and perhaps an end of a wire.

    Its sockets are made by the keeper, which lives there, and passed up. They stay in that
    namespace wherever they are used, so this process binds, connects and captures
    there from outside.

    Args:
        keeper: the connection to the process that holds it.
        number: which of its network namespaces this is.
        interface: the name of its interface.
        address, address6: its addresses there.

    Attributes:
        pid: the keeper's process id; its namespaces are those of ``/proc/PID/ns``.
        changed: the settings that were changed here, and to what.
        usual: those of them that every host of its stage has.
        quiet: whether it was made quiet.
        fixed: whether its settings cannot be changed, since /proc/sys is read-only.
    """

    def __init__(
        self,
        keeper: Keeper,
        number: int = 0,
        interface: str = "lo",
        address: str = "127.0.0.1",
        address6: str = "::1",
    ) -> None:
        self.pid: int = keeper.pid
        self.interface = interface
        self.address = address
        self.address6 = address6
        self.changed: dict[str, str] = {}
        self.usual: dict[str, str] = {}
        self.quiet = self.fixed = False
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
        descriptor = await self._keeper.descriptor("socket", self._number, family, type, proto)
        made = socket.socket(family, type, proto, fileno=descriptor)
        made.setblocking(False)
        return made

    async def lend_sockets(self, listener: int) -> None:
        """Make the sockets here that a thread asks for, as long as it lives.

        Args:
            listener: of `trioecho.hosts.lending.ask_for_sockets`; the caller closes it.

        Raises:
            TrioechoError: the keeper is gone.
        """
        await self._keeper.ask("lend", self._number, lend=listener)

    async def sysctl(self, name: str, value: str | int | None = None) -> str:
        """Read or change a setting of this host's network; the machine's own is not touched.

        Args:
            name: such as ``net.ipv4.tcp_retries2``; see tcp(7) and the kernel's ip-sysctl.
            value: what to set it to, several numbers separated by spaces; None only reads.

        Returns:
            Its value, now.

        Raises:
            TrioechoError: there is no such setting in a namespace, or the value is not valid.
        """
        if not _setting(name):
            raise TrioechoError(f"{name!r} is not a setting such as net.ipv4.tcp_retries2")
        if value is not None:
            if not _value(str(value)):
                raise TrioechoError(f"{str(value)[:40]!r} is not a valid value for {name}")
            await self._set(name, str(value))
        try:
            now = (await self._keeper.ask("get", self._number, name))[0]
        except KernelRefusedError as error:
            if value is None or error.number not in (errno.EACCES, errno.EPERM):
                raise
            now = str(value)  # it can only be written
        if value is not None:
            self.changed[name] = now
        return now

    async def _set(self, name: str, value: str) -> None:
        try:
            await self._keeper.ask("set", self._number, name, value)
        except KernelRefusedError as error:
            hint = _REFUSED.get(error.number, "")
            if name == CONGESTION_CONTROL and error.number != errno.EROFS:
                allowed = await self.sysctl("net.ipv4.tcp_allowed_congestion_control")
                hint = f"On this machine it may be {' or '.join(allowed.split())}"
            raise KernelRefusedError(error.step, error.number, hint) from None

    async def run(self, command: Sequence[str], **options: Any) -> trio.Process:
        """Start a program on this host.

        It is an ordinary child of this process that differs only in its network. It and all that it
        starts are killed at the end of the host's block.

        Args:
            command: the program and its arguments.
            options: as for ``trio.lowlevel.open_process``: ``stdin``, ``stdout``, ``env`` …

        Returns:
            The process, which has been started.

        Raises:
            TrioechoError: there is no such program, or no nsenter (util-linux).
        """
        prefix, descriptors = await self.entrance(command, _path(options))
        try:
            return await trio.lowlevel.open_process(
                [*prefix, *command],
                pass_fds=[*options.pop("pass_fds", ()), *descriptors],
                **options,
            )
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    async def entrance(
        self, command: Sequence[str], path: str | None = None
    ) -> tuple[list[str], list[int]]:
        """The prefix that starts a program on this host, for callers that start it themselves.

        Args:
            command: the program and its arguments.
            path: where to look for it; None for ``PATH``.

        Returns:
            What to put before the command, and the descriptors that it must inherit; the caller
            closes them, once it has been started.

        Raises:
            TrioechoError: there is no such program, or no nsenter (util-linux).
        """
        nsenter = shutil.which("nsenter")
        if nsenter is None:
            raise TrioechoError("Programs are started there by nsenter", "Install util-linux")
        if not command or shutil.which(command[0], path=path) is None:
            raise _no_program(command[0] if command else "")
        descriptors = await self._keeper.descriptors(2, "enter", self._number)
        user, net = descriptors
        prefix = [
            *(nsenter, "--preserve-credentials"),
            *(f"--user=/proc/self/fd/{user}", f"--net=/proc/self/fd/{net}"),
            "--",
        ]
        return prefix, descriptors


def _no_program(name: str) -> TrioechoError:
    if os.path.isdir(name):
        return TrioechoError(f"{name!r} is a directory, not a program")
    if "/" in name and os.path.exists(name):
        return TrioechoError(f"{name!r} is not executable", f"Make it so with: chmod +x {name}")
    return TrioechoError(f"There is no program {name!r} to start")


def _path(options: dict[str, Any]) -> str | None:
    environment = options.get("env")
    return None if environment is None else environment.get("PATH")


@asynccontextmanager
async def open_host() -> AsyncIterator[Host]:
    """Make a private network namespace, without root, for as long as the block lasts.

    A child process makes it and holds it, which takes about 30 ms; it ends with the block, or with
    this process, however that ends. Sockets made in it outlive it, and the namespace lives on in
    them until the last is closed.

    Returns:
        A context manager that gives a `Host`; 127.0.0.1 and ::1 can be used at once.

    Raises:
        NamespaceUnavailable: there are no such namespaces here; the message says what forbids
            them and what would allow them.
    """
    async with open_keeper(1) as keeper:
        yield Host(keeper)
