"""The project's own captures. Each kind is a generator here; ``own_captures`` has all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import trio
from broken import play_all
from capture_file import write
from captures import pcap
from frames import RAW, frames
from ladders import MARKS, STATES, VERDICTS

from trioecho.render import Setting
from trioecho.render.pcapng import Pcapng
from trioecho.stage.wire import INTERFACES

BROKEN = 30


def own_captures(folder: Path, run: Sequence[str] | None) -> Iterator[Path]:
    """Make every capture of our own.

    Args:
        folder: where to put them.
        run: how trioecho is run, for real traffic; None where there is no namespace for it.
    """
    yield from ladder_captures(folder)
    yield from loss_captures(folder)
    if run is not None:
        yield from traced_captures(folder, run)
        yield from broken_captures(folder)


def ladder_captures(folder: Path) -> Iterator[Path]:
    """The segments of every ladder that the engine's tests are written in."""
    ladders = {**STATES, **MARKS, **VERDICTS}
    for number, text in enumerate(ladders.values(), 1):
        path = folder / f"ladder-{number}.pcap"
        packets = [
            (*divmod(frame.time, 1_000_000_000), frame.data, frame.length)
            for _, frame in frames(text)
        ]
        path.write_bytes(pcap(*packets, link=RAW, magic=0xA1B23C4D))
        yield path


def loss_captures(folder: Path) -> Iterator[Path]:
    """Many connections with losses, before the tap and behind it."""
    path = folder / "losses.pcap"
    write(path, 20_000, 50)
    yield path


def traced_captures(folder: Path, run: Sequence[str]) -> Iterator[Path]:
    """Real traffic of the kernel of the day, traced in a private namespace."""
    runs = {
        "plain": ["hello"],
        "rst": ["hello", "--close", "rst"],
        "half": ["--size", "100000", "--close", "half"],
        "ipv6": ["hello", "--ipv6", "--count", "5"],
        "many": ["--size", "50000", "--connections", "20"],
        "large": ["--size", "3000000"],
    }
    for name, arguments in runs.items():
        path = folder / f"{name}.pcapng"
        subprocess.run(
            [*run, "trace", *arguments, "-o", str(path)], check=True, capture_output=True
        )
        yield path


def broken_captures(folder: Path) -> Iterator[Path]:
    """Real kernels on private wires with faults by chance, seen as they were sent."""
    for seed, rungs in trio.run(play_all, range(BROKEN)).items():
        path = folder / f"broken-{seed}.pcapng"
        renderer = Pcapng(Setting(interfaces=INTERFACES))
        path.write_bytes(renderer.begin() + renderer.show(rungs))
        yield path
