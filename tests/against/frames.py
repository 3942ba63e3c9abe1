"""What tshark and what trioecho say of each TCP frame of a capture."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from trioecho.capture.files import open_capture_file
from trioecho.model import ACK, SYN, Rung
from trioecho.tcp.decode import decode
from trioecho.tcp.fragments import Fragments
from trioecho.tcp.tracker import Tracker

KINDS = (
    *("retransmission", "fast-retransmission", "spurious-retransmission", "out-of-order"),
    *("reused-ports", "lost-segment", "ack-lost-segment", "window-update", "window-full"),
    *("keep-alive", "keep-alive-ack", "zero-window-probe", "zero-window"),
    *("zero-window-probe-ack", "duplicate-ack", "tfo-syn", "tfo-ack", "tfo-ignored"),
)
_NUMBERS = ("tcp.stream", "tcp.seq", "tcp.ack", "tcp.len", "tcp.flags")


class Numbers(NamedTuple):
    """What identifies a segment; seq and ack relative, modulo 2**32."""

    stream: int
    seq: int
    ack: int
    length: int
    flags: int


class Theirs(NamedTuple):
    """tshark's view of a frame."""

    numbers: Numbers
    kinds: frozenset[str]


class Ours(NamedTuple):
    """Our view of a frame, and what the engine knew before it."""

    numbers: Numbers
    kinds: frozenset[str]
    rung: Rung
    first_ack: bool
    peer_sack: bool
    peer_outrun: bool
    peer_syn_data: int


def theirs(tshark: str, path: Path, *, passes: int = 2) -> dict[int, Theirs]:
    """Run tshark over a capture.

    Args:
        tshark: the program.
        path: the capture.
        passes: 1 or 2.

    Returns:
        Its view of each TCP frame, by frame number.
    """
    names = [*_NUMBERS, *(f"tcp.analysis.{kind.replace('-', '_')}" for kind in KINDS)]
    fields = [word for name in ("frame.number", *names) for word in ("-e", name)]
    command = [tshark, *(["-2"] if passes == 2 else []), "-r", str(path), "-Y", "tcp"]
    done = subprocess.run(
        [*command, "-T", "fields", "-E", "separator=|", *fields],
        capture_output=True,
        text=True,
        check=False,  # it leaves with 2 for a file that is cut
    )
    rows = {}
    for line in done.stdout.splitlines():
        words = line.split("|")
        stream, seq, ack, length, flags = words[1:6]
        numbers = Numbers(int(stream), int(seq), int(ack), int(length), int(flags, 16))
        said = words[6:]
        kinds = frozenset(kind for kind, word in zip(KINDS, said, strict=True) if word)
        rows[int(words[0])] = Theirs(numbers, kinds)
    return rows


def ours(path: Path) -> dict[int, Ours]:
    """Our view of each TCP frame of a capture, by frame number."""
    tracker, fragments = Tracker(), Fragments()
    rows = {}
    with open_capture_file(path) as file:
        for frame in (frame for batch in file for frame in batch):
            segment = decode(frame, fragments)
            if segment is None:
                continue
            connection = tracker.find(segment.source, segment.destination)
            first, sack, outrun, data = True, False, False, 0
            if connection is not None:
                ends = connection.client, connection.server
                mine, peer = ends if segment.source == ends[0].endpoint else ends[::-1]
                first, sack = mine.ack is None, bool(peer.sack)
                outrun, data = peer.outrun, peer.syn_data
            rung = tracker.seen(segment)
            numbers = Numbers(
                rung.connection - 1,
                rung.seq % 2**32,
                (rung.ack or 0) % 2**32,
                segment.length,
                segment.flags,
            )
            kinds = frozenset(note.kind for note in rung.notes) & set(KINDS)
            rows[frame.number] = Ours(numbers, kinds, rung, first, sack, outrun, data)
    return rows


def own_captures(folder: Path, run: Sequence[str]) -> list[Path]:
    """Captures of our own: real traffic of the kernel of the day, traced into ``folder``."""
    runs = {
        "plain": ["hello"],
        "rst": ["hello", "--close", "rst"],
        "half": ["--size", "100000", "--close", "half"],
        "ipv6": ["hello", "--ipv6", "--count", "5"],
        "many": ["--size", "50000", "--connections", "20"],
        "large": ["--size", "3000000"],
    }
    paths = []
    for name, arguments in runs.items():
        path = folder / f"{name}.pcapng"
        subprocess.run(
            [*run, "trace", *arguments, "-o", str(path)], check=True, capture_output=True
        )
        paths.append(path)
    return paths


def has_ack(row: Ours) -> bool:
    """Whether the ACK bit is set."""
    return bool(row.rung.segment.flags & ACK)


def is_synack(row: Ours) -> bool:
    """Whether it is a SYN-ACK."""
    return row.rung.segment.flags & (SYN | ACK) == SYN | ACK
