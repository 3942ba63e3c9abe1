"""The child process that holds the private namespaces and hands their sockets up.

Run as a script, by path, on the standard library alone: ``python -I -S keeper.py FD COUNT``. It is
never imported. It is a process of its own because ``unshare(CLONE_NEWUSER)`` wants a process with
one thread, and because a namespace lives as long as somebody is in it.

It makes a user namespace in which it may do everything, and in it COUNT network namespaces whose
loopback is up. Then it serves requests on FD, its end of a socketpair of SOCK_SEQPACKET, in ASCII,
one request and one reply a message. NAMESPACE is the number of a network namespace, from 0:

    request  ID socket NAMESPACE FAMILY TYPE PROTO     a socket made there
             ID tun NAMESPACE MTU IPV4 IPV6            a TUN device with these addresses; it is up
             ID enter NAMESPACE                        descriptors of the user namespace and of it
             ID get NAMESPACE SETTING                  a file below /proc/sys
             ID set NAMESPACE SETTING VALUE            … written
    reply    ID ok [VALUE]                             with the descriptors as SCM_RIGHTS
             ID error ERRNO STEP                       STEP is the system call that failed

Before the first request it says ``0 ok`` or ``0 error ERRNO STEP`` for its own beginning. It ends
when its parent's end of the socketpair is closed, for which the parent's death is enough. Then it
kills whatever still runs in its network namespaces, so that no program outlives them.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_DUMPABLE = 4
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


class StepError(Exception):
    """A step that the kernel refused.

    Args:
        step: the system call, as a reader would write it.
        errno: its error number.
    """

    def __init__(self, step: str, errno: int) -> None:
        super().__init__(step, errno)
        self.step = step
        self.errno = errno


@contextmanager
def step(name: str) -> Iterator[None]:
    """Give an ``OSError`` inside the name of the step that failed.

    Args:
        name: the system call, as a reader would write it.

    Raises:
        StepError: the kernel refused it.
    """
    try:
        yield
    except OSError as error:
        raise StepError(name, error.errno or 0) from error


def libc(function: str, *arguments: int) -> None:
    """Call a function of the C library that Python has no name for.

    Args:
        function: its name; it returns 0 when all went well.
        arguments: what it takes.

    Raises:
        OSError: it returned something else.
    """
    import ctypes

    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def unshare(flags: int) -> None:
    """unshare(2); Python has it from 3.12 on.

    Args:
        flags: which namespaces to make.

    Raises:
        OSError: the kernel refuses.
    """
    if sys.version_info >= (3, 12):
        os.unshare(flags)
    else:
        libc("unshare", flags)


def setns(descriptor: int, flags: int) -> None:
    """setns(2); Python has it from 3.12 on.

    Args:
        descriptor: of the namespace to enter.
        flags: its kind.

    Raises:
        OSError: the kernel refuses.
    """
    if sys.version_info >= (3, 12):
        os.setns(descriptor, flags)
    else:
        libc("setns", descriptor, flags)


def write(path: str, text: str) -> None:
    """Write a file below /proc in one piece.

    Args:
        path: the file.
        text: all of its text.

    Raises:
        OSError: the kernel refuses.
    """
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def enter_user_namespace() -> None:
    """Enter a user namespace of our own, in which we may do everything.

    Our ids are mapped to themselves, so that programs started there see who they are. The kernel
    refuses that to a root that lacks CAP_SETFCAP (Linux 5.12 on), and no socket needs it.

    Raises:
        StepError: the kernel refused a step.
    """
    uid, gid = os.geteuid(), os.getegid()
    with step("unshare(CLONE_NEWUSER)"):
        unshare(CLONE_NEWUSER)
    # An interpreter that carries file capabilities (setcap) is not dumpable, and then /proc/self
    # belongs to root.
    if not os.access("/proc/self/uid_map", os.W_OK):
        with step("prctl(PR_SET_DUMPABLE)"):
            libc("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)
    with suppress(OSError):
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{uid} {uid} 1")
        write("/proc/self/gid_map", f"{gid} {gid} 1")


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


def setting(name: str) -> str:
    """The file of a setting.

    Args:
        name: such as ``net.ipv4.tcp_retries2``.

    Returns:
        Its path below /proc/sys/net.

    Raises:
        StepError: it is no setting of the network, or its name would lead elsewhere.
    """
    words = name.split(".")
    if words[0] != "net" or not all(words) or "/" in name:
        raise StepError(f"sysctl {name}", 2)
    return "/proc/sys/" + "/".join(words)


def answer(namespaces: list[int], verb: str, words: list[str]) -> tuple[str, list[int]]:
    """Do what one request asks for.

    Args:
        namespaces: descriptors of the network namespaces.
        verb, words: the request; the number of a namespace comes first.

    Returns:
        A value and descriptors to answer with, which the caller closes.

    Raises:
        StepError: the kernel refused a step.
    """
    number, *rest = words
    if len(namespaces) > 1:
        with step("setns(CLONE_NEWNET)"):
            setns(namespaces[int(number)], CLONE_NEWNET)
    match verb, rest:
        case "socket", [family, kind, proto]:
            return "", [make_socket(int(family), int(kind), int(proto))]
        case "tun", [mtu, ipv4, ipv6]:
            return "", [make_tun(int(mtu), ipv4, ipv6)]
        case "enter", []:
            with step("open /proc/self/ns"):
                return "", [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in NAMESPACES]
        case "get", [name]:
            with step(f"sysctl {name}"), open(setting(name)) as file:
                return " ".join(file.read(4096).split()), []
        case "set", [name, *values]:
            with step(f"sysctl {name}"):
                write(setting(name), " ".join(values))
            return "", []
        case _:
            raise AssertionError((verb, words))


NAMESPACES = ("user", "net")


def serve(control: socket.socket, namespaces: list[int]) -> None:
    """Answer requests until the parent's end is closed.

    Args:
        control: our end of the socketpair.
        namespaces: descriptors of the network namespaces.
    """
    while request := control.recv(4096).decode():
        number, verb, *words = request.split()
        try:
            value, descriptors = answer(namespaces, verb, words)
        except StepError as error:
            control.send(f"{number} error {error.errno} {error.step}".encode())
            continue
        socket.send_fds(control, [f"{number} ok {value}".rstrip().encode()], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def clear(namespaces: list[int]) -> None:
    """Kill every process but this one in the network namespaces, and those that they start.

    Args:
        namespaces: descriptors of them.
    """
    ours = {(found.st_dev, found.st_ino) for found in map(os.fstat, namespaces)}
    while True:
        left = False
        for pid in filter(str.isdecimal, os.listdir("/proc")):
            with suppress(OSError):  # gone meanwhile, or another user's
                found = os.stat(f"/proc/{pid}/ns/net")
                if (found.st_dev, found.st_ino) in ours and int(pid) != os.getpid():
                    os.kill(int(pid), signal.SIGKILL)
                    left = True
        if not left:
            return
        time.sleep(0.001)


def main(descriptor: str, count: str) -> None:
    """Make the namespaces, then serve.

    Args:
        descriptor: of our end of the socketpair, as text.
        count: how many network namespaces to make, as text.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    with socket.socket(fileno=int(descriptor)) as control:
        try:
            enter_user_namespace()
            namespaces = [make_network_namespace() for _ in range(int(count))]
        except StepError as error:
            control.send(f"0 error {error.errno} {error.step}".encode())
            return
        with suppress(BrokenPipeError, ConnectionResetError):  # the parent went while we spoke
            control.send(b"0 ok")
            serve(control, namespaces)
        clear(namespaces)


if __name__ == "__main__":
    main(*sys.argv[1:])
