"""System calls of the keeper, and which of them failed. Standard library only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_DUMPABLE = 4


class StepError(Exception):
    """A step that the kernel refused."""

    def __init__(self, step: str, errno: int) -> None:
        super().__init__(step, errno)
        self.step = step
        self.errno = errno


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a StepError with this name."""
    try:
        yield
    except OSError as error:
        raise StepError(name, error.errno or 0) from error


def libc(function: str, *arguments: int) -> None:
    """Call a C library function that Python lacks; it returns 0 on success."""
    import ctypes

    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def unshare(flags: int) -> None:
    """unshare(2), which Python has from 3.12 on."""
    if sys.version_info >= (3, 12):
        os.unshare(flags)
    else:
        libc("unshare", flags)


def setns(descriptor: int, flags: int) -> None:
    """setns(2), which Python has from 3.12 on."""
    if sys.version_info >= (3, 12):
        os.setns(descriptor, flags)
    else:
        libc("setns", descriptor, flags)


def write(path: str, text: str) -> None:
    """Write a file below /proc in one write()."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
