"""Plans: how to make a connection lose its time to one cause, with everything else drawn by lot."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from math import inf
from typing import NamedTuple

import trio
from msgspec import Struct, field

from labelled.party import Party
from labelled.talk import both, bulk, exchange, text
from trioecho.model import OTHER, End

MSS = 1448
#: The least that Linux buffers: one socket buffer, as large as segmentation offload may make it.
GSO = 65536
Play = Callable[[Party, Party], Awaitable[None]]


class Draw(NamedTuple):
    """What a plan draws its numbers from.

    Args:
        random: the lot of this run.
        rtt: the path's, seconds.
        end: the one that sends most, or is to blame.
        number: of this plan in its run, so that no two name the same bytes.
    """

    random: random.Random
    rtt: float
    end: End
    number: int

    def between(self, low: float, high: float) -> float:
        """A number, small ones as likely as large ones."""
        return float(low * (high / low) ** self.random.random())

    def token(self, which: int = 0) -> bytes:
        """Bytes that nothing else has, by which a fault finds a segment."""
        return f"<{self.number}.{which}>".encode()


class Plan(Struct):
    """One cause, planned.

    Args:
        play: what the programs do once they are connected: of the end drawn, and of the other.
        faults: what the wire does.
        options: socket options of an end, ``sndbuf`` and ``rcvbuf``, bytes.
        sysctl: further settings of the hosts.
        connects: whether it comes to a connection at all.
        patience: seconds until the client gives up connecting.
    """

    play: Play | None = None
    faults: list[str] = field(default_factory=list)
    options: dict[tuple[End, str], int] = field(default_factory=dict)
    sysctl: dict[str, str] = field(default_factory=dict)
    connects: bool = True
    patience: float = inf


# ---- the programs --------------------------------------------------------------------------------


def clean(draw: Draw) -> Plan:
    """Nothing holds it up: questions and answers, or a few segments at once."""
    count = draw.random.randint(1, 8)
    sizes = [
        (draw.random.randint(1, 3 * MSS), draw.random.randint(1, 8 * MSS)) for _ in range(count)
    ]

    async def play(one: Party, other: Party) -> None:
        for asks, answers in sizes:
            await exchange(one, other, (asks, answers))

    return Plan(play)


def think_time(draw: Draw) -> Plan:
    """The end takes its time to answer."""
    count = draw.random.randint(1, 4)
    think = max(draw.between(0.02, 0.6), draw.rtt)
    sizes = draw.random.randint(1, 2000), draw.random.randint(1, 8 * MSS)

    async def play(one: Party, other: Party) -> None:
        for _ in range(count):
            await exchange(other, one, sizes, think)

    return Plan(play)


def application(draw: Draw) -> Plan:
    """The end pauses between two messages."""
    count = draw.random.randint(2, 5)
    pause = max(draw.between(0.06, 0.6), 1.5 * draw.rtt)
    size = draw.random.randint(100, 4 * MSS)

    async def play(one: Party, other: Party) -> None:
        async def write() -> None:
            for _ in range(count):
                await one.send(text(size))
                await one.sleep(pause)
            await one.send(b"last")

        await both(write, lambda: other.receive(count * size + 4))

    return Plan(play)


def nagle(draw: Draw) -> Plan:
    """The end writes a message in two parts, and waits for an answer."""
    count = draw.random.randint(2, 6)
    first, rest = draw.random.randint(1, 200), draw.random.randint(1, 700)

    async def play(one: Party, other: Party) -> None:
        async def write() -> None:
            for _ in range(count):
                await one.send(text(first))
                await one.send(text(rest))
                await one.receive(4)

        async def answer() -> None:
            for _ in range(count):
                await other.receive(first + rest)
                await other.send(b"good")

        await both(write, answer)

    return Plan(play)


def delayed_ack(draw: Draw) -> Plan:
    """The other end acknowledges a lone segment late, and nothing else goes on meanwhile."""
    count = draw.random.randint(4, 12)

    async def play(one: Party, other: Party) -> None:
        async def write() -> None:
            for _ in range(count):
                await one.send(text(100))
                await one.sleep(draw.rtt + 0.05)

        await both(write, lambda: other.receive(100 * count))

    return Plan(play)


def idle(draw: Draw) -> Plan:
    """Nobody says anything for seconds, and keep-alives go on."""
    silence = draw.between(2.5, 4)

    async def play(one: Party, other: Party) -> None:
        await exchange(one, other, (100, 100))
        await one.sleep(silence)

    return Plan(play, options={("client", "keepalive"): 1})


# ---- windows and buffers -------------------------------------------------------------------------


def slow_reader(draw: Draw) -> Plan:
    """The other end's program reads too slowly."""
    buffer = draw.random.choice((4096, 8192, 16384, 32768))
    chunk = int(buffer * draw.between(0.3, 2))
    count = draw.random.randint(4, 10)
    pause = max(draw.between(0.05, 0.4), 2 * draw.rtt)
    whole = chunk * count + 3 * buffer

    async def play(one: Party, other: Party) -> None:
        async def read() -> None:
            for _ in range(count):
                await other.sleep(pause)
                await other.receive(chunk)
            await other.receive(whole - count * chunk)

        await both(lambda: one.send(text(whole)), read)

    return Plan(play, options={(OTHER[draw.end], "rcvbuf"): buffer})


def receive_buffer(draw: Draw) -> Plan:
    """The other end's buffer is smaller than what the path holds."""
    buffer = draw.random.choice((4096, 8192, 16384))
    rounds = draw.random.randint(8, 30) if draw.rtt < 0.1 else draw.random.randint(5, 12)

    async def play(one: Party, other: Party) -> None:
        await bulk(one, other, text(buffer * rounds))

    return Plan(play, options={(OTHER[draw.end], "rcvbuf"): buffer})


def send_buffer(draw: Draw) -> Plan:
    """The end's own buffer is smaller than what the path holds."""
    buffer = draw.random.choice((4608, 8192, 16384))
    rounds = draw.random.randint(8, 20) if draw.rtt < 0.1 else draw.random.randint(8, 12)

    async def play(one: Party, other: Party) -> None:
        await bulk(one, other, text(GSO * rounds))

    return Plan(play, options={(draw.end, "sndbuf"): buffer})


def slow_start(draw: Draw) -> Plan:
    """A transfer that ends while the end is still finding the path's rate."""
    segments = int(draw.between(25, 400))

    async def play(one: Party, other: Party) -> None:
        await bulk(one, other, text(segments * MSS))

    return Plan(play)


def congestion_window(draw: Draw) -> Plan:
    """An early loss has made the congestion window small, and it grows slowly."""
    losses = [(12 * MSS, draw.token(0)), (13 * MSS + 700, draw.token(1))]
    segments = draw.random.randint(90, 240)

    async def play(one: Party, other: Party) -> None:
        await bulk(one, other, text(segments * MSS, *losses))

    return Plan(play, [_drop(draw, token) for _, token in losses], sysctl=_reno())


# ---- the path ------------------------------------------------------------------------------------


def bottleneck(draw: Draw) -> Plan:
    """The path is full: a queue stands before it, a short one."""
    rate = draw.between(3, 20) * 1e6
    queue = max(4, int(rate * draw.rtt / 8 / 1500 * draw.random.uniform(0.5, 0.9)))
    seconds = draw.between(1, 2.5)

    async def play(one: Party, other: Party) -> None:
        await bulk(one, other, text(int(rate / 8 * seconds)))

    return Plan(play, [f"rate {draw.end} {int(rate / 1000)}kbit", f"queue {queue}"])


def bufferbloat(draw: Draw) -> Plan:
    """The path is full, and its queue is long."""
    rate = draw.between(2, 8) * 1e6
    seconds = draw.between(1.5, 3)

    async def play(one: Party, other: Party) -> None:
        await bulk(one, other, text(int(rate / 8 * seconds)))

    return Plan(play, [f"rate {draw.end} {int(rate / 1000)}kbit", "queue 1000"])


def timeout(draw: Draw) -> Plan:
    """The last segment of a message is lost, or all of it."""
    count = draw.random.randint(1, 3)
    size = draw.random.choice((100, 1000, 3 * MSS))
    times = " twice" if draw.random.random() < 0.3 else ""

    async def play(one: Party, other: Party) -> None:
        for number in range(count):
            data = text(size, (size - 10, draw.token(number)))

            async def read() -> None:
                await other.receive(size)
                await other.send(b"good")

            async def write(data: bytes = data) -> None:
                await one.send(data)
                await one.receive(4)

            await both(write, read)

    return Plan(play, [_drop(draw, draw.token(number), times) for number in range(count)])


def fast_recovery(draw: Draw) -> Plan:
    """Single segments of a transfer are lost, with others behind them."""
    count = draw.random.randint(2, 5)
    step = draw.random.randint(25, 50)
    losses = [(((number + 1) * step) * MSS, draw.token(number)) for number in range(count)]

    async def play(one: Party, other: Party) -> None:
        await bulk(one, other, text((count + 1) * step * MSS, *losses))

    return Plan(play, [_drop(draw, token) for _, token in losses])


def spurious(draw: Draw) -> Plan:
    """A segment is so late that the end sends it again, which it need not."""
    count = draw.random.randint(1, 3)
    late = int(1000 * max(draw.between(0.35, 0.9), draw.rtt * 2 + 0.3))

    async def play(one: Party, other: Party) -> None:
        for number in range(count):
            await exchange(one, other, (300, 300))
            data = text(300, (10, draw.token(number)))

            async def write(data: bytes = data) -> None:
                await one.send(data)
                await one.receive(4)

            async def read() -> None:
                await other.receive(300)
                await other.send(b"good")

            await both(write, read)
        await one.sleep(late / 1000)  # until it can be known

    end = draw.end
    faults = [
        f'delay {end} data containing "{draw.token(number).decode()}" {late}ms'
        for number in range(count)
    ]
    return Plan(play, faults)


def black_hole(draw: Draw) -> Plan:
    """From some segment on, nothing passes any more."""
    patience = draw.between(3, 5)
    size = draw.random.choice((200, 4 * MSS, 20 * MSS))

    async def play(one: Party, other: Party) -> None:
        await exchange(one, other, (200, 200))
        await one.send(text(size, (0, draw.token())))
        with trio.move_on_after(patience):
            await other.receive(size)

    return Plan(play, [f'cut after {draw.end} data containing "{draw.token().decode()}"'])


# ---- the handshake -------------------------------------------------------------------------------


def setup(draw: Draw) -> Plan:
    """The handshake is most of it."""

    async def play(one: Party, other: Party) -> None:
        pass

    return Plan(play)


def handshake_loss(draw: Draw) -> Plan:
    """A SYN or a SYN-ACK is lost."""
    what = draw.random.choice(("client syn", "server syn-ack"))
    twice = " twice" if what == "client syn" and draw.random.random() < 0.3 else ""
    return Plan(clean(draw).play, [f"drop {what}{twice}"])


def refused(draw: Draw) -> Plan:
    """Nothing listens there."""
    return Plan(connects=False)


def no_answer(draw: Draw) -> Plan:
    """Nothing answers."""
    return Plan(faults=["drop client syn always"], connects=False, patience=draw.between(2.2, 3.5))


def _drop(draw: Draw, token: bytes, times: str = "") -> str:
    return f'drop {draw.end} data{times} containing "{token.decode()}"'


def _reno() -> dict[str, str]:
    return {"net.ipv4.tcp_congestion_control": "reno"}


#: Each cause, and the round trips in seconds at which it can be the cause of anything.
PLANS: dict[str, tuple[Callable[[Draw], Plan], float, float]] = {
    "clean": (clean, 0.001, 0.2),
    "setup": (setup, 0.01, 0.2),
    "refused": (refused, 0.001, 0.2),
    "no-answer": (no_answer, 0.001, 0.2),
    "handshake-loss": (handshake_loss, 0.001, 0.2),
    "black-hole": (black_hole, 0.001, 0.1),
    "timeout": (timeout, 0.001, 0.2),
    "fast-recovery": (fast_recovery, 0.02, 0.2),
    "spurious": (spurious, 0.005, 0.1),
    "slow-reader": (slow_reader, 0.001, 0.1),
    "receive-buffer": (receive_buffer, 0.02, 0.2),
    "nagle": (nagle, 0.001, 0.03),
    "delayed-ack": (delayed_ack, 0.001, 0.03),
    "bufferbloat": (bufferbloat, 0.01, 0.04),
    "bottleneck": (bottleneck, 0.02, 0.1),
    "slow-start": (slow_start, 0.03, 0.2),
    "send-buffer": (send_buffer, 0.02, 0.2),
    "congestion-window": (congestion_window, 0.04, 0.15),
    "application": (application, 0.001, 0.2),
    "think-time": (think_time, 0.001, 0.2),
    "idle": (idle, 0.001, 0.1),
}
#: Those that act once a connection is open, and can follow each other on it.
LATER = tuple(
    name
    for name in PLANS
    if name
    not in ("clean", "setup", "refused", "no-answer", "handshake-loss", "black-hole", "idle")
)
FIRST = ("handshake-loss", *LATER)
