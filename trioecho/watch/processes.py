"""Who holds the ends of connections: the sockets that /proc tells of, and the processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop

from msgspec import Struct

from trioecho.model import End, Endpoint, unmapped
from trioecho.text import printable
from trioecho.watch.addresses import Addresses

_LISTEN = "0A"  # <net/tcp_states.h>, as /proc/net/tcp writes it
_ANY_IPV4, _ANY = "0.0.0.0", "::"  # a socket that listens on :: takes IPv4 too, as a rule


class Asked(Struct, frozen=True):
    """A connection of which is asked who holds its ends."""

    number: int
    client: Endpoint
    server: Endpoint


class Holder(Struct, frozen=True):
    """A process that holds one end of a connection; its name is safe to show."""

    connection: int
    end: End
    pid: int
    name: str


class Sockets(Struct):
    """The TCP sockets of this network namespace.

    Args:
        connected: the inode by the two endpoints, the socket's own first.
        listening: the inode by the endpoint.
    """

    connected: dict[tuple[Endpoint, Endpoint], int] = {}
    listening: dict[Endpoint, int] = {}

    def inode(self, own: Endpoint, peer: Endpoint, end: End, here: Addresses) -> int | None:
        """The inode of the socket at one end, if it is a socket of this machine.

        A server's socket may not be there yet, or no more, and until it is accepted it is nobody's
        and has the inode 0. Then it is the one that listens: on the server's address, or on all
        addresses if that is one of this machine's. Another machine's server has the same port as
        ours, as likely as not.

        Args:
            own, peer: the endpoints, that of the end asked for first.
            end: which end it is.
            here: the addresses of this machine.
        """
        found = self.connected.get((own, peer))
        if found or end == "client":
            return found
        found = self.listening.get(own)
        if found is None and own.ip in here:
            for ip in (_ANY,) if ":" in own.ip else (_ANY_IPV4, _ANY):
                found = found or self.listening.get(Endpoint(ip, own.port))
        return found


def find_processes(asked: Iterable[Asked], proc: Path = Path("/proc")) -> list[Holder]:
    """Look for the processes at both ends of connections.

    It reads what /proc tells at this moment: what has ended in the meantime is not found, nor is a
    process whose descriptors this user may not see. That takes milliseconds, and blocks.

    Args:
        asked: the connections.
        proc: where /proc is.

    Returns:
        A process for each end that was found.

    See also:
        proc(5): /proc/net/tcp, /proc/PID/fd.
    """
    sockets, here = read_sockets(proc), Addresses(proc)
    inodes: dict[int, list[tuple[Asked, End]]] = {}
    for one in asked:
        for end, own, peer in _ends(one):
            inode = sockets.inode(own, peer, end, here)
            if inode:
                inodes.setdefault(inode, []).append((one, end))
    found = _holders(inodes, proc)
    names = {pid: _name(pid, proc) for pid in found.values()}
    return [
        Holder(one.number, end, pid, names[pid])
        for inode, pid in found.items()
        for one, end in inodes[inode]
    ]


def read_sockets(proc: Path) -> Sockets:
    """The sockets that /proc/net/tcp and tcp6 list."""
    sockets = Sockets()
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / name).read_text("utf-8", "replace").splitlines()[1:]:
                _, own, peer, state, _, _, _, _, _, inode, *_ = line.split()
                if state == _LISTEN:
                    sockets.listening[_endpoint(own)] = int(inode)
                else:
                    sockets.connected[_endpoint(own), _endpoint(peer)] = int(inode)
    return sockets


def _ends(one: Asked) -> Iterator[tuple[End, Endpoint, Endpoint]]:
    yield "client", one.client, one.server
    yield "server", one.server, one.client


def _endpoint(text: str) -> Endpoint:
    """An endpoint as /proc writes it: words of 32 bits in the machine's order, and the port."""
    address, _, port = text.partition(":")
    words = bytes.fromhex(address)
    if sys.byteorder == "little":
        words = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    family = AF_INET if len(words) == 4 else AF_INET6
    return Endpoint(unmapped(inet_ntop(family, words)), int(port, 16))


def _holders(inodes: Mapping[int, object], proc: Path) -> dict[int, int]:
    """The process that holds each socket, where there are several the one with the highest pid.

    That is the youngest, until pids begin anew.
    """
    links = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, int] = {}
    if not links:
        return found
    pids = sorted((int(name) for name in os.listdir(proc) if name.isdecimal()), reverse=True)
    for pid in pids:
        with suppress(OSError):  # it has ended, or is another user's
            for descriptor in os.scandir(proc / str(pid) / "fd"):
                with suppress(OSError):
                    inode = links.get(os.readlink(descriptor.path))
                    if inode is not None:
                        found.setdefault(inode, pid)
        if len(found) == len(links):
            break
    return found


def _name(pid: int, proc: Path) -> str:
    """A process's name, which it may choose itself."""
    try:
        name = (proc / str(pid) / "comm").read_bytes()
    except OSError:
        return "?"
    return printable(name.removesuffix(b"\n").decode("utf-8", "backslashreplace"))
