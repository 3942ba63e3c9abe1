"""The project's own captures. Each kind is a generator here; ``own_captures`` has all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import trio
import warm
from broken import play_all
from capture_file import write
from captures import pcap
from crafted import crafted
from frames import RAW, frames
from ladders import MARKS, STATES, VERDICTS

BROKEN = 15


def own_captures(folder: Path) -> Iterator[Path]:
    """Make every capture of our own."""
    yield from ladder_captures(folder)
    yield from loss_captures(folder)
    yield from wrapped_captures(folder)
    yield from traced_captures(folder)
    yield from broken_captures(folder)


def ladder_captures(folder: Path) -> Iterator[Path]:
    """The segments of every ladder that the engine's tests are written in.

    In one file, since starting tshark takes longer than all of them; each has its own addresses.
    """
    path = folder / "ladders.pcap"
    packets = []
    for number, text in enumerate({**STATES, **MARKS, **VERDICTS}.values()):
        for _, frame in frames(text):
            data = _moved(frame.data, number)
            packets.append((*divmod(frame.time, 1_000_000_000), data, frame.length))
    path.write_bytes(pcap(*packets, link=RAW, magic=0xA1B23C4D))
    yield path


def _moved(packet: bytes, number: int) -> bytes:
    """An IPv4 packet with other addresses; each number has a network of its own."""
    network = bytes((10, *divmod(number, 256)))
    return packet[:12] + network + packet[15:16] + network + packet[19:]


def loss_captures(folder: Path) -> Iterator[Path]:
    """Many connections with losses, before the tap and behind it."""
    path = folder / "losses.pcap"
    write(path, 20_000, 50)
    yield path


def wrapped_captures(folder: Path) -> Iterator[Path]:
    """Ladders in every tag, tunnel and fragment that tshark looks through unasked."""
    for name, data in crafted():
        if name not in ("pseudowire", "everything"):  # it takes a preference for the first
            path = folder / f"{name}.pcap"
            path.write_bytes(data)
            yield path


def traced_captures(folder: Path) -> Iterator[Path]:
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
        warm.run("trace", *arguments, "-o", str(path)).check_returncode()
        yield path


def broken_captures(folder: Path) -> Iterator[Path]:
    """Real kernels on private wires with faults by chance, seen as they were sent."""
    path = folder / "broken.pcap"
    packets = []
    for seed, rungs in trio.run(play_all, range(BROKEN)).items():
        for frame in (rung.segment.frame for rung in rungs):
            data = _moved(frame.data, seed)
            packets.append((*divmod(frame.time, 1_000_000_000), data, frame.length))
    path.write_bytes(pcap(*packets, link=RAW, magic=0xA1B23C4D))
    yield path
