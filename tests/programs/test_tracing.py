"""What strace writes is read as it comes, and no more of it than there is."""

from __future__ import annotations

from typing import cast

from trioecho.programs.connecting import Finder
from trioecho.programs.pipe import Pipe
from trioecho.programs.tracing import Tracing
from trioecho.stage.journal import Journal

LINE = (
    b'7 1700000000.000100000 recvfrom(4<TCP:[10.0.0.2:7->10.0.0.1:40000]>, "", 1024, 0, NULL, NULL)'
    b" = 0 <0.000010000>\n"
)


class Endless:
    """The pipe of a program that spins: whenever it is read there is more."""

    def __init__(self) -> None:
        self.reads = 0

    def read_now(self) -> bytes:
        self.reads += 1
        assert self.reads < 1_000, "it reads for ever"
        return LINE


def test_a_segment_does_not_wait_for_the_end_of_a_spin() -> None:
    pipe, journal = Endless(), Journal()
    Tracing(cast(Pipe, pipe), "server", journal=journal, finder=Finder(journal.tracker))
    for times in range(1, 4):
        journal.catch_up()
        assert pipe.reads == times
    assert len(journal.pending()) == 3
