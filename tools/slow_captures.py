"""Makes the captures of the tutorial on what is slow: ``python tools/slow_captures.py``.

The tutorial has the programs. They run on our wire, between two real kernels, and each capture is
what tcpdump would keep at one end: without what was lost on its way there, and of each packet the
first bytes alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("tests", "tools", "bench")]

from blocks import blocks  # noqa: E402
from captures import pcap  # noqa: E402
from frames import RAW  # noqa: E402
from labelled.taps import frames_at  # noqa: E402

import trioecho  # noqa: E402
from trioecho.model import End  # noqa: E402

FOLDER = ROOT / "docs" / "captures"
PAGE = ROOT / "docs" / "tutorials" / "slow.md"
#: Bytes of each packet that are kept: both headers, and a little of the data.
SNAPLEN = 80


class Slow(Struct, frozen=True):
    """A capture of something slow.

    Args:
        server, client: the programs, by their names on the page.
        faults: what the wire does.
        end: where it is captured.
        cause: what its account calls its trouble.
    """

    server: str
    client: str
    faults: tuple[str, ...]
    end: End
    cause: str


CAPTURES = {
    "backup": Slow("store.py", "backup.py", ("delay 5ms",), "client", "slow-reader"),
    "lookup": Slow("answers.py", "lookup.py", ("delay 1ms",), "client", "nagle"),
    "film": Slow(
        "films.py",
        "film.py",
        ("delay 30ms", "police server 4mbit burst 20kB"),
        "server",
        "congestion-window",
    ),
}


def perform(slow: Slow) -> bytes:
    """Run its programs, and return the capture's bytes."""
    with TemporaryDirectory() as scratch:
        for block in blocks(PAGE.read_text("utf-8")):
            if block.title.endswith(".py"):
                Path(scratch, block.title).write_text(block.text, "utf-8")
        words = [sys.executable, "-m", "trioecho", "run", "-o", "wire.pcapng"]
        for end, name in (("--server", slow.server), ("--client", slow.client)):
            words += [end, f"{sys.executable} {name}"]
        for fault in slow.faults:
            words += ["--fault", fault]
        subprocess.run(words, cwd=scratch, check=True, capture_output=True)
        rungs = trioecho.read(Path(scratch, "wire.pcapng")).rungs
    frames = frames_at(rungs, slow.end)
    start = frames[0].time
    packets = []
    for frame in frames:
        seconds, rest = divmod(frame.time - start, 10**9)
        packets.append((seconds, rest // 1000, frame.data[:SNAPLEN], frame.length))
    return pcap(*packets, snaplen=SNAPLEN, link=RAW)


if __name__ == "__main__":
    for name in sys.argv[1:] or CAPTURES:
        FOLDER.joinpath(f"{name}.pcap").write_bytes(perform(CAPTURES[name]))
        print(FOLDER / f"{name}.pcap")
