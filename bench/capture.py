"""What three ways to capture keep of one flood of small frames, and what they cost.

    python bench/capture.py [FRAMES]

Another process floods a private loopback with 64-byte datagrams as fast as it can, and this one
captures: through the mapped ring, through scapy's socket, and with a plain loop of recv. All three
run in turn, several rounds of them, so that the ratios come from one run on one machine.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import trio

from trioecho.capture import Capture
from trioecho.capture.filters import SNAP
from trioecho.capture.packet_socket import Counts, bind, prepare
from trioecho.capture.ring import Ring
from trioecho.capture.scapy_socket import LinuxSniffer, enlarge
from trioecho.hosts.host import open_host
from trioecho.model import Frame

ROUNDS = 3
FLOOD = """
import socket, sys
count, sock = int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
sock.setblocking(True)
for number in range(count):
    sock.sendto(b"%064d" % number, ("127.0.0.1", 9))
"""


class PlainLoop(Capture):
    """The simplest capture: recv until there is no more, and the clock for a time."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__("lo", 1)
        self._sock = sock
        self.link = prepare(sock, "lo", None)
        enlarge(sock)
        bind(sock, "lo")
        self._counts = Counts(sock)

    def dropped(self) -> int:
        return self._counts.dropped()

    def close(self) -> None:
        self._sock.close()

    def _taken(self) -> int:
        return self._counts.taken()

    async def _wait(self) -> None:
        await trio.lowlevel.wait_readable(self._sock)

    def _read(self) -> list[Frame]:
        frames: list[Frame] = []
        while len(frames) < 256:
            try:
                data = self._sock.recv(SNAP)
            except BlockingIOError:
                break
            frames.append(Frame(self.number, time.time_ns(), data, self.link, len(data)))
            self.number += 1
        return frames


WAYS: dict[str, Callable[[socket.socket], Capture]] = {
    "ring": Ring,
    "scapy": LinuxSniffer,
    "recv loop": PlainLoop,
}


class Result(NamedTuple):
    kept: int
    passed: int
    cpu: float
    elapsed: float


async def measure(way: Callable[[socket.socket], Capture], count: int) -> Result:
    """Capture a flood of ``count`` frames one way."""
    kept = 0

    async def consume(batches: trio.MemoryReceiveChannel[list[Frame]]) -> None:
        nonlocal kept
        async for batch in batches:
            kept += len(batch)

    async with open_host() as host:
        sender = await host.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver = await host.socket(socket.AF_INET, socket.SOCK_DGRAM)
        capture = way(await host.socket(socket.AF_PACKET, socket.SOCK_RAW))
        with sender, receiver, capture:
            receiver.bind(("127.0.0.1", 9))
            send, receive = trio.open_memory_channel[list[Frame]](16)
            cpu, start = time.process_time(), time.perf_counter()
            async with trio.open_nursery() as nursery:
                await nursery.start(capture.run, send)
                nursery.start_soon(consume, receive)
                descriptor = sender.fileno()
                await trio.run_process(
                    [sys.executable, "-I", "-S", "-c", FLOOD, str(count), str(descriptor)],
                    pass_fds=[descriptor],
                    stdin=subprocess.DEVNULL,
                )
                elapsed = time.perf_counter() - start
                capture.stop()
            cpu = time.process_time() - cpu
            return Result(kept, kept + capture.dropped(), cpu, elapsed)


async def main(count: int) -> None:
    """Print a row for each way: the median of the rounds."""
    await measure(LinuxSniffer, 1000)  # scapy's import is not what is measured
    rounds = [
        {name: await measure(way, count) for name, way in WAYS.items()} for _ in range(ROUNDS)
    ]
    print(f"{count:,} frames a round, {ROUNDS} rounds, medians")
    print("way          kept    frames/s    CPU s   µs/frame kept   CPU, times the ring's")
    base = statistics.median(one["ring"].cpu / one["ring"].kept for one in rounds)
    for name in WAYS:
        results = [one[name] for one in rounds]
        share = statistics.median(result.kept / result.passed for result in results)
        rate = statistics.median(result.passed / result.elapsed for result in results)
        cpu = statistics.median(result.cpu for result in results)
        each = statistics.median(result.cpu / result.kept for result in results)
        print(
            f"{name:<10} {share:>6.1%} {rate:>11,.0f} {cpu:>8.2f} {each * 1e6:>15.2f}"
            f" {each / base:>23.2f}"
        )


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
