"""A network namespace, its devices and its sockets, made by the keeper. Standard library only."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from fcntl import ioctl

from trioecho.lab.syscalls import CLONE_NEWNET, StepError, step, unshare, write

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
SIOCSIFADDR = 0x8916
SIOCSIFNETMASK = 0x891C
SIOCSIFMTU = 0x8922
SIOCGIFINDEX = 0x8933
TUNSETIFF = 0x400454CA
RTM_SETLINK, NLM_F_REQUEST, NLM_F_ACK, IFLA_TXQLEN = 19, 1, 4, 13
IFF_UP = 0x1
IFF_TUN, IFF_NO_PI = 0x1, 0x1000
# netdevice(7): ifr_name and ifr_flags, or another of the union's members.
IFREQ = struct.Struct("16sh22x")
IFREQ_INT = struct.Struct("16si20x")
IFREQ_ADDRESS = struct.Struct("16sHH4s16x")
IN6_IFREQ = struct.Struct("16sIi")  # ipv6(7): in6_ifreq

DEVICE = b"wire"
# Packets that wait in a device until the wire takes them: more than any window here can hold.
QUEUE = 10_000
NETMASK = b"\xff\xff\xff\x00"
PREFIX = 64


def make_network_namespace() -> int:
    """Enter a new network namespace, and bring its loopback up.

    The kernel gives a loopback that comes up 127.0.0.1 and ::1 by itself, and asks nobody whether
    ::1 is taken, so both can be used at once.

    Returns:
        A descriptor of the namespace.

    Raises:
        StepError: the kernel refused a step.
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
    """Make a socket in the network namespace that we are in.

    Args:
        family, kind, proto: as for socket(2).

    Returns:
        The socket's descriptor.

    Raises:
        StepError: the kernel refused it.
    """
    with step(f"socket({family}, {kind}, {proto})"):
        return socket.socket(family, kind, proto).detach()


def make_tun(mtu: int, ipv4: str, ipv6: str) -> int:
    """Make a TUN device in the network namespace that we are in, give it addresses, bring it up.

    Without IFF_VNET_HDR the kernel hands over what would be on a real wire: checksums filled in,
    segments no longer than the MTU.

    Args:
        mtu: bytes in a packet at most.
        ipv4: its address; the net is /24.
        ipv6: its address; the net is /64. A kernel without IPv6 has none, which is no error.

    Returns:
        The device's descriptor; the device lives as long as it is open.

    Raises:
        StepError: the kernel refused a step.
    """
    with step("open /dev/net/tun"):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        with step("ioctl(TUNSETIFF)"):
            ioctl(device, TUNSETIFF, IFREQ.pack(DEVICE, IFF_TUN | IFF_NO_PI))
        # No address of its own making, and so no router solicitation and no report on the wire.
        with suppress(OSError):
            write(f"/proc/sys/net/ipv6/conf/{DEVICE.decode()}/addr_gen_mode", "1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            for name, request, argument in (
                ("SIOCSIFMTU", SIOCSIFMTU, IFREQ_INT.pack(DEVICE, mtu)),
                ("SIOCSIFADDR", SIOCSIFADDR, address(socket.inet_aton(ipv4))),
                ("SIOCSIFNETMASK", SIOCSIFNETMASK, address(NETMASK)),
                ("SIOCSIFFLAGS", SIOCSIFFLAGS, IFREQ.pack(DEVICE, IFF_UP)),
            ):
                with step(f"ioctl({name})"):
                    ioctl(any_socket, request, argument)
            with step("ioctl(SIOCGIFINDEX)"):
                answer = ioctl(any_socket, SIOCGIFINDEX, IFREQ_INT.pack(DEVICE, 0))
        index = IFREQ_INT.unpack(answer)[1]
        lengthen_queue(index)
        with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as any_socket:
            raw = socket.inet_pton(socket.AF_INET6, ipv6)
            ioctl(any_socket, SIOCSIFADDR, IN6_IFREQ.pack(raw, PREFIX, index))
    except StepError:
        os.close(device)
        raise
    return device


def lengthen_queue(index: int) -> None:
    """Let a device hold QUEUE packets; the ioctl for it wants a root of the whole machine.

    Args:
        index: the device's number.

    Raises:
        StepError: the kernel refused it.
    """
    attribute = struct.pack("=HHI", 8, IFLA_TXQLEN, QUEUE)
    link = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, 0, 0)  # rtnetlink(7): ifinfomsg
    length = 16 + len(link) + len(attribute)
    header = struct.pack("=IHHII", length, RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
    with (
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as line,
        step("netlink RTM_SETLINK"),
    ):
        line.send(header + link + attribute)
        errno = -struct.unpack_from("=i", line.recv(1024), 16)[0]
        if errno:
            raise OSError(errno, os.strerror(errno))


def address(ipv4: bytes) -> bytes:
    """An ``ifreq`` with an IPv4 address for our device.

    Args:
        ipv4: the address's 4 bytes.
    """
    return IFREQ_ADDRESS.pack(DEVICE, socket.AF_INET, 0, ipv4)
