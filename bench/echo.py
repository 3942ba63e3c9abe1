"""``trioecho serve`` beside other echo servers, taking turns in one run.

    python bench/echo.py [ROUNDS [SECONDS]]

Each server has one process. The load, in C, keeps one message in flight on each connection; it
costs about as much as the server it drives. Medians of the rounds; a ratio is to uvloop in the same
round. CPU is the server's, in seconds a million round trips. Last, ten thousand connections that
say nothing: how long until all are accepted, and what each costs the server in memory of its own.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

WORK = [(1, 64), (50, 64), (1000, 64), (8, 2**18), (1, 2**20), (8, 2**20)]  # connections, bytes
IDLE = 10_000
TICKS = os.sysconf("SC_CLK_TCK")

ASYNCIO = """
import asyncio, sys
class Echo(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(data)
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()
if sys.argv[2] == "uvloop":
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""
TRIO = """
import sys, trio
async def echo(stream):
    try:
        async for data in stream:
            await stream.send_all(data)
    except trio.BrokenResourceError:
        pass
trio.run(trio.serve_tcp, echo, int(sys.argv[1]))
"""
GO = """
package main
import ("io"; "net"; "os")
func main() {
    listener, _ := net.Listen("tcp", "127.0.0.1:" + os.Args[1])
    for {
        connection, err := listener.Accept()
        if err == nil { go func() { io.Copy(connection, connection); connection.Close() }() }
    }
}
"""


class Measured(NamedTuple):
    """One server under one load."""

    round_trips: float
    bytes: float
    p50: float
    p99: float
    p999: float
    cpu: float


def servers(folder: Path) -> dict[str, Callable[[int], Sequence[str]]]:
    """The command of each server that is here, by its port."""
    python = sys.executable
    found: dict[str, Callable[[int], Sequence[str]]] = {
        "trioecho": lambda port: [
            python,
            "-m",
            "trioecho",
            "serve",
            str(port),
            "-q",
            "--backlog",
            "4096",
        ],
        "uvloop": lambda port: [python, "-c", ASYNCIO, str(port), "uvloop"],
        "asyncio": lambda port: [python, "-c", ASYNCIO, str(port), "asyncio"],
        "trio": lambda port: [python, "-c", TRIO, str(port)],
    }
    if which("socat"):
        address = "TCP-LISTEN:{},bind=127.0.0.1,reuseaddr,fork,backlog=4096"
        found["socat"] = lambda port: ["socat", address.format(port), "EXEC:cat"]
    if which("ncat"):
        found["ncat"] = lambda port: [
            "ncat",
            "-l",
            "-k",
            "-m",
            "2000",
            "127.0.0.1",
            str(port),
            "-e",
            "/bin/cat",
        ]
    if which("go"):
        (folder / "echo.go").write_text(GO)
        subprocess.run(["go", "build", "-o", folder / "go-echo", folder / "echo.go"], check=True)
        found["Go"] = lambda port: [str(folder / "go-echo"), str(port)]
    return found


@contextmanager
def running(command: Callable[[int], Sequence[str]]) -> Iterator[tuple[int, int]]:
    """A server; yields its process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    server = subprocess.Popen(
        command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port)) as client:
                    client.sendall(b"x")  # it may listen before it is ready
                    client.recv(1)
                break
            except ConnectionRefusedError:
                if server.poll() is not None:
                    raise SystemExit(f"{command(port)} ended") from None
                time.sleep(0.02)
        yield server.pid, port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def cpu(pid: int) -> float:
    """CPU seconds of a process and its children that have ended, or still run."""
    group = os.getpgid(pid)
    ticks = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory(pid: int) -> int:
    """Bytes that a process has for itself."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(
        int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Private_")
    )


def measure(load: str, server: tuple[int, int], work: tuple[int, int], seconds: float) -> Measured:
    """Put a server under a load."""
    pid, port = server
    before = cpu(pid)
    words = [load, str(port), *map(str, work), str(seconds)]
    told = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    used = (cpu(pid) - before) / max(1.0, told["round_trips"] * seconds) * 1e6
    return Measured(**told, cpu=used)


def idle(server: tuple[int, int]) -> tuple[float, float]:
    """Seconds until ten thousand connections are accepted, and bytes that each costs."""
    pid, port = server
    before, start = memory(pid), time.perf_counter()
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(IDLE)]
    for client in (clients[0], clients[-1]):  # the last one is served: all are accepted
        client.sendall(b"x")
        assert client.recv(1) == b"x"
    took, after = time.perf_counter() - start, memory(pid)
    for client in clients:
        client.close()
    return took, (after - before) / IDLE


def main(rounds: int, seconds: float) -> None:
    """Measure each in turn, and print the tables."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with TemporaryDirectory() as folder:
        load = str(Path(folder) / "echo_load")
        source = Path(__file__).with_name("echo_load.c")
        subprocess.run(["cc", "-O2", "-o", load, source], check=True)
        commands = servers(Path(folder))
        for work in WORK:
            many = {"socat", "ncat"} if work[0] > 100 else set()  # a process each
            names = [name for name in commands if name not in many]
            found: dict[str, list[Measured]] = {name: [] for name in names}
            for _ in range(rounds):
                for name in names:
                    with running(commands[name]) as server:
                        found[name].append(measure(load, server, work, seconds))
            table(work, found)
        print(f"\n{IDLE:,} idle connections")
        for name in ("trioecho", "uvloop", "asyncio", "trio"):
            with running(commands[name]) as server:
                took, each = idle(server)
            print(f"  {name:10}{took:8.2f} s{each:10,.0f} B each")


def table(work: tuple[int, int], found: dict[str, list[Measured]]) -> None:
    """Print what one kind of work came to."""
    print(f"\n{work[0]:,} connections of {work[1]:,} B")
    print(
        f"  {'':10}{'trips/s':>10}{'ratio':>7}{'GB/s':>7}{'p50 us':>9}{'p99':>9}{'p99.9':>9}"
        f"{'CPU s':>8}{'ratio':>7}"
    )
    beside = found["uvloop"]
    for name, rows in found.items():
        middle = Measured(*map(median, zip(*rows, strict=True)))
        faster = median(a.round_trips / b.round_trips for a, b in zip(rows, beside, strict=True))
        dearer = median(a.cpu / b.cpu for a, b in zip(rows, beside, strict=True) if b.cpu)
        print(
            f"  {name:10}{middle.round_trips:10,.0f}{faster:7.2f}{middle.bytes / 1e9:7.2f}"
            f"{middle.p50:9,.0f}{middle.p99:9,.0f}{middle.p999:9,.0f}{middle.cpu:8.2f}{dearer:7.2f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 3, float(sys.argv[2]) if sys.argv[2:] else 2.0)
