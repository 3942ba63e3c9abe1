"""The steps of a lesson, in words. PURE: text -> types; player.py does them.

    step      = [ NAME":" ] action [ "fails" ERRNO ]
    action    = "listen" [ "on" PORT ] [ "backlog" N ]   one listening socket for each party
              | "stop" "listening"
              | "accept"
              | "bind" PORT
              | "connect" [ PORT ]                       to the other host
              | "send" N [ N "times" ]                   one call each time
              | "receive" N [ N "at a time" ]            until so many bytes have come
              | "receive" "to the end" [ N "at a time" ]
              | "wait" DURATION
              | "wait" "until acknowledged"              nothing that was sent is in flight
              | "meet" WORD                              the other parties with this step
              | "shutdown"                               SHUT_WR
              | "close" [ "with linger 0" ]
              | "start" "tls"                            a handshake; sends and receives through it
              | "end" "tls"                              a close_notify
              | "set" OPTION INTEGER                     SO_…, TCP_… or IP_…
              | "set" "TCP_CONGESTION" WORD              such as cubic
    DURATION  = digits ( "s" | "ms" )

A party has one connection without a name; several have names: ``second: connect``. An option set
before there is a connection applies to the listening socket, if the party has one.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.faults.words import Words

PORT = 65432
BACKLOG = 128
MOST_BYTES = 100_000_000
LONGEST = 60_000  # ms
UNEXPECTED_EOF = "UNEXPECTED_EOF_WHILE_READING"  # OpenSSL's: a FIN, and no close_notify before it
_LEAST, _MOST = -(1 << 31), (1 << 31) - 1  # setsockopt takes an int
_LEVELS = {"SO": socket.SOL_SOCKET, "TCP": socket.IPPROTO_TCP, "IP": socket.IPPROTO_IP}
# The numbers of linux/tcp.h and linux/in.h; older versions of Python lack these.
_OPTIONS = {"TCP_FASTOPEN_CONNECT": 30, "IP_MTU_DISCOVER": 10, "IP_MTU": 14}

_NUMBER = re.compile(r"[0-9]{1,12}").fullmatch
_INTEGER = re.compile(r"-?[0-9]{1,12}").fullmatch
_DURATION = re.compile(r"([0-9]{1,6})(ms|s)").fullmatch
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}").fullmatch


class Listen(Struct, frozen=True):
    """socket(), bind() and listen()."""

    port: int = PORT
    backlog: int = BACKLOG


class StopListening(Struct, frozen=True):
    """close() of the listening socket."""


class Accept(Struct, frozen=True):
    """accept(): wait for a connection and take it."""


class Bind(Struct, frozen=True):
    """bind() to a local port."""

    port: int


class Connect(Struct, frozen=True):
    """connect() to a port of the other host, and wait for the result."""

    port: int = PORT


class Send(Struct, frozen=True):
    """send(): some bytes, some number of times."""

    size: int
    times: int = 1


class Receive(Struct, frozen=True):
    """recv() until ``size`` bytes have come, or to the end if it is None."""

    size: int | None
    at_a_time: int | None = None


class Wait(Struct, frozen=True):
    """Do nothing for some milliseconds."""

    milliseconds: int


class WaitAcknowledged(Struct, frozen=True):
    """Do nothing until everything sent has been acknowledged."""


class Meet(Struct, frozen=True):
    """Wait for all parties that have this step."""

    name: str


class Shutdown(Struct, frozen=True):
    """shutdown(SHUT_WR)."""


class Close(Struct, frozen=True):
    """close(), with a reset if ``reset`` is set."""

    reset: bool = False


class StartTls(Struct, frozen=True):
    """A TLS handshake; the steps behind it send and receive through TLS."""


class EndTls(Struct, frozen=True):
    """A close_notify."""


class Set(Struct, frozen=True):
    """setsockopt()."""

    level: int
    option: int
    value: int | bytes
    text: str


Action: TypeAlias = (
    Listen
    | StopListening
    | Accept
    | Bind
    | Connect
    | Send
    | Receive
    | Wait
    | WaitAcknowledged
    | Meet
    | Shutdown
    | Close
    | StartTls
    | EndTls
    | Set
)


class Step(Struct, frozen=True):
    """One step of a party.

    Args:
        text: its words.
        action: what is done.
        name: of its connection; ``""`` for the one without a name.
        fails: the error it must fail with, by name; ``""`` if it must not fail.
    """

    text: str
    action: Action
    name: str = ""
    fails: str = ""

    @property
    def opens(self) -> bool:
        """Whether it may add a connection to the ladder."""
        return isinstance(self.action, Connect)


def parse(text: str) -> Step:
    """Read one step.

    Raises:
        TrioechoError: a word is not valid; the message names it and says what is expected.

    >>> parse("receive 64, 16 at a time").action
    Receive(size=64, at_a_time=16)
    """
    words = _Words(text)
    name = words.take()[:-1] if words.peek().endswith(":") else ""
    if name and not _NAME(name):
        raise TrioechoError(f"the step {text!r} begins with {name!r}, which is not a name")
    verb = words.peek()
    if verb not in _VERBS:
        raise words.wrong(*_VERBS)
    words.take()
    action = _VERBS[verb](words)
    fails = ""
    if words.accept("fails"):
        if words.peek() not in (*errno.errorcode.values(), UNEXPECTED_EOF):
            raise words.wrong("an error such as ECONNREFUSED")
        fails = words.take()
    if words.peek():
        raise words.wrong("nothing more")
    return Step(words.text, action, name, fails)


class _Words(Words):
    """The words of a step, read one by one."""

    def __init__(self, text: str) -> None:
        super().__init__("the step", text.replace(",", " ").split(), " ".join(text.split()))

    def accept(self, phrase: str) -> bool:
        """Accept these words if they come next; if the first does, all must."""
        first, *others = phrase.split()
        if self.peek() != first:
            return False
        self.take()
        for other in others:
            if self.peek() != other:
                raise self.wrong(other)
            self.take()
        return True

    def number(self, what: str, low: int = 1, high: int = MOST_BYTES) -> int:
        word = self.peek()
        if not _NUMBER(word) or not low <= int(word) <= high:
            raise self.wrong(f"{what} from {low:,} to {high:,}")
        return int(self.take())


def _port(words: _Words) -> int:
    return words.number("a port", 1, 65535)


def _listen(words: _Words) -> Action:
    port = _port(words) if words.accept("on") else PORT
    backlog = words.number("a backlog", 0, 65535) if words.accept("backlog") else BACKLOG
    return Listen(port, backlog)


def _stop(words: _Words) -> Action:
    if not words.accept("listening"):
        raise words.wrong("listening")
    return StopListening()


def _connect(words: _Words) -> Action:
    return Connect(_port(words) if _NUMBER(words.peek()) else PORT)


def _send(words: _Words) -> Action:
    size = words.number("a number of bytes")
    if not _NUMBER(words.peek()):
        return Send(size)
    times = words.number("a number", 1, 10_000)
    if not words.accept("times"):
        raise words.wrong("times")
    return Send(size, times)


def _receive(words: _Words) -> Action:
    size = None if words.accept("to the end") else words.number("to, or a number of bytes")
    if not _NUMBER(words.peek()):
        return Receive(size)
    at_a_time = words.number("a number of bytes")
    if not words.accept("at a time"):
        raise words.wrong("at")
    return Receive(size, at_a_time)


def _wait(words: _Words) -> Action:
    if words.accept("until acknowledged"):
        return WaitAcknowledged()
    found = _DURATION(words.peek())
    span = int(found[1]) * (1 if found[2] == "ms" else 1000) if found else 0
    if not 0 < span <= LONGEST:
        raise words.wrong("until, or a time from 1ms to 60s")
    words.take()
    return Wait(span)


def _meet(words: _Words) -> Action:
    if not _NAME(words.peek()):
        raise words.wrong("a name, such as halfway")
    return Meet(words.take())


def _close(words: _Words) -> Action:
    return Close(words.accept("with linger 0"))


def _tls(words: _Words, action: Action) -> Action:
    if not words.accept("tls"):
        raise words.wrong("tls")
    return action


def _set(words: _Words) -> Action:
    name = words.peek()
    level = _LEVELS.get(name.partition("_")[0])
    option = _OPTIONS.get(name, getattr(socket, name, None)) if level is not None else None
    if level is None or not isinstance(option, int):
        raise words.wrong("a socket option such as SO_RCVBUF or TCP_NODELAY")
    words.take()
    word = words.peek()
    if name == "TCP_CONGESTION":
        if not _NAME(word):
            raise words.wrong("the name of a congestion control, such as cubic")
        return Set(level, option, words.take().encode(), f"{name} {word}")
    if not _INTEGER(word) or not _LEAST <= int(word) <= _MOST:
        raise words.wrong(f"an integer from {_LEAST:,} to {_MOST:,}")
    value = int(words.take())
    return Set(level, option, value, f"{name} {value}")


_VERBS: dict[str, Callable[[_Words], Action]] = {
    "listen": _listen,
    "stop": _stop,
    "accept": lambda words: Accept(),
    "bind": lambda words: Bind(_port(words)),
    "connect": _connect,
    "send": _send,
    "receive": _receive,
    "wait": _wait,
    "meet": _meet,
    "shutdown": lambda words: Shutdown(),
    "close": _close,
    "start": lambda words: _tls(words, StartTls()),
    "end": lambda words: _tls(words, EndTls()),
    "set": _set,
}
