"""Two baselines: symptoms counted as in tshark, and the triage of web100."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from labelled.perform import Run
from labelled.taps import frames_at
from labelled.way import Way
from trioecho.model import Frame

_FIELDS = (
    *("ip.addr", "tcp.flags.syn", "tcp.flags.ack", "tcp.flags.reset"),
    *("tcp.analysis.zero_window", "tcp.analysis.window_full"),
    *("tcp.analysis.retransmission", "tcp.analysis.fast_retransmission"),
    "tcp.analysis.spurious_retransmission",
)
_CLIENT = bytes((10, 0, 0, 1))
_HEADER = bytes.fromhex("4d3cb2a1 02000400 00000000 00000000 00000400 65000000")


def by_tshark(runs: Sequence[Run]) -> list[set[str]]:
    """What an engineer reads from tshark's symptoms, of a capture at each run's sender.

    Returns:
        The causes of each run, as its symptoms suggest them.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.pcap"
        with path.open("wb") as file:
            file.write(_HEADER)
            for number, run in enumerate(runs):
                for frame in frames_at(run.rungs, run.scenario.end):
                    file.write(_record(frame, number))
        command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
        for name in _FIELDS:
            command += ["-e", name]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seen: list[Counter[str]] = [Counter() for _ in runs]
    for line in told.splitlines():
        addresses, *flags = line.split("\t")
        client = next(one for one in addresses.split(",") if not one.endswith(".2"))
        _, high, low, _ = map(int, client.split("."))
        _count(seen[high << 8 | low], [flag not in ("", "0", "False") for flag in flags])
    return [_read(symptoms) for symptoms in seen]


def _record(frame: Frame, number: int) -> bytes:
    mine = bytes((10, number >> 8, number & 255, 1))
    data = frame.data
    source, destination = (mine if one == _CLIENT else one for one in (data[12:16], data[16:20]))
    data = data[:12] + source + destination + data[20:128]
    seconds, rest = divmod(frame.time, 1_000_000_000)
    parts = (seconds, rest, len(data), frame.length)
    return b"".join(part.to_bytes(4, "little") for part in parts) + data


def _count(symptoms: Counter[str], flags: list[bool]) -> None:
    syn, ack, reset, zero, full, again, fast, spurious = flags
    symptoms["segments"] += 1
    symptoms["answers"] += syn and ack
    symptoms["syn"] += syn
    symptoms["reset"] += reset
    symptoms["slow-reader"] += zero
    symptoms["receive-buffer"] += full
    symptoms["handshake-loss"] += syn and again
    symptoms["spurious"] += spurious
    symptoms["fast-recovery"] += fast
    symptoms["timeout"] += again and not (syn or fast or spurious)


def _read(symptoms: Counter[str]) -> set[str]:
    if symptoms["syn"] == symptoms["segments"]:
        return {"no-answer"}
    if symptoms["reset"] and not symptoms["answers"]:
        return {"refused"}
    found = {
        cause
        for cause in ("slow-reader", "receive-buffer", "handshake-loss", "spurious")
        if symptoms[cause]
    }
    if "slow-reader" in found:
        found.discard("receive-buffer")
    return found | {cause for cause in ("fast-recovery", "timeout") if symptoms[cause]}


def by_web100(run: Run) -> dict[str, float]:
    """How the sender's kernel shares its time: limited by the receiver, by its buffer, or the path.

    Returns:
        Shares of the run's time, by the cause that each limit suggests.
    """
    way = Way(run, run.scenario.end)
    whole = run.rungs[-1].time - run.rungs[0].time if run.rungs else 0
    last = next((kernel for _, kernel in reversed(way.kernels) if kernel.busy is not None), None)
    if last is None or not whole:
        return {}
    receiver, buffer = last.receiver_limited or 0, last.send_buffer_limited or 0
    path = max(0, (last.busy or 0) - receiver - buffer)
    return {
        "receive-buffer": receiver / whole,
        "send-buffer": buffer / whole,
        "congestion-window": path / whole,
        "application": max(0.0, 1 - (receiver + buffer + path) / whole),
    }
