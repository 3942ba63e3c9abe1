"""Whatever frames come: through the whole engine and every renderer, and what must hold then."""

from __future__ import annotations

import io

from trioecho.capture.files import CaptureFile
from trioecho.errors import TrioechoError
from trioecho.model import Frame, Rung
from trioecho.reading.reading import Reading
from trioecho.render import FORMATS, Setting
from trioecho.render.terminal import Terminal
from trioecho.tcp.stream import Stream

STEERING = frozenset(range(0x20)) - {0x0A} | {0x7F} | set(range(0x80, 0xA0))


def climb(frames: list[Frame]) -> list[Rung]:
    """Read frames as one capture, show them in every format, and check what is shown."""
    reading = Reading()
    rungs = reading.rungs(frames)
    summary = reading.summary("it", 0)
    streams = {"client": Stream(), "server": Stream()}
    for rung in rungs:
        segment = rung.segment
        assert 0 <= segment.length < 1 << 32
        assert len(segment.payload) <= segment.length
        assert rung.number == segment.frame.number
        streams[rung.sender].push(rung.seq, segment.payload)
    for stream in streams.values():
        stream.flush()
    for name, make in FORMATS.items():
        renderer = make(Setting(several=True))
        data = renderer.begin() + renderer.show(rungs) + renderer.end(summary)
        if name != "pcapng":
            assert not STEERING & set(map(ord, data.decode("utf-8")))
    Terminal(Setting()).table("it", summary.connections, 0)
    return rungs


def read_and_climb(data: bytes) -> None:
    """Whatever bytes, as a capture file, through everything."""
    try:
        file = CaptureFile(io.BytesIO(data), "it", len(data))
    except TrioechoError:
        return
    with file:
        climb([frame for batch in file for frame in batch][:2000])
