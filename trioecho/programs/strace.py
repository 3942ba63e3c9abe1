"""strace's lines -> system calls. Pure.

With `OPTIONS`, a line reads::

    7114 1795419629.946973123 accept4(3<TCP:[127.0.0.1:38415]>, {...}, [16], 0) = 4<...> <0.003450>

A line that another task interrupts is split in two: one ends in ``<unfinished ...>``, and one
begins with ``<... accept4 resumed>``. All strings are in hexadecimal, so data that a program sends
cannot look like syntax.

See also:
    strace(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

#: How many bytes of a string are shown.
SHOWN = 64
#: Threads follow, and their ends are told; socket descriptors with their addresses, time in
#: nanoseconds, strings in hexadecimal, no signals; signals that end a program are the program's,
#: not strace's.
OPTIONS = (
    *("-f", "-q", "-I", "never", "--seccomp-bpf", "-yy", "-xx", "-s", str(SHOWN)),
    *("--absolute-timestamps=unix,ns", "--syscall-times=ns", "-e", "signal=none"),
    *("-e", "trace=%network,read,readv,write,writev,sendfile,splice,close"),
)

_LINE = re.compile(r"(?:(\d+) +)?(\d+)\.(\d{9}) (.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (.*?)(?: <(\d+)\.(\d{9})>)?", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_EXITED = re.compile(r"\+\+\+ (?:exited with|killed by) .*")
_UNFINISHED = "<unfinished ...>"
# A connect that was entered: all its arguments are known.
_CONNECT = re.compile(r"connect\((.*\}, \d+)\s*", re.DOTALL)
# The most tasks in the middle of a call.
_MOST = 10_000


class Traced(Struct, frozen=True):
    """A system call.

    Args:
        pid: the task that made it; 0 where strace does not say.
        time: when it was made, nanoseconds since the epoch.
        took: nanoseconds until it returned; None until it has.
        name: its name.
        arguments: its arguments, as strace writes them.
        result: its result, as strace writes it; ``""`` until there is one.
    """

    pid: int
    time: int
    took: int | None
    name: str
    arguments: tuple[str, ...]
    result: str


class Strace:
    """Reads lines, and joins those that were split."""

    def __init__(self) -> None:
        self._unfinished: dict[int, tuple[int, str]] = {}

    def line(self, text: str) -> Traced | None:
        """Take a line."""
        match = _LINE.fullmatch(text)
        if match is None:
            return None
        pid, time, rest = int(match[1] or 0), int(match[2] + match[3]), match[4]
        if rest.endswith(_UNFINISHED):
            if len(self._unfinished) >= _MOST:
                self._unfinished.clear()
            head = rest.removesuffix(_UNFINISHED).rstrip()
            self._unfinished[pid] = time, head
            return _connecting(pid, time, head)
        if resumed := _RESUMED.fullmatch(rest):
            begun = self._unfinished.pop(pid, None)
            if begun is None or not begun[1].startswith(resumed[1] + "("):
                return None
            time, head = begun
            rest = head + (" " if head.endswith(",") else "") + resumed[2].lstrip()
        call = _CALL.fullmatch(rest)
        if call is None:
            return None
        took = int(call[4] + call[5]) if call[4] else 0
        return Traced(pid, time, took, call[1], split(call[2]), call[3])

    def beginning(self, text: str) -> Traced | None:
        """The connect on an unfinished line."""
        match = _LINE.fullmatch(text)
        return match and _connecting(int(match[1] or 0), int(match[2] + match[3]), match[4])

    def exited(self, text: str) -> tuple[int, int] | None:
        """The task that has ended, and when; None for any other line."""
        match = _LINE.fullmatch(text)
        if match is None or _EXITED.fullmatch(match[4]) is None:
            return None
        return int(match[1] or 0), int(match[2] + match[3])

    def under_way(self, text: str) -> Iterator[Traced]:
        """The calls that have not returned, with the arguments known so far."""
        heads = [(pid, *begun) for pid, begun in self._unfinished.items()]
        if match := _LINE.fullmatch(text):
            heads.append((int(match[1] or 0), int(match[2] + match[3]), match[4]))
        for pid, time, head in heads:
            name, bracket, arguments = head.partition("(")
            if bracket:
                yield Traced(pid, time, None, name, split(arguments), "")

    def began(self, text: str) -> int | None:
        """When the call on a line began; None for the end of a call, or for no call."""
        match = _LINE.fullmatch(text)
        if match is None or match[4].startswith("<... "):
            return None
        return int(match[2] + match[3])


def _connecting(pid: int, time: int, head: str) -> Traced | None:
    match = _CONNECT.fullmatch(head)
    return match and Traced(pid, time, None, "connect", split(match[1]), "")


def split(text: str) -> tuple[str, ...]:
    """Arguments, split at commas outside brackets.

    >>> split("3<TCP:[7]>, [1, 2], {a=0, b=(1, 2)}")
    ('3<TCP:[7]>', '[1, 2]', '{a=0, b=(1, 2)}')
    """
    parts: list[str] = []
    depth = start = 0
    for at, letter in enumerate(text):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return (*parts, last) if last or parts else ()
