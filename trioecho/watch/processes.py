"""Finds the processes at the ends of connections, by inet_diag and /proc."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.hosts.sockdiag import Diag, HeldSocket
from trioecho.model import End, Endpoint
from trioecho.text import printable
from trioecho.watch.addresses import Addresses

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG, <linux/netlink.h>


class AskedConnection(Struct, frozen=True):
    """A connection whose processes are wanted."""

    number: int
    client: Endpoint
    server: Endpoint


class Holder(Struct, frozen=True):
    """A process that holds one end of a connection; its name is safe to show."""

    connection: int
    end: End
    pid: int
    name: str


def find_processes(
    asked: Iterable[AskedConnection],
    proc: Path = Path("/proc"),
    held: Iterable[HeldSocket] | None = None,
) -> list[Holder]:
    """Finds the processes at both ends of connections, as they are now.

    A process that has ended or whose descriptors this user may not see is not found. It takes
    milliseconds, and blocks.

    See also:
        sock_diag(7); proc(5): /proc/PID/fd.
    """
    sockets = _Sockets(own_sockets() if held is None else held, Addresses(proc))
    inodes: dict[int, list[tuple[AskedConnection, End]]] = {}
    for one in asked:
        if inode := sockets.connected.get((one.client, one.server)):
            inodes.setdefault(inode, []).append((one, "client"))
        if inode := sockets.serving(one):
            inodes.setdefault(inode, []).append((one, "server"))
    found = _holders(inodes, proc)
    names = {pid: _name(pid, proc) for pid in found.values()}
    return [
        Holder(one.number, end, pid, names[pid])
        for inode, pid in found.items()
        for one, end in inodes[inode]
    ]


def own_sockets() -> list[HeldSocket]:
    """The TCP sockets of this network namespace; none where the kernel does not list them."""
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
    try:
        with socket.socket(socket.AF_NETLINK, kind, _SOCK_DIAG) as line:
            return Diag(line).sockets_now()
    except (OSError, TrioechoError):
        return []


class _Sockets:
    """The inodes of sockets, by their endpoints: their own first."""

    def __init__(self, held: Iterable[HeldSocket], here: Addresses) -> None:
        self.connected: dict[tuple[Endpoint, Endpoint], int] = {}
        self._listening: dict[Endpoint, int] = {}
        self._here = here
        for one in held:
            if one.peer is None:
                self._listening[one.local] = one.inode
            else:
                self.connected[one.local, one.peer] = one.inode

    def serving(self, one: AskedConnection) -> int | None:
        """The inode of the server's socket.

        Before it exists, until it is accepted (inode 0), and once it is gone, that of the socket
        that listens: on the server's address, or on all addresses, if that one is this machine's.
        Another machine's server may have the same port.
        """
        own = one.server
        if found := self.connected.get((own, one.client)):
            return found
        if own in self._listening:
            return self._listening[own]
        if own.ip in self._here:
            for ip in ("::",) if ":" in own.ip else ("0.0.0.0", "::"):  # :: accepts IPv4 too
                if found := self._listening.get(Endpoint(ip, own.port)):
                    return found
        return None


def _holders(inodes: Collection[int], proc: Path) -> dict[int, int]:
    """The process that holds each socket: of several the youngest, by its pid."""
    links = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, int] = {}
    if not links:
        return found
    pids = sorted((int(name) for name in os.listdir(proc) if name.isdecimal()), reverse=True)
    for pid in pids:
        with suppress(OSError):  # it has ended or is another user's
            for descriptor in os.scandir(proc / str(pid) / "fd"):
                with suppress(OSError):
                    inode = links.get(os.readlink(descriptor.path))
                    if inode is not None:
                        found.setdefault(inode, pid)
        if len(found) == len(links):
            break
    return found


def _name(pid: int, proc: Path) -> str:
    """A process's name, which the process itself may choose."""
    try:
        name = (proc / str(pid) / "comm").read_bytes()
    except OSError:
        return "?"
    return printable(name.removesuffix(b"\n").decode("utf-8", "backslashreplace"))
