"""The child process that holds the private namespaces and hands their sockets up.

Run as a script, by path, on the standard library alone: ``python -I -S keeper.py FD COUNT``. It is
never imported. It is a process of its own because ``unshare(CLONE_NEWUSER)`` wants a process with
one thread, and because a namespace lives as long as somebody is in it.

It makes a user namespace in which it may do everything, and in it COUNT network namespaces whose
loopback is up. Then it serves requests on FD, its end of a socketpair of SOCK_SEQPACKET, in ASCII,
one request and one reply a message:

    request  ID socket NAMESPACE FAMILY TYPE PROTO     a socket made in network namespace NAMESPACE
    reply    ID ok                                     with the descriptor as SCM_RIGHTS
             ID error ERRNO STEP                       STEP is the system call that failed

Before the first request it says ``0 ok`` or ``0 error ERRNO STEP`` for its own beginning. It ends
when its parent's end of the socketpair is closed, for which the parent's death is enough.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_DUMPABLE = 4
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
IFREQ = struct.Struct("16sh22x")  # netdevice(7): ifr_name, ifr_flags


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


def make_socket(namespaces: list[int], number: int, family: int, kind: int, proto: int) -> int:
    """Make a socket in one of the network namespaces.

    Args:
        namespaces: descriptors of them all.
        number: the place of the one among them.
        family, kind, proto: as for socket(2).

    Returns:
        The socket's descriptor.

    Raises:
        StepError: the kernel refused a step.
    """
    if len(namespaces) > 1:
        with step("setns(CLONE_NEWNET)"):
            setns(namespaces[number], CLONE_NEWNET)
    with step(f"socket({family}, {kind}, {proto})"):
        return socket.socket(family, kind, proto).detach()


def serve(control: socket.socket, namespaces: list[int]) -> None:
    """Answer requests until the parent's end is closed.

    Args:
        control: our end of the socketpair.
        namespaces: descriptors of the network namespaces.
    """
    while request := control.recv(256).decode():
        number, verb, *words = request.split()
        arguments = [int(word) for word in words]
        try:
            if verb != "socket":
                raise AssertionError(request)
            descriptor = make_socket(namespaces, *arguments)
        except StepError as error:
            control.send(f"{number} error {error.errno} {error.step}".encode())
            continue
        socket.send_fds(control, [f"{number} ok".encode()], [descriptor])
        os.close(descriptor)


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
        try:
            control.send(b"0 ok")
            serve(control, namespaces)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the parent went while we spoke


if __name__ == "__main__":
    main(*sys.argv[1:])
