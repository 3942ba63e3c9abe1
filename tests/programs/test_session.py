"""A server and a client, from the start of the one to the end of the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from needs import need_tool
from running import ECHO, python

from trioecho.programs.lines import ProgramLine
from trioecho.programs.session import run_programs
from trioecho.programs.settings import RunSettings
from trioecho.stage.outputs import Output

MANY = 20_000  # lines; far more bytes than the 64 KiB that a pipe holds
WRITE = f"print(*(f'line {{number}}' for number in range({MANY})), sep=chr(10))"


def no_outputs(title: str, interfaces: Sequence[str]) -> list[Output]:
    return []


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize("calls", [False, True])
async def test_a_slow_reader_gets_all_that_the_client_wrote(calls: bool) -> None:
    """The client has long ended when its last lines are told."""
    if calls:
        need_tool("strace")
    told: list[str] = []

    async def tell(lines: Sequence[ProgramLine]) -> None:
        for _ in range(10):
            await trio.lowlevel.checkpoint()
        told.extend(line.text for line in lines if line.end == "client")

    settings = RunSettings(
        server=tuple(python(ECHO, "10.0.0.2")), client=tuple(python(WRITE)), calls=calls
    )
    assert await run_programs(settings, no_outputs, tell) == 0
    assert told == [f"line {number}" for number in range(MANY)]
