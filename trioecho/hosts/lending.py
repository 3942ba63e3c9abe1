"""Sockets for threads of another process, which call socket(2) for them. Standard library only.

No thread can move into the namespace (`trioecho.testing.inside` says why), and nothing in Python
replaces what a C library does. But a thread may have each of its calls of socket(2) put to another
process (seccomp_unotify(2)). Here that is the keeper, which lives in the namespace: it makes the
socket, and the thread's call returns it. The thread needs no root, and waits in the kernel, so it
may hold the interpreter's lock meanwhile. Its filter lasts as long as the thread and its children.
"""

from __future__ import annotations

import os
import platform
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from errno import ENOSYS
from fcntl import ioctl

from trioecho.hosts.syscalls import StepError, step

PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER = 1, 8
SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF = 0x7FFF0000, 0x7FC00000
SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND = 0xC0502100, 0xC0182101
SECCOMP_IOCTL_NOTIF_ADDFD, SECCOMP_ADDFD_FLAG_SEND = 0x40182103, 2
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06  # BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ, BPF_RET
NUMBER, ARCHITECTURE, FIRST = 0, 4, 16  # offsets in struct seccomp_data; little-endian

INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter
NOTICE = struct.Struct("=QIIiIQi4xi4xi4x24x")  # struct seccomp_notif: three arguments as int
REPLY = struct.Struct("=QqiI")  # struct seccomp_notif_resp
ADD = struct.Struct("=QIIII")  # struct seccomp_notif_addfd

# AUDIT_ARCH of <linux/audit.h>, and the numbers of socket(2) and seccomp(2).
MACHINES = {
    "x86_64": (0xC000003E, 41, 317),
    "aarch64": (0xC00000B7, 198, 277),
    "riscv64": (0xC00000F3, 198, 277),
}


def ask_for_sockets() -> int:
    """Have each IP socket that this thread and its children make put to whoever has the listener.

    Returns:
        The listener; once nobody has it, the calls fail with ENOSYS.

    Raises:
        StepError: the kernel refused a step.
    """
    import ctypes

    def checked(result: int) -> int:
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    if platform.machine() not in MACHINES:
        raise StepError(f"seccomp on {platform.machine()}", ENOSYS)
    architecture, number, seccomp = MACHINES[platform.machine()]
    program = (
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUALS, 0, 5, architecture),
        (LOAD, 0, 0, NUMBER),
        (EQUALS, 0, 3, number),
        (LOAD, 0, 0, FIRST),
        (EQUALS, 2, 0, socket.AF_INET),
        (EQUALS, 1, 0, socket.AF_INET6),
        (RETURN, 0, 0, SECCOMP_RET_ALLOW),
        (RETURN, 0, 0, SECCOMP_RET_USER_NOTIF),
    )
    code = ctypes.create_string_buffer(b"".join(INSTRUCTION.pack(*one) for one in program))
    whole = struct.pack("@HP", len(program), ctypes.addressof(code))  # struct sock_fprog
    libc = ctypes.CDLL(None, use_errno=True)
    with step("prctl(PR_SET_NO_NEW_PRIVS)"):
        checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    with step("seccomp(SECCOMP_SET_MODE_FILTER)"):
        flags = SECCOMP_FILTER_FLAG_NEW_LISTENER
        return checked(libc.syscall(seccomp, SECCOMP_SET_MODE_FILTER, flags, whole))


def lend_socket(listener: int, make: Callable[[int, int, int], int]) -> None:
    """Answer one call of socket(2) with a descriptor that ``make`` makes, or its error.

    The call may have been interrupted meanwhile; then nobody waits for the answer.
    """
    with suppress(OSError):
        notice = bytearray(NOTICE.size)
        ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notice)
        number, _, _, _, _, _, family, kind, proto = NOTICE.unpack(notice)
        try:
            made = make(family, kind, proto)
        except StepError as error:
            reply = REPLY.pack(number, 0, -error.errno, 0)
            ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, bytearray(reply))
            return
        try:
            flags = os.O_CLOEXEC if kind & socket.SOCK_CLOEXEC else 0
            added = ADD.pack(number, SECCOMP_ADDFD_FLAG_SEND, made, 0, flags)
            ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, bytearray(added))
        finally:
            os.close(made)
