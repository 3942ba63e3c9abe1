from __future__ import annotations

import json
import threading

import pytest
import trio
import trio.testing
from loopback import running_server

from trioecho.cli import line_writer
from trioecho.cli.send_exchange import Sending, conduct


async def test_whoever_reads_late_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two messages the client waits for its output, which holds up nobody else."""
    written: list[bytes] = []
    reading = threading.Event()

    def write(data: bytes) -> None:
        reading.wait()
        written.append(data)

    monkeypatch.setattr(line_writer, "write_bytes", write)
    count = 3000  # more than may wait
    async with running_server() as server, trio.open_nursery() as nursery:
        sending = Sending(server.address, "hi", None, count, 0.0, 10.0, None, json=True)
        nursery.start_soon(conduct, sending)
        while server.report.open != 1:  # it cannot end before its lines are read
            await trio.testing.wait_all_tasks_blocked()
        reading.set()
    objects = [json.loads(line) for line in b"".join(written).splitlines()]
    messages = [value["number"] for value in objects if value["type"] == "message"]
    assert messages == list(range(1, count + 1))
    assert "missing" not in {value["type"] for value in objects}
