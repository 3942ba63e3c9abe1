"""What the pages and lessons say of Linux's numbers, held against the kernel of the day."""

from __future__ import annotations

import re
import socket
from itertools import pairwise
from pathlib import Path
from platform import release

import pytest
import trio

from trioecho.lessons.expected import path_of
from trioecho.lessons.shelf import FOLDER
from trioecho.model import Kernel, Rung
from trioecho.stage.journal import Journal
from trioecho.stage.kernels import Truth, open_diags
from trioecho.stage.wire import Passage, PrivateWire, open_wire

ROOT = Path(__file__).parents[2]
LINEAR = "net.ipv4.tcp_syn_linear_timeouts"
PORT, PATIENCE = 7, 60
HYSTART = next(
    (one.read_text().strip() for one in Path("/sys/module/tcp_cubic/parameters").glob("hystart")),
    "",
)
SO_NETNS_COOKIE = 71  # linux/socket.h; Linux 5.14 and later

pytestmark = pytest.mark.usefixtures("wires")


async def times_of_syns(wire: PrivateWire, count: int) -> list[float]:
    """When a client sends its SYN and each retransmission, in seconds, where none arrives."""
    times: list[float] = []
    enough = trio.Event()

    class Diary:
        full = False

        def sent(self, passage: Passage) -> None:
            times.append(trio.current_time())
            if len(times) == count:
                enough.set()

        def done(self, passage: Passage) -> None:
            pass

        async def room(self) -> None:
            pass

    wire.observers.append(Diary())
    with trio.socket.from_stdlib_socket(await wire.client.socket(2, 1)) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.connect, (wire.server.address, PORT))
            with trio.fail_after(PATIENCE):
                await enough.wait()
            nursery.cancel_scope.cancel()
    return [time - times[0] for time in times]


async def test_a_lost_syn_is_sent_again_each_second_at_first() -> None:
    """tutorials/reliable.md and the lesson black-hole: at even steps since Linux 6.5, and with
    tcp_syn_linear_timeouts 0, as before, after 1 and after 3 seconds."""
    if tuple(map(int, re.findall(r"\d+", release())[:2])) < (6, 5):
        pytest.skip("Linux before 6.5 doubles the wait from the start")
    found: dict[str, list[float]] = {}

    async def play(name: str, count: int, *sysctl: tuple[str, int]) -> None:
        async with open_wire(["drop syn always"]) as wire:
            for setting in sysctl:
                await wire.client.sysctl(*setting)
            found[name] = await times_of_syns(wire, count)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play, "usual", 6)
        nursery.start_soon(play, "one", 4, (LINEAR, 1))
        nursery.start_soon(play, "none", 3, (LINEAR, 0))
    for name, seconds in {"usual": (1, 2, 3, 4, 5), "one": (1, 2, 4), "none": (1, 3)}.items():
        _, *again = found[name]
        for time, wanted in zip(again, seconds, strict=True):
            assert wanted - 0.1 < time < wanted + 0.9, (name, found)


async def uploaded(faults: list[str], size: int, control: bytes) -> list[Kernel]:
    """What a client's kernel says of its connection, from the first byte that it sends on."""
    async with open_wire(faults) as wire, open_diags(wire) as diags:
        journal = Journal(Truth(diags))
        wire.observers.append(journal)
        with (
            trio.socket.from_stdlib_socket(await wire.server.socket(2, 1)) as listener,
            trio.socket.from_stdlib_socket(await wire.client.socket(2, 1)) as client,
        ):
            try:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control)
            except OSError as error:
                pytest.skip(f"the kernel has no {control.decode()} here: {error.strerror}")
            await listener.bind((wire.server.address, PORT))
            listener.listen(1)
            with trio.fail_after(PATIENCE):
                await client.connect((wire.server.address, PORT))
                connection, _ = await listener.accept()
                async with trio.SocketStream(connection) as there, trio.open_nursery() as nursery:
                    nursery.start_soon(trio.SocketStream(client).send_all, bytes(size))
                    while size:
                        size -= len(await there.receive_some())
        journal.finish()
    rungs = [event for event in journal.ready() if isinstance(event, Rung)]
    kernels = [rung.client_kernel for rung in rungs[3:]]
    return [kernel for kernel in kernels if kernel is not None]


@pytest.mark.parametrize(("control", "share"), [(b"reno", 0.5), (b"cubic", 0.7)])
async def test_what_a_loss_leaves_of_the_window(control: bytes, share: float) -> None:
    """The lessons fast-retransmit, reordering and cubic-and-bbr."""
    kernels = await uploaded(["drop client data 20", "delay 10ms"], 60_000, control)
    window, threshold = next(
        (before.cwnd, after.ssthresh)
        for before, after in pairwise(kernels)
        if before.cwnd
        and after.ssthresh
        and after.ssthresh < before.cwnd  # HyStart sets it to cwnd
    )
    assert threshold == int(window * share)


async def test_cubic_leaves_slow_start_before_any_loss() -> None:
    """The lesson slow-start: HyStart does, where a queue makes round trips longer."""
    if HYSTART != "1":
        pytest.skip("CUBIC has no HyStart here")
    faults = ["rate client 5mbit", "delay 10ms", "queue 1000"]
    for control, leaves in ((b"cubic", True), (b"reno", False)):
        kernels = await uploaded(faults, 300_000, control)
        fine = [kernel for kernel in kernels if not kernel.total_retransmits]
        assert any(kernel.ssthresh is not None for kernel in fine) is leaves


async def test_data_waits_for_two_hundred_milliseconds_at_least() -> None:
    """The lesson lost-data: RFC 6298 §2.4 would have a second."""
    timeouts = [kernel.rto for kernel in await uploaded([], 1, b"reno")]
    assert timeouts
    assert all(rto is not None and rto >= 0.2e9 for rto in timeouts)
    assert min(rto for rto in timeouts if rto is not None) < 1e9


def test_a_zero_window_probe_carries_no_byte() -> None:
    """The lesson zero-window, whose ladder the kernel must come to: RFC 9293 would send one."""
    ladder = path_of(FOLDER / "zero-window.toml").read_text("utf-8")
    probes = [line for line in ladder.splitlines() if line.endswith(" zero-window-probe")]
    assert len(probes) == 2
    assert all(re.search(r"> \. (\d+):\1\(0\) ", line) for line in probes)


async def test_two_hosts_are_two_namespaces_of_one_kernel() -> None:
    """explanation/wire.md: this process, on one kernel, has sockets of both."""
    async with open_wire() as wire:
        with (
            await wire.client.socket(socket.AF_INET, socket.SOCK_STREAM) as one,
            await wire.server.socket(socket.AF_INET, socket.SOCK_STREAM) as other,
        ):
            cookies = {
                made.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8) for made in (one, other)
            }
    assert len(cookies) == 2
