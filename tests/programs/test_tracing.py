"""What strace writes is read as it comes, and no more of it than there is."""

from __future__ import annotations

from typing import cast

import frames
import pytest

from trioecho.model import Call
from trioecho.packet.decode import decode
from trioecho.programs import tracing
from trioecho.programs.connecting import Finder
from trioecho.programs.pipe import Pipe
from trioecho.programs.tracing import Tracing
from trioecho.stage.journal import Journal

START = 1_700_000_000_000_000_000
ENDS = b"4<TCP:[10.0.0.1:40000->10.0.0.2:7]>"
RECV = b"7 1700000000.000100000 recvfrom(" + ENDS + b', "", 9, 0, NULL, NULL) = 0 <0.000900000>\n'
SEND = b"7 1700000000.002000000 sendto(" + ENDS + b', "\\x61", 1, 0, NULL, 0) = 1 <0.000900000>\n'


class Written:
    """The pipe of a program that writes while it is read."""

    def __init__(self, *texts: bytes) -> None:
        self.texts = list(texts)

    def read_now(self) -> bytes:
        return self.texts.pop(0) if self.texts else b""


def traced(*texts: bytes, tapped: bool) -> Journal:
    journal = Journal(tapped=tapped)
    pipe = cast(Pipe, Written(*texts))
    Tracing(pipe, "client", journal=journal, finder=Finder(journal.tracker))
    return journal


def test_a_segment_does_not_wait_for_the_end_of_a_spin() -> None:
    journal = traced(*[RECV] * 1_000, tapped=False)
    journal.catch_up()
    assert sum(one.times for one in journal.pending() if isinstance(one, Call)) < 20


def test_a_call_that_waited_comes_before_what_was_sent_while_it_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The machine is busy: between the pipe and the clock the program has sent its next segment."""
    monkeypatch.setattr(tracing, "time_ns", lambda: START + 4_000_000)
    journal = traced(RECV, SEND, tapped=True)
    journal.catch_up()
    ((_, frame),) = frames.frames("+0.003 > P. 1:2(1) ack 1")
    segment = decode(frame)
    assert segment is not None
    journal.seen(segment)
    journal.settle(journal.moment())
    story = [getattr(one, "name", "segment") for one in journal.ready()]
    assert story == ["recv", "send", "segment"]
