"""What the pages say to change does help: real kernels talk before the change and after it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping

import pytest
from msgspec import Struct, field
from needs import need_wires

from trioecho.account import Accounts
from trioecho.testing.wire import open_wire

PORT = 7000
PACING_RATE = 47  # SO_MAX_PACING_RATE, which Python does not name
Talk = Callable[[socket.socket, socket.socket], None]


class Way(Struct, frozen=True):
    """How two programs talk: the client is the sender.

    Args:
        talk: what they do; the receiver's part runs in a thread.
        options: of the sender's socket, name and value at the level of the socket or of TCP.
        theirs: of the receiver's.
        faults: what the wire does.
        connections: over how many connections they do it, one after the other.
    """

    talk: Talk
    options: Mapping[int, int] = field(default_factory=dict)
    theirs: Mapping[int, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    connections: int = 1


def spent(way: Way) -> dict[str, float]:
    """Seconds by cause, of a connection over which two programs talk."""
    found: dict[str, float] = {}
    with open_wire(way.faults) as wire:
        listening = wire.server.socket()
        give(listening, way.theirs)
        listening.bind((wire.server.address, PORT))
        listening.listen()
        for _ in range(way.connections):
            sender = wire.client.socket()
            give(sender, way.options)
            sender.connect((wire.server.address, PORT))
            receiver, _ = listening.accept()
            way.talk(sender, receiver)
            sender.close()
            receiver.close()
        wire.settle()
        accounts = Accounts()
        accounts.see(wire.rungs)
        for account in accounts.end():
            for cost in account.costs:
                found[cost.cause] = found.get(cost.cause, 0) + cost.time / 1e9
    return found


def give(sock: socket.socket, options: Mapping[int, int]) -> None:
    """Set a socket's options."""
    for name, value in options.items():
        level = socket.IPPROTO_TCP if name == socket.TCP_NODELAY else socket.SOL_SOCKET
        sock.setsockopt(level, name, value)


def bulk(size: int, pause: float = 0, chunk: int = 65536) -> Talk:
    """The sender writes so many bytes; the receiver reads chunks, with pauses, and says so."""

    def talk(sender: socket.socket, receiver: socket.socket) -> None:
        def read() -> None:
            left = size
            while left:
                time.sleep(pause)
                left -= len(receiver.recv(min(left, chunk), socket.MSG_WAITALL))
            receiver.sendall(b"done")

        thread = threading.Thread(target=read)
        thread.start()
        sender.sendall(b"x" * size)
        sender.recv(4)
        thread.join()

    return talk


def again(talk: Talk, times: int) -> Talk:
    """The same, so many times on one connection."""

    def talks(sender: socket.socket, receiver: socket.socket) -> None:
        for _ in range(times):
            talk(sender, receiver)

    return talks


def requests(parts: int, count: int = 6, *, quick: bool = False) -> Talk:
    """Requests of so many writes each, and their answers."""

    def talk(sender: socket.socket, receiver: socket.socket) -> None:
        def answer() -> None:
            for _ in range(count):
                left = 40
                while left:
                    if quick:
                        receiver.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                    left -= len(receiver.recv(left))
                receiver.sendall(b"good")

        thread = threading.Thread(target=answer)
        thread.start()
        for _ in range(count):
            for _ in range(parts):
                sender.sendall(b"x" * (40 // parts))
            sender.recv(4)
        thread.join()

    return talk


WINDOW = 8192
SLOW = ("delay 10ms", "rate client 4mbit")

#: The cause, how it comes about, and what is to change.
CHANGES: list[tuple[str, str, Way, Way]] = [
    (
        "slow-reader",
        "the reader reads at once",
        Way(bulk(60_000, 0.1, 6000), theirs={socket.SO_RCVBUF: WINDOW}),
        Way(bulk(60_000, 0, 6000), theirs={socket.SO_RCVBUF: WINDOW}),
    ),
    (
        "receive-buffer",
        "no SO_RCVBUF",
        Way(bulk(150_000), theirs={socket.SO_RCVBUF: WINDOW}, faults=("delay 15ms",)),
        Way(bulk(150_000), faults=("delay 15ms",)),
    ),
    ("nagle", "TCP_NODELAY", Way(requests(2)), Way(requests(2), options={socket.TCP_NODELAY: 1})),
    ("nagle", "one write", Way(requests(2)), Way(requests(1))),
    ("nagle", "TCP_QUICKACK of the receiver", Way(requests(2)), Way(requests(2, quick=True))),
    (
        "bufferbloat",
        "a queue that drops early",
        Way(bulk(800_000), faults=(*SLOW, "queue 1000")),
        Way(bulk(800_000), faults=(*SLOW, "queue 1000 codel")),
    ),
    (
        "bufferbloat",
        "a paced sender",
        Way(bulk(800_000), faults=(*SLOW, "queue 1000")),
        Way(bulk(800_000), options={PACING_RATE: 450_000}, faults=(*SLOW, "queue 1000")),
    ),
    *(
        (
            cause,
            "one connection for all",
            Way(bulk(60_000), faults=("delay 15ms",), connections=8),
            Way(again(bulk(60_000), 8), faults=("delay 15ms",)),
        )
        for cause in ("setup", "slow-start")
    ),
]


@pytest.mark.parametrize(
    ("cause", "before", "after"),
    [
        pytest.param(cause, before, after, id=f"{cause}: {what}")
        for cause, what, before, after in CHANGES
    ],
)
def test_a_change_helps(cause: str, before: Way, after: Way) -> None:
    need_wires()
    one, other = spent(before), spent(after)
    assert one[cause] > 0.05
    assert other.get(cause, 0) < one[cause] / 3


def test_a_sender_that_probes_finds_a_path_that_takes_only_small_segments() -> None:
    need_wires()
    with open_wire(("path mtu 1200 silent",)) as wire:
        wire.client.sysctl("net.ipv4.tcp_mtu_probing", "1")
        listening = wire.server.listen(PORT)
        sender = wire.client.connect((wire.server.address, PORT))
        receiver, _ = listening.accept()
        with receiver:
            bulk(6000)(sender, receiver)
        assert wire.connection().lost


def test_a_sender_with_a_limit_gives_up() -> None:
    need_wires()
    with open_wire(("cut after client data 1",)) as wire:
        listening = wire.server.listen(PORT)
        sender = wire.client.connect((wire.server.address, PORT))
        receiver, _ = listening.accept()
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 500)
        with receiver:
            sender.sendall(b"one")
            assert receiver.recv(3) == b"one"
            sender.sendall(b"two")
            with pytest.raises(TimeoutError):
                sender.recv(1)
