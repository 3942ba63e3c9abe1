"""The interfaces to watch, and the capture on each."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import NamedTuple

from msgspec import Struct

from trioecho.capture import Capture
from trioecho.capture.filters import (
    HEADER_LENGTH,
    compile_expression,
    segment_filter,
)
from trioecho.capture.packet_socket import open_packet_socket
from trioecho.capture.ring import MIB, Ring
from trioecho.errors import TrioechoError
from trioecho.model import Segment
from trioecho.packet.tunnels import PORTS

SIOCGIFFLAGS = 0x8913
IFF_UP = 0x1

# The kernel's memory for all rings, and ours for waiting frames: two and ten seconds of 100,000
# small frames a second.
RINGS = 64 * MIB
BACKLOG = 64 * MIB


class Wanted(Struct, frozen=True):
    """What to watch.

    Args:
        interfaces: their names; empty for all that are up.
        port: only segments from or to this port, also in a tunnel.
        host: only segments from or to this address, IPv4 or IPv6, as `ip_address` writes it.
        expression: only frames that this libpcap expression accepts, pcap-filter(7).
    """

    interfaces: tuple[str, ...] = ()
    port: int | None = None
    host: str | None = None
    expression: str | None = None

    def __str__(self) -> str:
        parts = (
            "" if self.host is None else f"host {self.host}",
            "" if self.port is None else f"port {self.port}",
            self.expression or "",
        )
        return " and ".join(part for part in parts if part)

    def program(self, link: int) -> bytes:
        """The filter that the kernel runs, for a link type.

        It lets whatever may be a tunnel through, so `selects` is to be asked of each segment. Only
        an expression needs libpcap, and it holds for the frame as it is on the interface.

        Raises:
            TrioechoError: libpcap rejects the expression, or is not installed.
        """
        if self.expression:
            return compile_expression(self.expression, link)
        host = None if self.host is None else ip_address(self.host).packed
        return segment_filter(HEADER_LENGTH[link], sorted(PORTS), port=self.port, host=host)

    @property
    def everything(self) -> bool:
        """Whether every segment is wanted that the kernel lets through."""
        return self.port is None and self.host is None

    def selects(self, segment: Segment) -> bool:
        """Whether a segment's ends are those wanted, of a tunnel the inner ones."""
        source, destination = segment.source, segment.destination
        return (self.port is None or self.port in (source.port, destination.port)) and (
            self.host is None or self.host in (source.ip, destination.ip)
        )


class Taps(NamedTuple):
    """The captures.

    Args:
        captures: one for each interface, in the order of their numbers.
        notices: interfaces that are not watched, and why.
        wanted: what of them is watched.
    """

    captures: tuple[Capture, ...]
    notices: tuple[str, ...]
    wanted: Wanted

    @property
    def names(self) -> list[str]:
        """The interfaces' names, indexed by their numbers."""
        return [capture.interface for capture in self.captures]


@contextmanager
def open_taps(wanted: Wanted) -> Iterator[Taps]:
    """Begins to capture on each interface; frames are kept until they are read.

    Raises:
        TrioechoError: this process may not capture, there is no such interface, it is down or of a
            kind not known here, none is up, or the filter expression is not valid. Of interfaces
            that were not named, that is raised when none can be watched.
    """
    if sys.platform != "linux":
        raise TrioechoError("trioecho watch needs Linux's packet sockets, and this is not Linux")
    with ExitStack() as stack:
        with open_packet_socket() as probe:
            names = list(dict.fromkeys(wanted.interfaces)) or list(_up(probe))
        if not names:
            raise TrioechoError(
                "No interface is up, so there is nothing to watch", "sudo ip link set lo up"
            )
        size = max(2 * MIB, min(32 * MIB, RINGS // len(names)))
        captures: list[Capture] = []
        notices = []
        for name in names:
            sock, index = open_packet_socket(), len(captures)
            try:
                ring = Ring(sock, name, program=wanted.program, index=index, size=size)
            except TrioechoError as error:
                # Unless it was named, it may be of any kind, or have gone since it was listed.
                if wanted.interfaces or (name == names[-1] and not captures):
                    raise
                notices.append(f"{name} is not watched. {error.what}")
                continue
            ring.backlog = max(4 * MIB, BACKLOG // len(names))
            captures.append(stack.enter_context(ring))
        yield Taps(tuple(captures), tuple(notices), wanted)


def _up(probe: socket.socket) -> Iterator[str]:
    """The names of the interfaces that are up."""
    from fcntl import ioctl

    for _, name in socket.if_nameindex():
        try:
            answer = ioctl(probe, SIOCGIFFLAGS, struct.pack("16s24x", os.fsencode(name)))
        except OSError:  # it has just gone
            continue
        if int.from_bytes(answer[16:18], sys.byteorder) & IFF_UP:
            yield name
