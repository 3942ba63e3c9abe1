"""Makes the sockets that code in this process creates on a host of the wire.

Python's own can be made there anywhere (``making``), those of C libraries only in a thread of their
own (``in_a_thread``).

A thread cannot move into the namespace: a process with threads may not enter a user namespace, and
without one it may not enter the network's (setns(2)). But a socket stays where it was made, and
Python makes each in ``socket.socket.__init__``. Within a block of ``inside``, that asks the keeper
for the descriptor. The class itself is unchanged, so ``isinstance`` and ``from socket import
socket`` work.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Lock, Thread
from typing import TypeAlias, TypeVar

T = TypeVar("T")
#: Makes a socket: family, type and protocol -> descriptor.
Make: TypeAlias = Callable[[int, int, int], int]

_FAMILIES = (-1, socket.AF_INET, socket.AF_INET6)
_chosen: ContextVar[Make | None] = ContextVar("trioecho host", default=None)
_open: list[Make] = []
_lock = Lock()
_original = socket.socket.__init__


@contextmanager
def making(make: Make) -> Iterator[None]:
    """Have a function make each IP socket that Python code creates within the block.

    This applies to the thread or task in the block and to the tasks it starts. Code in no such
    block, such as a worker thread, uses the block opened last.
    """
    with _lock:
        _open.append(make)
        socket.socket.__init__ = _init  # type: ignore[method-assign]
    token = _chosen.set(make)
    try:
        yield
    finally:
        _chosen.reset(token)
        with _lock:
            _open.remove(make)
            if not _open:
                socket.socket.__init__ = _original  # type: ignore[method-assign]


def _init(
    self: socket.socket,
    family: int = -1,
    type: int = -1,  # noqa: A002
    proto: int = -1,
    fileno: int | None = None,
) -> None:
    make = _chosen.get()
    if make not in _open:  # there is none here, or a task has outlived the block it was started in
        make = next(iter(_open[-1:]), None)
    if make is not None and fileno is None and family in _FAMILIES:
        family = socket.AF_INET if family == -1 else family
        type = socket.SOCK_STREAM if type == -1 else type  # noqa: A001
        proto = max(proto, 0)
        fileno = make(family, type, proto)
    _original(self, family, type, proto, fileno)


def in_a_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread of its own, with this one's context, and wait for it.

    An interrupt ends the waiting alone: nothing can stop a thread in C code. It does not keep the
    process from ending.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(function())
        except BaseException as error:
            done.set_exception(error)

    thread = Thread(target=copy_context().run, args=(run,), name="trioecho call", daemon=True)
    thread.start()
    done.exception()
    thread.join()
    return done.result()
