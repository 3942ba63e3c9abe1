"""Whatever frames come: through the whole engine and every renderer, and what must hold then."""

from __future__ import annotations

import io

from trioecho.account import Accounts
from trioecho.capture.files import CaptureFile
from trioecho.errors import TrioechoError
from trioecho.model import Frame, Rung
from trioecho.reading.reading import Reading
from trioecho.render import FORMATS, Setting
from trioecho.render.requests import as_json, table
from trioecho.render.terminal import Terminal
from trioecho.requests import Request, Requests
from trioecho.requests.notes import Noting
from trioecho.tcp.stream import Stream

STEERING = frozenset(range(0x20)) - {0x0A} | {0x7F} | set(range(0x80, 0xA0))


def climb(frames: list[Frame]) -> list[Rung]:
    """Read frames as one capture, show them in every format, and check what is shown."""
    found: list[Request] = []
    requests = Requests(found.append)
    reading = Reading(on_datagram=requests.hear)
    rungs = reading.rungs(frames)
    ask(requests, found, rungs)
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


def ask(requests: Requests, found: list[Request], rungs: list[Rung]) -> None:
    """Find the requests of a capture, and check what is told of them."""
    accounts = Accounts(on_span=requests.take)
    requests.see(rungs)
    accounts.see(rungs)
    requests.stop()
    for account in accounts.end():
        assert sum(cost.time for cost in account.costs) == account.duration
    requests.end()
    assert sorted(one.number for one in found) == list(range(1, len(found) + 1))
    for one in found:
        start, end = one.seen
        assert sum(one.costs.values()) <= end - start
        as_json(one)
    said = [line for line, _ in table(found, 80)]
    for rung in Noting().of(rungs):
        said += (note.text(rung) for note in rung.notes)
    assert not STEERING & set(map(ord, "".join(said)))


def read_and_climb(data: bytes) -> None:
    """Whatever bytes, as a capture file, through everything."""
    try:
        file = CaptureFile(io.BytesIO(data), "it", len(data))
    except TrioechoError:
        return
    with file:
        climb([frame for batch in file for frame in batch][:2000])
