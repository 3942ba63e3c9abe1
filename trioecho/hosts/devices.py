"""Network namespaces, their devices and sockets, made by the keeper. Standard library only."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from fcntl import ioctl

from trioecho.hosts.netlink import NLM_F_ACK, attribute, error_number, message, messages
from trioecho.hosts.syscalls import CLONE_NEWNET, StepError, step, unshare, write

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
TUNSETIFF = 0x400454CA
RTM_SETLINK, RTM_NEWADDR = 19, 20
IFLA_MTU, IFLA_TXQLEN = 4, 13
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD = 1, 2, 2
IFF_UP = 0x1
IFF_TUN, IFF_NO_PI = 0x1, 0x1000
IFREQ = struct.Struct("16sh22x")  # netdevice(7): ifr_name, ifr_flags

DEVICE = "wire"
# Packets that wait in a device until the wire takes them: more than any window here can hold.
QUEUE = 10_000


def make_network_namespace() -> int:
    """Enter a new network namespace, and bring its loopback up.

    The kernel gives a loopback that comes up 127.0.0.1 and ::1 by itself, and asks nobody whether
    ::1 is taken, so both can be used at once.
    """
    with step("unshare(CLONE_NEWNET)"):
        unshare(CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        with step("ioctl(SIOCGIFFLAGS)"):
            name, flags = IFREQ.unpack(ioctl(any_socket, SIOCGIFFLAGS, IFREQ.pack(b"lo", 0)))
        with step("ioctl(SIOCSIFFLAGS)"):
            ioctl(any_socket, SIOCSIFFLAGS, IFREQ.pack(name, flags | IFF_UP))
    with step("open /proc/self/ns/net"):
        return os.open("/proc/self/ns/net", os.O_RDONLY)


def make_socket(family: int, kind: int, proto: int) -> int:
    """Make a socket in the current network namespace."""
    with step(f"socket({family}, {kind}, {proto})"):
        return socket.socket(family, kind, proto).detach()


def make_tun(mtu: int, ipv4: str, ipv6: str) -> int:
    """Make a TUN device in the current network namespace, give it addresses, bring it up.

    Without IFF_VNET_HDR the kernel hands over what would be on a real wire: checksums filled in,
    segments no longer than the MTU.

    Raises:
        StepError: the kernel refused a step.
    """
    with step("open /dev/net/tun"):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        with step("ioctl(TUNSETIFF)"):
            ioctl(device, TUNSETIFF, IFREQ.pack(DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        # No address of its own making, and so no router solicitation and no report on the wire.
        with suppress(OSError):
            write(f"/proc/sys/net/ipv6/conf/{DEVICE}/addr_gen_mode", "1")
        index = socket.if_nametoindex(DEVICE)
        with step("netlink RTM_SETLINK"):
            link = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, IFF_UP, IFF_UP)  # ifinfomsg
            netlink(RTM_SETLINK, link, (IFLA_MTU, pack(mtu)), (IFLA_TXQLEN, pack(QUEUE)))
        with step("netlink RTM_NEWADDR"):
            add_address(index, socket.AF_INET, 24, ipv4)
        with suppress(OSError):
            add_address(index, socket.AF_INET6, 64, ipv6)
    except StepError:
        os.close(device)
        raise
    return device


def pack(number: int) -> bytes:
    """A number as netlink encodes it."""
    return struct.pack("=I", number)


def add_address(index: int, family: int, prefix: int, address: str) -> None:
    """Give a device an address, without a check for duplicates, so that it can be used at once."""
    raw = socket.inet_pton(family, address)
    head = struct.pack("=BBBBI", family, prefix, IFA_F_NODAD, 0, index)  # rtnetlink(7): ifaddrmsg
    netlink(RTM_NEWADDR, head, (IFA_LOCAL, raw), (IFA_ADDRESS, raw))


def netlink(kind: int, head: bytes, *attributes: tuple[int, bytes]) -> None:
    """Send a request to rtnetlink(7), which unlike the ioctls checks rights in this namespace."""
    body = head + b"".join(attribute(number, value) for number, value in attributes)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.send(message(kind, NLM_F_ACK, 1, body))
        for _, _, answer in messages(sock.recv(1024), 1, 0):
            if number := error_number(answer):
                raise OSError(number, os.strerror(number))
