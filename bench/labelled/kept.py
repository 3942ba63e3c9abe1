"""Performed runs, kept in a folder: the wire of each as pcapng, and beside it what no capture has.

So they can be judged again without being performed again, and each read by ``trioecho read``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from labelled.party import Did
from labelled.perform import Run
from trioecho.capture.files import open_capture_file
from trioecho.model import CaptureSummary, Kernel, Rung, Summary
from trioecho.reading.reading import Reading
from trioecho.render.pcapng import Pcapng
from trioecho.render.renderer import Setting


class Beside(Struct):
    """What a run leaves that its capture does not hold; as those of ``Run``.

    Args:
        kernels: what both kernels said at each rung where they were asked, by its number.
    """

    seed: int
    log: list[Did]
    whole: bool
    stalled: int
    kernels: dict[int, tuple[Kernel | None, Kernel | None]] = field(default_factory=dict)


def keep(folder: Path, run: Run) -> None:
    """Write a run into a folder."""
    pcapng = Pcapng(Setting(f"seed {run.seed}: {', '.join(run.scenario.names)}", ["wire"]))
    summary = Summary((), CaptureSummary("wire", len(run.rungs), 0))
    parts = pcapng.begin(), pcapng.show(run.rungs), pcapng.end(summary)
    (folder / f"{run.seed}.pcapng").write_bytes(b"".join(parts))
    beside = Beside(run.seed, run.log, run.whole, run.stalled)
    for rung in run.rungs:
        if rung.client_kernel or rung.server_kernel:
            beside.kernels[rung.number] = rung.client_kernel, rung.server_kernel
    (folder / f"{run.seed}.json").write_bytes(msgspec.json.encode(beside))


def kept(folder: Path, seed: int) -> Run | None:
    """Read a run from a folder; None where it was not kept."""
    path = folder / f"{seed}.json"
    if not path.exists():
        return None
    beside = msgspec.json.decode(path.read_bytes(), type=Beside)
    rungs = tuple(_rungs(folder / f"{seed}.pcapng", beside))
    return Run(seed, rungs, beside.log, beside.whole, beside.stalled)


def _rungs(path: Path, beside: Beside) -> Iterator[Rung]:
    with open_capture_file(str(path)) as file:
        for rung in Reading().through(file):
            client, server = beside.kernels.get(rung.number, (None, None))
            yield replace(rung, client_kernel=client, server_kernel=server)
