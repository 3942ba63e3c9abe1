"""What the account of each connection's time costs beside reading, in one run.

    python bench/account.py [FRAMES [ROUNDS]]

A capture of 400 connections, with losses, is read without and with an account of each connection,
and shown as a table, as JSON and by ``why``, all in turn. Processor time, since an account waits
for nothing; medians of the rounds.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from capture_file import write
from read import CONNECTIONS, measure

READING = """
import gc, sys
from trioecho.account import Accounts
from trioecho.capture.files import open_capture_file
from trioecho.reading.reading import Reading
gc.disable()
reading, accounts, accounting = Reading(), Accounts(), sys.argv[2] == "account"
with open_capture_file(sys.argv[1]) as file:
    for frames in file:
        rungs = reading.rungs(frames)
        if accounting:
            accounts.see(rungs)
    assert reading.tracker.rungs and not file.trouble
assert bool(list(accounts.end())) == accounting
"""


def main(frames: int, rounds: int) -> None:
    """Make the capture, run each, and print what each takes."""
    with TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = str(Path(folder) / "bench.pcap")
        count = write(Path(path), frames, CONNECTIONS)
        print(f"{count:,} frames, {CONNECTIONS} connections, {os.path.getsize(path) >> 20} MiB")
        python = [sys.executable, "-m", "trioecho"]
        runs = {
            "every rung": [sys.executable, "-c", READING, path, "rungs"],
            "and every account": [sys.executable, "-c", READING, path, "account"],
            "trioecho read, table": [*python, "read", path],
            "trioecho read --format json": [*python, "read", path, "--format", "json"],
            "trioecho why --format json": [*python, "why", path, "--format", "json"],
        }
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, command in runs.items():
                taken[name].append(measure(command)[1])
    for name, times in taken.items():
        print(f"{name:30}{median(times) / count * 1e6:>8.2f} us a frame")
    pairs = zip(taken["every rung"], taken["and every account"], strict=True)
    shares = [both / rungs - 1 for rungs, both in pairs]
    print(
        f"an account of every connection: {median(shares):.0%} ({min(shares):.0%} to "
        f"{max(shares):.0%}) of the time that every rung takes"
    )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [1_000_000, 3][len(given) :]))
