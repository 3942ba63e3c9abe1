"""What ``trioecho watch`` keeps of a flood, and what that costs.

    python bench/watch.py [FRAMES A SECOND]... [--for SECONDS]

On a private loopback, one processor floods itself with 16-byte TCP segments over 50 connections at
a given rate, and ``trioecho watch --table`` has another processor for itself. Then Ctrl-C, which
lets it finish what it has captured. All numbers of a row come from one run: how many frames passed
the loopback, by the interface's own count, how many were analysed and how many dropped, the
processor's time, how long the watch was still at work after the flood, and its largest memory.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

CONNECTIONS = 50
AT_ONCE = 5  # connections between two looks at how far the flood has come
BURST = 8  # segments that one connection gets in a row
MESSAGE = b"x" * 16
INSIDE = "TRIOECHO_BENCH_INSIDE"


class Row(NamedTuple):
    passed: int
    kept: int
    dropped: int
    elapsed: float
    cpu: float
    late: float
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("rates", nargs="*", type=int, default=[50_000, 100_000, 150_000])
    parser.add_argument("--for", dest="seconds", type=float, default=10.0)
    options = parser.parse_args()
    if INSIDE not in os.environ:
        command = ["unshare", "-Urn", sys.executable, *sys.argv]
        sys.exit(subprocess.call(command, env={**os.environ, INSIDE: "1"}))
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("It takes two processors: one for the flood and one for the watch")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(
        "  asked/s  passed/s      passed        kept    dropped   CPU s  µs/frame   late s    MiB"
    )
    for rate in options.rates:
        one = measure(rate, options.seconds)
        print(
            f"{rate:>9,} {one.passed / one.elapsed:>9,.0f} {one.passed:>11,} {one.kept:>11,}"
            f" {one.dropped:>10,} {one.cpu:>7.2f} {one.cpu / max(one.kept, 1) * 1e6:>9.2f}"
            f" {one.late:>8.2f} {one.memory >> 10:>6,}",
            flush=True,
        )


def measure(rate: int, seconds: float) -> Row:
    """Flood at a rate, and watch."""
    here, there = sorted(os.sched_getaffinity(0))[:2]
    with subprocess.Popen(
        [sys.executable, "-m", "trioecho", "watch", "--interface", "lo", "--table"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {there}),
    ) as watch:
        while not capturing():
            time.sleep(0.01)
        os.sched_setaffinity(0, {here})
        before, begun = frames(), time.perf_counter()
        flood(rate, seconds)
        elapsed, passed = time.perf_counter() - begun, frames() - before
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        watch.send_signal(signal.SIGINT)
        begun = time.perf_counter()
        assert watch.stdout is not None
        text = " ".join(watch.stdout.read().split())
        watch.wait()
        late = time.perf_counter() - begun
        os.sched_setaffinity(0, {here, there})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
    kept = re.search(r"captured ([\d,]+) frames?", text)
    dropped = re.search(r"the kernel dropped ([\d,]+)", text)
    assert kept, text[-500:]
    assert dropped, text[-500:]
    return Row(passed, number(kept), number(dropped), elapsed, cpu, late, after.ru_maxrss)


def number(match: re.Match[str]) -> int:
    """A count as the summary writes it."""
    return int(match[1].replace(",", ""))


def capturing() -> bool:
    """Whether a packet socket is bound: each has a line of address, references, type, protocol,
    interface and whether it runs."""
    sockets = Path("/proc/net/packet").read_text().splitlines()[1:]
    return any(line.split()[5] == "1" for line in sockets)


def frames() -> int:
    """Frames that have passed the loopback."""
    text = Path("/proc/net/dev").read_text()
    return int(text.partition(" lo:")[2].split()[1])


def flood(rate: int, seconds: float) -> None:
    """Send small segments, in bursts, as many as make so many frames a second with their ACKs."""
    with socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS) as server:
        pairs = []
        for _ in range(CONNECTIONS):
            client = socket.create_connection(server.getsockname())
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pairs.append((client, server.accept()[0]))
        start, end = time.perf_counter(), time.perf_counter() + seconds
        first, at = frames(), 0
        while (now := time.perf_counter()) < end:
            if frames() - first > rate * (now - start):
                continue
            for client, peer in pairs[at : at + AT_ONCE]:
                for _ in range(BURST):
                    client.send(MESSAGE)
                peer.recv(1 << 16)
            at = (at + AT_ONCE) % CONNECTIONS
        for client, peer in pairs:
            client.close()
            peer.close()


if __name__ == "__main__":
    main()
