"""How fast a capture is read, beside tshark and tcptrace, in one run.

    python bench/read.py [FRAMES [ROUNDS]]

A capture of 2 million frames over 400 connections, with losses, is made and read by each in turn,
three times over. Frames per second of wall time, and the CPU time taken; ratios are to the two
tshark runs of the same round. Medians of the rounds: a machine is seldom as quiet as it looks.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from capture_file import write

CONNECTIONS = 400
# What `--format json` has to know before it writes: every rung of every connection, with all its
# verdicts. In as many processes as are asked for, each for its part of the connections, as the
# table is made; what is written in the order of the capture, one process writes alone.
ANALYSIS = """
import gc, os, sys
from trioecho.capture.files import open_capture_file
from trioecho.reading.reading import Reading, Share
from trioecho.reading.sharing import processors
gc.disable()
parts = int(sys.argv[2]) or processors()
children = []
for part in range(1, parts):
    child = os.fork()
    if not child:
        break
    children.append(child)
else:
    part = 0
share = Share(part, parts)
reading = Reading(share=share)
with open_capture_file(sys.argv[1], passing=share.passes if parts > 1 else None) as file:
    for frames in file:
        for rung in reading.rungs(frames):
            rung.notes
    assert reading.tracker.rungs and not file.trouble
for child in children if part == 0 else ():
    assert os.waitpid(child, 0)[1] == 0
"""


def measure(command: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(frames: int, rounds: int) -> None:
    """Make the capture, run each, and print the table."""
    tshark, tcptrace = which("tshark"), which("tcptrace")
    fields = ["-T", "fields", "-e", "tcp.stream", "-e", "tcp.analysis.flags"]
    with TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = str(Path(folder) / "bench.pcap")
        count = write(Path(path), frames, CONNECTIONS)
        print(f"{count:,} frames, {CONNECTIONS} connections, {os.path.getsize(path) >> 20} MiB")
        python = [sys.executable, "-m", "trioecho"]
        runs = {
            "trioecho, full analysis": [sys.executable, "-c", ANALYSIS, path, "0"],
            "the same in one process": [sys.executable, "-c", ANALYSIS, path, "1"],
            "trioecho read --format json": [*python, "read", path, "--format", "json"],
            "trioecho read, table": [*python, "read", "--all", path],
        }
        if tshark:
            runs["tshark -T fields"] = [tshark, "-r", path, *fields]
            runs["tshark -q -z conv,tcp"] = [tshark, "-r", path, "-q", "-z", "conv,tcp"]
        if tcptrace:
            runs["tcptrace -l"] = [tcptrace, "-l", path]
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, command in runs.items():
                taken[name].append(measure(command))
    for name, times in taken.items():
        wall, cpu = (median(column) for column in zip(*times, strict=True))
        print(f"{name:30}{count / wall:>12,.0f} frames/s {wall:8.2f} s wall {cpu:8.2f} s CPU")

    def ratio(ours: str, theirs: str) -> str:
        ratios = [b[0] / a[0] for a, b in zip(taken[ours], taken[theirs], strict=True)]
        return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"

    if tshark:
        full = ratio("trioecho, full analysis", "tshark -T fields")
        table = ratio("trioecho read, table", "tshark -q -z conv,tcp")
        print(f"full analysis: {full} times tshark's fields (to reach: 4)")
        print(f"table:         {table} times tshark's conv (to reach: 2)")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [2_000_000, 3][len(given) :]))
