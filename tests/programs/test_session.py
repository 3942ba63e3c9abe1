"""A server and a client, from the start of the one to the end of the other."""

# covers: programs/session, programs/telling

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent

import pytest
import trio
from needs import need_tool
from running import ECHO, python

from trioecho.model import Rung, Summary
from trioecho.programs.lines import ProgramLine
from trioecho.programs.session import run_programs
from trioecho.programs.settings import RunSettings
from trioecho.render import Event
from trioecho.stage.outputs import Output

MANY = 20_000  # lines; far more bytes than the 64 KiB that a pipe holds
WRITE = f"print(*(f'line {{number}}' for number in range({MANY})), sep=chr(10))"
ONE_BY_ONE = dedent("""
    import socket, sys
    with socket.create_connection((sys.argv[1], 7)) as one:
        for number in range(20):
            one.sendall(b"x")
            print(one.recv(1), flush=True)
""")


class Times:
    """Shows the times of segments."""

    def __init__(self, shown: list[tuple[str, int]]) -> None:
        self.shown = shown

    def begin(self) -> bytes:
        return b""

    def show(self, events: Sequence[Event]) -> bytes:
        self.shown += [("rung", event.time) for event in events if isinstance(event, Rung)]
        return b""

    def end(self, summary: Summary) -> bytes:
        self.shown.append(("end", 0))
        return b""


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize("calls", [False, True])
async def test_a_line_comes_behind_all_that_is_older_in_the_ladder(calls: bool) -> None:
    if calls:
        need_tool("strace")
    shown: list[tuple[str, int]] = []

    async def tell(lines: Sequence[ProgramLine]) -> None:
        shown.extend(("line", line.time) for line in lines if line.end == "client")

    def outputs(title: str, interfaces: Sequence[str]) -> list[Output]:
        return [Output(Times(shown), lambda data: None)]

    settings = RunSettings(
        server=tuple(python(ECHO, "10.0.0.2")),
        client=tuple(python(ONE_BY_ONE, "10.0.0.2")),
        calls=calls,
    )
    assert await run_programs(settings, outputs, tell) == 0
    assert [kind for kind, _ in shown].count("line") == 20
    assert shown[-1] == ("end", 0)
    for at, (kind, time) in enumerate(shown):
        if kind == "line":
            assert not [one for one in shown[at:-1] if one[0] == "rung" and one[1] < time]


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
