"""The child process that holds the private namespaces and hands their sockets up.

Run as a script, by path, with the standard library and the few modules here that need no more:
``python -I -S keeper.py FD COUNT``. It is a process of its own because ``unshare(CLONE_NEWUSER)``
wants a process with one thread, and because a namespace lives as long as a process is in it.

It makes a user namespace in which it has every capability, and in it COUNT network namespaces whose
loopback is up. Then it serves requests on FD, its end of a socketpair of SOCK_SEQPACKET, in ASCII,
one request and one reply a message. NAMESPACE is the number of a network namespace, from 0:

    request  ID socket NAMESPACE FAMILY TYPE PROTO     a socket made there
             ID tun NAMESPACE MTU IPV4 IPV6            a TUN device with these addresses; it is up
             ID enter NAMESPACE                        descriptors of the user namespace and of it
             ID get NAMESPACE SETTING                  a file below /proc/sys
             ID set NAMESPACE SETTING VALUE            … written
             ID lend NAMESPACE                         who waits at the listener that comes as
                                                       SCM_RIGHTS gets sockets made there
    reply    ID ok [VALUE]                             with the descriptors as SCM_RIGHTS
             ID error ERRNO STEP                       STEP is the system call that failed

Before the first request it says ``0 ok`` or ``0 error ERRNO STEP`` for its own beginning. It ends
when its parent's end of the socketpair is closed, for which the parent's death is enough. Then it
kills whatever still runs in its network namespaces, so that no program outlives them.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))

from trioecho.hosts.devices import make_network_namespace, make_socket, make_tun
from trioecho.hosts.lending import lend_socket
from trioecho.hosts.syscalls import (
    CLONE_NEWNET,
    CLONE_NEWUSER,
    PR_SET_DUMPABLE,
    StepError,
    libc,
    setns,
    step,
    unshare,
    write,
)

NAMESPACES = ("user", "net")
LAST_SECONDS = 3.0


def map_every_id(pid: int) -> None:
    """Map all users and groups there are to themselves, in the user namespace of ``pid``."""
    for kind in ("uid", "gid"):
        with open(f"/proc/self/{kind}_map") as known:
            ranges = [line.split() for line in known]
        mapped = "".join(f"{first} {first} {count}\n" for first, _, count in ranges)
        write(f"/proc/{pid}/{kind}_map", mapped)


@contextmanager
def mapping_every_id() -> Iterator[None]:
    """Fork a child, and have it map every id once the body has unshared.

    Only a process that is left in the old namespace may do so, and only with CAP_SETUID there.
    """
    unshared, done = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(done)
        os.read(unshared, 1)
        with suppress(OSError):
            map_every_id(os.getppid())
        os._exit(0)
    os.close(unshared)
    try:
        yield
    finally:
        os.close(done)
        os.waitpid(child, 0)


def map_own_ids(uid: int, gid: int) -> None:
    """Map one user and one group to themselves, as anyone may."""
    # An interpreter that carries file capabilities (setcap) is not dumpable, and then /proc/self
    # belongs to root.
    if not os.access("/proc/self/uid_map", os.W_OK):
        with step("prctl(PR_SET_DUMPABLE)"):
            libc("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)
    with suppress(OSError):
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{uid} {uid} 1")
        write("/proc/self/gid_map", f"{gid} {gid} 1")


def enter_user_namespace() -> None:
    """Enter a new user namespace, in which we have every capability.

    Ids are mapped to themselves, so that programs started there see who they are: root's are all
    there, for servers that change to a user of their own; anyone else's only theirs. The kernel
    refuses even that to a root that lacks CAP_SETFCAP (Linux 5.12 on), and no socket needs it.
    """
    uid, gid = os.geteuid(), os.getegid()
    with mapping_every_id() if uid == 0 else nullcontext(), step("unshare(CLONE_NEWUSER)"):
        unshare(CLONE_NEWUSER)
    with open("/proc/self/uid_map") as mapped:
        if not mapped.read():
            map_own_ids(uid, gid)


def setting(name: str) -> str:
    """The path below /proc/sys/net of a setting such as ``net.ipv4.tcp_retries2``."""
    words = name.split(".")
    if words[0] != "net" or not all(words) or "/" in name:
        raise StepError(f"sysctl {name}", 2)
    return "/proc/sys/" + "/".join(words)


def enter(namespaces: list[int], number: int) -> None:
    """Enter one of the network namespaces."""
    if len(namespaces) > 1:
        with step("setns(CLONE_NEWNET)"):
            setns(namespaces[number], CLONE_NEWNET)


def answer(verb: str, words: list[str]) -> tuple[str, list[int]]:
    """Handle a request; the value and the descriptors to answer with, which the caller closes."""
    match verb, words:
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
            with step(f"sysctl {name} = {' '.join(values)}"):
                write(setting(name), " ".join(values))
            return "", []
        case "lend", []:
            return "", []
        case _:
            raise AssertionError((verb, words))


class Service:
    """Answers the parent's requests, and the calls of those that sockets are lent to."""

    def __init__(self, control: socket.socket, namespaces: list[int]) -> None:
        self._control = control
        self._namespaces = namespaces
        self._listeners: dict[int, int] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Answer until the parent's end is closed."""
        while True:
            for descriptor, event in self._poll.poll():
                if descriptor != self._control.fileno():
                    self._lend(descriptor, event)
                elif not self._answer():
                    return

    def _answer(self) -> bool:
        """Answer a request; False where the parent's end is closed."""
        request, came, _, _ = socket.recv_fds(self._control, 4096, 1, socket.MSG_CMSG_CLOEXEC)
        if not request:
            return False
        number, verb, namespace, *words = request.decode().split()
        try:
            enter(self._namespaces, int(namespace))
            value, descriptors = answer(verb, words)
        except StepError as error:
            self._control.send(f"{number} error {error.errno} {error.step}".encode())
            return True
        for listener in came:
            self._listeners[listener] = int(namespace)
            self._poll.register(listener, select.POLLIN)
        reply = f"{number} ok {value}".rstrip().encode()
        socket.send_fds(self._control, [reply], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _lend(self, listener: int, event: int) -> None:
        """Answer a call, or forget a listener whose threads have ended."""
        if event & select.POLLIN:
            enter(self._namespaces, self._listeners[listener])
            lend_socket(listener, make_socket)
        else:
            self._poll.unregister(listener)
            del self._listeners[listener]
            os.close(listener)


def clear(namespaces: list[int]) -> None:
    """Kill every process but this one in the namespaces, and those that they start.

    One that has made a network namespace of its own is known by the user namespace. What cannot be
    killed, since it hangs in the kernel, is left after a while.
    """
    found = [*map(os.fstat, namespaces), os.stat("/proc/self/ns/user")]
    ours = {(one.st_dev, one.st_ino) for one in found}
    end = time.monotonic() + LAST_SECONDS
    while time.monotonic() < end:
        left = False
        for pid in filter(str.isdecimal, os.listdir("/proc")):
            with suppress(OSError):  # gone meanwhile, or another user's
                its = (os.stat(f"/proc/{pid}/ns/{kind}") for kind in NAMESPACES)
                if int(pid) != os.getpid() and any((one.st_dev, one.st_ino) in ours for one in its):
                    os.kill(int(pid), signal.SIGKILL)
                    left = True
        if not left:
            return
        time.sleep(0.001)


def main(descriptor: str, count: str) -> None:
    """Make the namespaces, then serve."""
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
            Service(control, namespaces).serve()
        clear(namespaces)


if __name__ == "__main__":
    main(*sys.argv[1:])
