"""What starting costs: ``trioecho send hi`` beside a bare trio client, against one server.

Both are whole processes, taken in turn so that a busy moment of the machine meets both. The client
beside it is what one would write by hand: connect, send, receive, check. Run it with
``python bench/startup.py [ROUNDS]``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

BARE = """
import sys, trio

async def main():
    stream = await trio.open_tcp_stream("127.0.0.1", int(sys.argv[1]))
    async with stream:
        await stream.send_all(b"hi")
        data = await stream.receive_some(65536)
        await stream.send_eof()
        assert data == b"hi"
        print("Message received from the server:", data)

trio.run(main)
"""
LIMIT = 1.5


def seconds(command: list[str]) -> float:
    """How long one process takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Measure, print the table, and say whether the limit holds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    trioecho = [sys.executable, "-m", "trioecho"]
    serve = [*trioecho, "serve", "127.0.0.1:0", "--quiet"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip().rpartition(":")[2]
        commands = {
            "bare trio client": [sys.executable, "-c", BARE, port],
            "trioecho send hi": [*trioecho, "send", "hi", "--to", port],
            "trioecho --help": [*trioecho, "--help"],
        }
        try:
            for command in commands.values():  # once without counting: files into the cache
                seconds(command)
            times: dict[str, list[float]] = {name: [] for name in commands}
            for _ in range(rounds):
                for name, command in commands.items():
                    times[name].append(seconds(command))
        finally:
            server.terminate()
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    bare = medians["bare trio client"]
    print(f"whole process, median of {rounds}, Python {sys.version.split()[0]}")
    for name, median in medians.items():
        print(f"  {name:18} {median * 1000:6.1f} ms   {median / bare:4.2f}")
    return 0 if medians["trioecho send hi"] <= LIMIT * bare else 1


if __name__ == "__main__":
    sys.exit(main())
