"""System calls, as strace logs them -> the socket calls of a ladder. Pure."""

from __future__ import annotations

import re
from collections import OrderedDict

from msgspec import Struct
from msgspec.structs import replace

from trioecho.model import RECEIVING, SENDING, Call, End, Endpoint, SocketKind, unmapped
from trioecho.programs.memory import remember
from trioecho.programs.strace import SHOWN, Strace, Traced

#: A call that takes longer than this has waited: it is placed where it returned. A busy machine,
#: too, lets one take a tenth of a second, and a close must not stand behind its own FIN.
WAITED = 500_000_000

# System calls by the usual names of the functions that make them.
_NAMES = {"accept4": "accept", "sendto": "send", "recvfrom": "recv"}
_WAITING = RECEIVING | {"accept"}
_OTHERS = {"socket", "bind", "listen", "connect", "shutdown", "setsockopt", "close"}
_SHOWN = _WAITING | SENDING | _OTHERS
# Calls that act at once: the segments they send are shown after them.
_SENDING = _SHOWN - _WAITING - {"socket", "connect"}

_DESCRIPTOR = re.compile(r"(\d+)<TCP(?:v6)?:\[(.*)\]>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FAMILY = re.compile(r"\{sa_family=AF_INET6?\b")
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_NUMBER = re.compile(r"\d+")
_ERROR = re.compile(r"-1 (E[A-Z0-9]+)")
_ARGUMENT = 60  # characters of an option's value at the most
_MOST = 1_000


class _Socket(Struct, frozen=True):
    """A TCP socket as strace writes it: a descriptor, and either its inode or its addresses."""

    fd: int
    shown: str
    local: Endpoint | None
    peer: Endpoint | None


class TracedCalls:
    """Turns one strace's lines into calls.

    Attributes:
        task: the task whose call, or its beginning, was on the last line.
        connected: whether the last line was the return of a connect.
    """

    def __init__(self, end: End) -> None:
        self._end = end
        self.task = 0
        self.connected = False
        self._strace = Strace()
        # Connects that were reported and have not returned, by their tasks.
        self._begun: OrderedDict[int, int] = OrderedDict()
        # Non-blocking connects, which proceed by themselves.
        self._under_way: OrderedDict[tuple[int, str], Endpoint] = OrderedDict()
        # strace looks up a socket's addresses once; where that was after bind, it never shows the
        # peer, which connect named.
        self._peers: OrderedDict[str, Endpoint] = OrderedDict()
        # Sockets with TCP_FASTOPEN_CONNECT, by their inodes or addresses.
        self._deferring: OrderedDict[tuple[int, str], None] = OrderedDict()

    def line(self, text: str) -> list[Call]:
        """Take a line."""
        self.connected = False
        traced = self._strace.line(text)
        return [] if traced is None else self._calls(traced)

    def beginning(self, text: str) -> list[Call]:
        """The connect on an unfinished line, which has not returned."""
        self.connected = False
        traced = self._strace.beginning(text)
        return [] if traced is None else self._calls(traced)

    def began(self, text: str) -> int | None:
        """When the call on a line began, nanoseconds since the epoch; None where the line has only
        its end."""
        return self._strace.began(text)

    def exited(self, text: str) -> tuple[int, int] | None:
        """The task that has ended with a line, and when; None for any other line."""
        return self._strace.exited(text)

    def sending(self, text: str, since: int) -> int | None:
        """The time of the oldest call that has not returned and may have sent something."""
        times = (
            one.time
            for one in self._strace.under_way(text)
            if one.time >= since
            and _NAMES.get(one.name, one.name) in _SENDING
            and any(map(_socket, one.arguments[:3]))
        )
        return min(times, default=None)

    def _calls(self, traced: Traced) -> list[Call]:
        self.task = traced.pid
        name = _NAMES.get(traced.name, traced.name)
        arguments, result = traced.arguments, traced.result
        if name == "socket":
            made = _socket(result)
            if made is None or not arguments:
                return []
            return [self._call(traced.time, name, made, arguments[0], made.fd)]
        at = 2 if name == "splice" and len(arguments) > 2 and _socket(arguments[2]) else 0
        sock = _socket(arguments[at]) if arguments else None
        if sock is None:
            return []
        if name == "getsockopt":
            return self._connected(traced, sock)
        if name not in _SHOWN:
            return []
        if name == "splice" and at == 0:  # out of the socket, into a pipe
            name, arguments = "read", (arguments[0], "", arguments[4] if arguments[4:] else "")
        if name == "connect":
            return self._connect(traced, sock)
        if name == "setsockopt" and arguments[2:4] == ("TCP_FASTOPEN_CONNECT", "[1]"):
            remember(self._deferring, (sock.fd, sock.shown), None, _MOST)
        error = _ERROR.match(result)
        number = _NUMBER.match(result)
        if error is None and number is None:
            return []  # interrupted and restarted
        if error is not None and error[1] in ("EAGAIN", "EINTR") and name in _WAITING | SENDING:
            return []  # nothing has happened
        took = traced.took or 0
        waits = name in _WAITING or took > WAITED
        time = traced.time + (took if waits else 0)
        if name == "accept" and (made := _socket(result)) is not None:
            call = self._call(time, name, sock, "", made.fd)
            return [_with_ends(call, made.local, made.peer)]
        return [
            self._call(
                time,
                name,
                sock,
                _written(name, arguments),
                int(number[0]) if number else None,
                error and error[1],
                _data(arguments) if name in RECEIVING | SENDING and number else b"",
            )
        ]

    def _connect(self, traced: Traced, sock: _Socket) -> list[Call]:
        peer = _address(traced.arguments[1]) if len(traced.arguments) > 1 else None
        if peer is None:
            return []
        if sock.local is not None:
            remember(self._peers, sock.shown, peer, _MOST)
        calls: list[Call] = []
        if self._begun.pop(traced.pid, None) != traced.time:
            calls.append(self._ending(traced.time, sock, peer, None))
        if traced.took is None:
            remember(self._begun, traced.pid, traced.time, _MOST)
            return calls
        self.connected = True
        error = _ERROR.match(traced.result)
        if error is not None and error[1] == "EINPROGRESS":
            remember(self._under_way, (sock.fd, sock.shown), peer, _MOST)
            remember(self._under_way, (sock.fd, str(peer)), peer, _MOST)
        elif error is not None or traced.result == "0":
            time = traced.time + traced.took
            ending = self._ending(time, sock, peer, 0, error and error[1])
            deferred = error is None and (sock.fd, sock.shown) in self._deferring
            calls.append(replace(ending, deferred=deferred))
        return calls

    def _connected(self, traced: Traced, sock: _Socket) -> list[Call]:
        """The result of a non-blocking connect, from the program's getsockopt(SO_ERROR)."""
        if len(traced.arguments) < 4 or traced.arguments[2] != "SO_ERROR":
            return []
        peer = self._under_way.pop((sock.fd, sock.shown), None)
        again = self._under_way.pop((sock.fd, str(sock.peer or peer)), None)
        peer = peer or again
        if peer is None:
            return []
        said = traced.arguments[3].strip("[]")
        return [self._ending(traced.time, sock, peer, 0, None if said == "0" else said)]

    def _ending(
        self,
        time: int,
        sock: _Socket,
        peer: Endpoint,
        result: int | None,
        error: str | None = None,
    ) -> Call:
        call = self._call(
            time, "connect", sock, str(peer), None if error else result, error, kind="connection"
        )
        return _with_ends(call, sock.local, peer)

    def _call(
        self,
        time: int,
        name: str,
        sock: _Socket,
        arguments: str,
        result: int | None,
        error: str | None = None,
        data: bytes = b"",
        kind: SocketKind | None = None,
    ) -> Call:
        peer = sock.peer or self._peers.get(sock.shown)
        if kind is None:
            listens = peer is None and (self._end == "server" or name in ("listen", "accept"))
            kind = "listening" if listens else "connection"
        return Call(
            time, self._end, kind, sock.fd, name, arguments, result, error, sock.local, peer, data
        )


def _with_ends(call: Call, local: Endpoint | None, peer: Endpoint | None) -> Call:
    return replace(call, local=local, peer=peer)


def _socket(text: str) -> _Socket | None:
    """A TCP socket, as ``3<TCP:[10.0.0.1:50000->10.0.0.2:80]>``; None for anything else."""
    match = _DESCRIPTOR.fullmatch(text)
    if match is None:
        return None
    local, _, peer = match[2].partition("->")
    return _Socket(int(match[1]), match[2], _endpoint(local), _endpoint(peer))


def _endpoint(text: str) -> Endpoint | None:
    """``10.0.0.1:80`` or ``[::1]:80``; None for an inode or nothing."""
    ip, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        return None
    return Endpoint(unmapped(ip.strip("[]")), int(port))


def _address(text: str) -> Endpoint | None:
    """The endpoint in a ``struct sockaddr`` of TCP."""
    port, ip = _PORT.search(text), _STRING.search(text)
    if _FAMILY.match(text) is None or port is None or ip is None:
        return None
    return Endpoint(unmapped(_bytes(ip[1]).decode("ascii", "replace")), int(port[1]))


def _bytes(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal.replace("\\x", ""))


def _data(arguments: tuple[str, ...]) -> bytes:
    """The first bytes that were sent or received."""
    return b"".join(_bytes(one[1]) for one in _STRING.finditer(arguments[1]))[:SHOWN]


def _written(name: str, arguments: tuple[str, ...]) -> str:
    """The arguments worth showing."""
    match name, arguments:
        case "bind", (_, address, *_):
            return str(_address(address) or "")
        case (("listen" | "shutdown"), (_, what, *_)):
            return what
        case (("recv" | "read"), (_, _, size, *_)):
            return size
        case "setsockopt", (_, _, option, value, *_):
            value = value[1:-1] if value.startswith("[") else value
            return f"{option} {value}"[:_ARGUMENT]
        case _:
            return ""
