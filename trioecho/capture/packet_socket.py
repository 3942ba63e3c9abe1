"""Linux's packet socket, the base of every capture there."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from trioecho.capture.filters import ETHERNET, HEADER_LENGTH, RAW_IP, port_filter
from trioecho.errors import TrioechoError

# By number, since the socket module names few of them, and none on other systems.
AF_PACKET = 17
ETH_P_ALL = 0x0003
SIOCGIFHWADDR = 0x8927
SO_ATTACH_FILTER = 26
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_IGNORE_OUTGOING = 23

# An interface's hardware type (ARPHRD_*, <linux/if_arp.h>) and what its frames begin with. The
# loopback puts an Ethernet header of zeros before its frames; tun, ipip and sit devices put none.
LOOPBACK = 772
LINK_OF_HARDWARE = {1: ETHERNET, LOOPBACK: ETHERNET, 65534: RAW_IP, 768: RAW_IP, 776: RAW_IP}

#: Makes a filter for frames of a link type (LINKTYPE_*): a classic BPF program.
Program: TypeAlias = Callable[[int], bytes]


@contextmanager
def refusing(what: str, hint: str = "") -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a TrioechoError that names what was refused."""
    try:
        yield
    except OSError as error:
        raise TrioechoError(f"The kernel refuses {what}: {error.strerror}", hint) from None


def open_packet_socket() -> socket.socket:
    """Open a packet socket in this process's namespace, which takes CAP_NET_RAW.

    Its protocol is 0, so it receives no frame before it is bound.

    Raises:
        TrioechoError: this system has no packet sockets, or this process may not have one.
    """
    if sys.platform != "linux":
        raise TrioechoError("Packet sockets exist only on Linux", "Use --sniffer scapy")
    try:
        return socket.socket(AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError:
        raise TrioechoError(
            "Capturing on an interface of this machine takes CAP_NET_RAW", capability_hint()
        ) from None
    except OSError as error:
        raise TrioechoError(f"This system has no packet sockets: {error.strerror}") from None


def capability_hint() -> str:
    """How to give this interpreter the capability to capture.

    A file capability belongs to the file that is executed. In a virtual environment that is not
    its ``python``, which is a symbolic link, but the interpreter the link ends at, and every
    program that it runs gets the capability.
    """
    binary = os.path.realpath(sys.executable)
    grant = f"sudo setcap cap_net_raw+ep {binary} gives it to every program of this Python"
    if binary != sys.executable:
        grant += f" (to which {sys.executable} is a link)"
    return f"{grant}; or run it with sudo"


def hardware_of(sock: socket.socket, interface: str) -> int:
    """The hardware type (ARPHRD_*) of an interface in a socket's network namespace."""
    from fcntl import ioctl

    name = os.fsencode(interface)
    if not 0 < len(name) < 16 or 0 in name:
        raise no_such_interface(interface)
    try:
        answer = ioctl(sock, SIOCGIFHWADDR, struct.pack("16s24x", name))
    except OSError as error:
        if error.errno == errno.ENODEV:
            raise no_such_interface(interface) from None
        raise TrioechoError(f"Cannot look at {interface}: {error.strerror}") from None
    return int.from_bytes(answer[16:18], sys.byteorder)


def no_such_interface(interface: str) -> TrioechoError:
    """The error for an unknown name; it lists the interfaces of this process's namespace."""
    names = ", ".join(name for _, name in socket.if_nameindex())
    return TrioechoError(f"There is no interface {interface!r}", f"There are {names}")


def attach_filter(sock: socket.socket, program: bytes) -> None:
    """Attach a classic BPF program (``struct sock_fprog``: u16 instructions, pointer)."""
    code = array("B", program)
    address, size = code.buffer_info()
    with refusing("the filter", "sudo sysctl net.core.optmem_max=131072 gives it more room"):
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", size // 8, address))


def prepare(
    sock: socket.socket, interface: str, port: int | None, program: Program | None = None
) -> int:
    """Set up a packet socket before it is bound: its direction and its filter.

    A loopback frame leaves and arrives on the one interface, and only its arrival is wanted. On any
    other interface what leaves is what this machine sends, and is wanted too.

    Raises:
        TrioechoError: there is no such interface, or its frames are of a kind not known here.
    """
    hardware = hardware_of(sock, interface)
    link = LINK_OF_HARDWARE.get(hardware)
    if link is None:
        raise TrioechoError(
            f"The frames of {interface} are of hardware type {hardware}, which cannot be read here",
            "Ethernet, loopback and tun interfaces can",
        )
    if hardware == LOOPBACK:
        with refusing("PACKET_IGNORE_OUTGOING", "To capture on a loopback takes Linux 4.20"):
            sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    if port is not None:
        attach_filter(sock, port_filter(port, HEADER_LENGTH[link]))
    elif program is not None:
        attach_filter(sock, program(link))
    return link


def bind(sock: socket.socket, interface: str) -> None:
    """Bind to an interface: frames of all protocols are captured from now on."""
    with refusing(f"to capture on {interface}"):
        try:
            sock.bind((interface, ETH_P_ALL))
        except UnicodeEncodeError:
            raise TrioechoError(
                f"The name of the interface {interface!r} is no UTF-8, and Python takes no other",
                "ip link set dev OLD name NEW gives it one",
            ) from None
    check(sock, interface)


def check(sock: socket.socket, interface: str) -> None:
    """Raise the pending error of a bound packet socket, if there is one."""
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise complaint(number, interface)


def complaint(number: int, interface: str) -> TrioechoError:
    """The error for an error number of a bound packet socket."""
    if number == errno.ENETDOWN:
        return TrioechoError(
            f"The interface {interface} is down", f"sudo ip link set {interface} up brings it up"
        )
    return TrioechoError(f"Capturing on {interface} failed: {os.strerror(number)}")


class Counts:
    """How many frames the kernel took and how many it dropped, since the socket was made."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._taken = 0
        self._dropped = 0

    def _read(self) -> None:
        # PACKET_STATISTICS (packet(7)): u32 packets, drops among them included, u32 drops; a ring
        # of version 3 adds a third. Reading sets them to zero.
        packets, drops = struct.unpack_from(
            "II", self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12)
        )
        self._taken += packets - drops
        self._dropped += drops

    def taken(self) -> int:
        """Frames that were, or still are, readable."""
        self._read()
        return self._taken

    def dropped(self) -> int:
        """Frames that were lost for lack of room."""
        self._read()
        return self._dropped
