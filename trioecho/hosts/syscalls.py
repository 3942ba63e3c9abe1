"""System calls of the keeper, and a name for the one that fails. Standard library only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_DUMPABLE = 4


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
