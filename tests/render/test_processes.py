"""Processes, folding that time refills, and what a run without end must not keep."""

from __future__ import annotations

import json

from frames import play

from trioecho.model import CaptureSummary, ConnectionSummary, Endpoint, Process, Summary
from trioecho.render import FORMATS, Setting
from trioecho.render.fold import Fold
from trioecho.render.jsonl import JsonLines
from trioecho.render.table import table
from trioecho.render.terminal import _MOST_KNOWN, Terminal

OPENING = """
+0    > S  0:0(0)
+.001 < S. 0:0(0) ack 1
+.001 > .  1:1(0) ack 1
"""
CLIENT = Process(1_700_000_000_002_000_000, 1, "client", 10, "curl")
SERVER = Process(1_700_000_000_002_000_000, 1, "server", 20, "httpd")


def test_a_process_is_a_row_on_its_side() -> None:
    terminal = Terminal(Setting(several=True))
    lines = terminal.show([*play(OPENING), CLIENT, SERVER]).decode().splitlines()
    client, server = lines[-2:]
    assert client == "    2.000        #1   curl (pid 10)"
    assert server.startswith("    2.000        #1   ")
    assert server.endswith(" httpd (pid 20)")
    assert len(server) <= 80


def test_a_process_in_json() -> None:
    lines = JsonLines(Setting()).show([CLIENT]).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"type": "process", "connection": 1, "end": "client", "pid": 10, "name": "curl"}
    ]


def test_other_formats_pass_processes_over() -> None:
    for name in ("ladder", "pcapng"):
        one, other = FORMATS[name](Setting()), FORMATS[name](Setting())
        rungs = play(OPENING)
        assert one.show([*rungs, CLIENT]) == other.show(rungs)


def summary() -> ConnectionSummary:
    ends = Endpoint("127.0.0.1", 40000), Endpoint("127.0.0.1", 7)
    return ConnectionSummary(1, *ends, None, 0, 0, 1, 0, 0, None)


def test_the_table_names_them() -> None:
    from msgspec.structs import replace

    named = replace(summary(), client_process=str(CLIENT), server_process=str(SERVER))
    text = [line.strip() for line, _ in table([named], 0, 80)]
    assert "client curl (pid 10), server httpd (pid 20)" in text
    assert not any("(pid" in line for line, _ in table([summary()], 0, 80))


def test_what_was_forgotten_is_said() -> None:
    for name, said in (("terminal", b"and 7 connections before that"), ("json", b'"forgotten":7')):
        renderer = FORMATS[name](Setting())
        capture = CaptureSummary("lo", 1, 0)
        assert said in renderer.end(Summary((summary(),), capture, 7))
        assert said not in renderer.end(Summary((summary(),), capture))


def test_time_refills_what_may_be_shown() -> None:
    burst = "".join(f"+0 > P. {at}:{at + 1}(1) ack 1\n" for at in range(1, 101))
    calm = "+1 > P. 101:102(1) ack 1\n"
    rungs = play(OPENING + burst + calm)
    without, refilled = Fold(10), Fold(10, refill=20)
    assert [without.swallows(rung) for rung in rungs].count(False) == 10
    seen = [refilled.swallows(rung) for rung in rungs]
    assert seen[:13].count(True) == 3
    assert all(seen[13:-1])
    assert not seen[-1]


def test_a_terminal_remembers_so_many_connections_and_no_more() -> None:
    terminal = Terminal(Setting(several=True))
    from msgspec.structs import replace

    (rung, *_) = play(OPENING)
    for number in range(1, 3 * _MOST_KNOWN):
        terminal.show([replace(rung, connection=number)])
    assert len(terminal._states) <= _MOST_KNOWN
    assert len(terminal._telling._said) <= 2 * _MOST_KNOWN
