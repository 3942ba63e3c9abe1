"""Echoes on private wires with faults by chance, many at once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.sockdiag import Diag
from trioecho.model import End, Rung, State
from trioecho.render.script import line
from trioecho.stage.journal import Journal
from trioecho.stage.on_wire import open_on_wire
from trioecho.stage.wire import PrivateWire, open_wire
from trioecho.tcp.half import Half

PORT = 7


def script(seed: int) -> list[str]:
    """A few faults by chance, the same ones for the same seed."""
    chance = random.Random(seed)

    def end() -> str:
        return chance.choice(("client", "server"))

    def number() -> int:
        return chance.randint(1, 8)

    def times() -> str:
        return chance.choice(("", "", "", " twice"))

    def one() -> str:
        match chance.randrange(10):
            case 0:
                return chance.choice(("drop syn", "drop syn-ack", "drop client ack 1"))
            case 1:
                first = number()
                return f"drop {end()} data {first}-{first + chance.randint(1, 3)}"
            case 2 | 3:
                return f"drop {end()} data {number()}{times()}"
            case 4:
                return f"drop {end()} fin{times()}"
            case 5:
                return f"corrupt {end()} data {number()}"
            case 6:
                return f"duplicate {end()} {chance.choice(('data', 'ack'))} {number()}"
            case 7:
                first = number()
                return f"reorder {end()} data {first} {first + chance.randint(1, 2)}"
            case 8:
                return f"delay {end()} {chance.choice(('data', 'ack'))} {number()} 30ms"
            case _:
                return f"drop {end()} ack {number()}-{number() + 8}"

    faults = [one() for _ in range(chance.randint(1, 4))]
    faults += newer(random.Random(f"{seed} newer"))
    if chance.random() < 0.2:
        faults.append(f"loss {chance.randint(1, 10)}% seed {seed}")
    if chance.random() < 0.3:
        faults.append(f"delay {chance.randint(1, 10)}ms")
    return faults


def newer(chance: random.Random) -> list[str]:
    """At most two of the faults that an echo survives: not ``forget``, after which nothing ends."""
    end = chance.choice(("client ", "server ", ""))
    seed = chance.randint(1, 100)
    known = (
        f"mark {end}data {chance.randint(1, 8)}-",
        f"strip {end}{chance.choice(('sackok', 'sack', 'timestamps'))}",
        f"clamp {end}mss {chance.randint(200, 1200)}",
        f"police {end}{chance.randint(5, 50)}mbit burst {chance.randint(5, 20)}kB",
        chance.choice((f"rate {end}{chance.randint(5, 50)}mbit", "rate 20mbit; queue 20 codel")),
        f"delay {end or 'client '}{chance.randint(1, 10)}ms jitter 1ms seed {seed}",
        f"duplicate {end}{chance.randint(1, 20)}% seed {seed}",
        f"reorder {end}{chance.randint(1, 20)}% by {chance.randint(1, 5)}ms seed {seed}",
        f"cut for {chance.randint(5, 50)}ms at {chance.randint(1, 30)}ms",
        f"drop client byte {chance.randint(1, 5_000)}",
        f'drop {end}data {chance.randint(1, 3)} containing "xx"',
    )
    drawn = chance.sample(known, chance.choice((0, 0, 1, 2)))
    return [fault for faults in drawn for fault in faults.split("; ")]


def rude(seed: int) -> list[str]:
    """The same, with what an echo may not survive: forged segments, or a NAT that forgets."""
    chance = random.Random(f"{seed} rude")
    end = chance.choice(("client", "server"))
    faults = script(seed)
    if chance.random() < 0.25:
        late = f"delay {end} data {chance.randint(1, 4)} {chance.randint(50, 100)}ms"
        rst = chance.choice(("", " rst"))
        return [*faults, late, f"forget after {chance.randint(20, 60)}ms idle{rst}"]
    to = chance.choice(("", "to client ", "to server ", "to both "))
    offset = chance.choice(("", "", *(f"offset {by} " for by in (1, -1, 1_000, 100_000))))
    after = f"after {end} {chance.choice(('data', 'ack'))} {chance.randint(1, 4)}"
    return [*faults, f"inject {chance.choice(('rst', 'rst', 'syn'))} {to}{offset}{after}"]


async def echo(wire: PrivateWire, size: int) -> None:
    """A client sends, a server sends back what it got, the client closes, the server closes."""
    with (
        trio.socket.from_stdlib_socket(await wire.server.socket(2, 1)) as listener,
        trio.socket.from_stdlib_socket(await wire.client.socket(2, 1)) as client,
    ):
        await listener.bind((wire.server.address, PORT))
        listener.listen(1)

        async def serve() -> None:
            connection, _ = await listener.accept()
            async with trio.SocketStream(connection) as stream:
                while data := await stream.receive_some():
                    await stream.send_all(data)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            await client.connect((wire.server.address, PORT))
            async with trio.SocketStream(client) as stream, trio.open_nursery() as sending:
                sending.start_soon(stream.send_all, b"x" * size)
                got = 0
                while got < size:
                    got += len(await stream.receive_some())


async def play(seed: int) -> list[Rung]:
    """What happens to an echo on a wire with the faults that belong to a seed."""
    journal = Journal()
    async with open_wire(script(seed)) as wire:
        await _hasten(wire)
        wire.observers.append(journal)
        with trio.move_on_after(20):
            await echo(wire, _size(seed))
            while not journal.over():
                await journal.change()
    journal.finish()
    return [event for event in journal.ready() if isinstance(event, Rung)]


async def unlike(seed: int, faults: Sequence[str]) -> list[str]:
    """Where a ladder shows an end in another state than its kernel: at a rung, or, where the echo
    came to its end, then."""
    async with open_on_wire(faults, kernel=True) as stage, stage.diags() as diags:
        journal = stage.journal
        await _hasten(stage.wire)
        whole = False
        with suppress(*_BROKEN), trio.move_on_after(5):
            await echo(stage.wire, _size(seed))
            whole = True
        with trio.move_on_after(1):
            await stage.over()
        await stage.settle()
        # One that is cut short closes its sockets with bytes under way.
        found = list(differ(journal, diags)) if whole else []
        journal.finish()
    rungs = [event for event in journal.ready() if isinstance(event, Rung)]
    return [said for rung in rungs for said in _at(rung)] + found


#: What an echo comes to where a reset ends its connection.
_BROKEN = (OSError, trio.BrokenResourceError, ExceptionGroup)
#: Where a kernel may be once its program has closed, of which the wire shows nothing before the FIN
#: leaves: behind all that waits to be sent. A server that listens no more leaves what it has not
#: accepted. And a SYN is received before it is answered.
AHEAD = {
    State.LISTEN: (State.SYN_RECEIVED,),
    State.SYN_RECEIVED: (State.CLOSED,),
    State.SYN_SENT: (State.CLOSED,),
    State.ESTABLISHED: (State.FIN_WAIT_1,),
    State.CLOSE_WAIT: (State.LAST_ACK, State.CLOSING),
    State.LAST_ACK: (State.CLOSING,),
    State.CLOSED: (State.TIME_WAIT,),  # behind CLOSING
}


def _at(rung: Rung) -> Iterator[str]:
    ends = (
        ("client", rung.client_state, rung.client_kernel),
        ("server", rung.server_state, rung.server_kernel),
    )
    for end, shown, kernel in ends:
        if kernel is not None and kernel.state not in (shown, *AHEAD.get(shown, ())):
            yield f"the {end} is {kernel.state} in the kernel at {rung.number}: {line(rung)}"


def differ(journal: Journal, diags: Mapping[End, Diag]) -> Iterator[str]:
    """Where an end is in another state in its kernel, and not for a close that is not seen yet."""
    for one in journal.tracker.connections:
        ends: tuple[tuple[End, Half, Half], ...] = (
            ("client", one.client, one.server),
            ("server", one.server, one.client),
        )
        for end, mine, theirs in ends:
            held = diags[end].find_now(mine.endpoint, theirs.endpoint)
            kernel = State.CLOSED if held is None else held.state
            shown = State.CLOSED if mine.state in (State.UNKNOWN, State.LISTEN) else mine.state
            if kernel not in (shown, *AHEAD.get(mine.state, ())):
                yield f"the {end} is {kernel} in the kernel in the end, and {mine.state} here"


async def _hasten(wire: PrivateWire) -> None:
    for host in (wire.client, wire.server):
        with suppress(TrioechoError):  # Linux 6.11 on; without it this takes longer
            await host.sysctl("net.ipv4.tcp_rto_min_us", 20_000)


def _size(seed: int) -> int:
    return random.Random(seed).choice((100, 5_000, 20_000, 60_000))


async def play_all(seeds: Sequence[int]) -> dict[int, list[Rung]]:
    """Many of them side by side."""
    ladders: dict[int, list[Rung]] = {}

    async def one(seed: int) -> None:
        ladders[seed] = await play(seed)

    async with trio.open_nursery() as nursery:
        for seed in seeds:
            nursery.start_soon(one, seed)
    return ladders
