"""The JSON contract, key by key."""

from __future__ import annotations

import json
from typing import Any

from frames import play

from trioecho.model import Call, CaptureSummary, ConnectionSummary, Endpoint, Stopped, Summary
from trioecho.render import Event, Setting
from trioecho.render.jsonl import JsonLines


def objects(*events: Event) -> list[Any]:
    return [json.loads(line) for line in JsonLines(Setting()).show(events).splitlines()]


def test_a_rung() -> None:
    (syn, synack) = objects(
        *play(
            "+0 > S 0:0(0) win 65495 <mss 65495,sackOK,wscale 7>\n"
            "+.000021 < SP. 0:5(5) ack 1 win 9 <mss 1460>"
        )
    )
    assert list(syn) == [
        *("type", "number", "frame", "time", "connection", "from", "flags", "seq", "ack"),
        *("length", "window", "options", "lost", "client_state", "server_state", "notes"),
        "payload",
    ]
    assert syn == {
        "type": "rung",
        "number": 1,
        "frame": 1,
        "time": 0.0,
        "connection": 1,
        "from": "client",
        "flags": ["SYN"],
        "seq": 0,
        "ack": None,
        "length": 0,
        "window": 65495,
        "options": {"mss": 65495, "window_scale": 7, "sack_permitted": True},
        "lost": False,
        "client_state": "SYN-SENT",
        "server_state": "UNKNOWN",
        "notes": [
            {
                "kind": "connection-syn",
                "simultaneous": False,
                "text": "1 of 3: the client opens, and offers mss 65495, window scale 7, SACK",
            }
        ],
        "payload": "",
    }
    assert synack["time"] == 0.000021
    assert synack["flags"] == ["SYN", "PSH", "ACK"]
    assert synack["payload"] == "eHh4eHg="
    assert [note["kind"] for note in synack["notes"]] == ["connection-synack", "data"]


def test_a_call() -> None:
    server, client = Endpoint("::1", 7), Endpoint("::1", 40000)
    made = Call(5, "server", "connection", 9, "recv", "16", 3, None, server, client, b"abc", 1)
    assert objects(made) == [
        {
            "type": "call",
            "time": 0.0,
            "connection": 1,
            "end": "server",
            "socket": "connection",
            "fd": 9,
            "name": "recv",
            "arguments": "16",
            "result": 3,
            "error": None,
            "local": "[::1]:7",
            "peer": "[::1]:40000",
            "data": "YWJj",
        }
    ]


def test_a_call_that_was_repeated_says_how_often() -> None:
    again = Call(5, "server", "connection", 9, "recv", "16", 0, times=3900)
    (told,) = objects(again)
    assert told["times"] == 3900
    assert "deferred" not in told


def test_a_connect_that_sent_nothing_says_so() -> None:
    (told,) = objects(Call(5, "client", "connection", 9, "connect", result=0, deferred=True))
    assert told["deferred"] is True


def test_a_program_that_was_stopped() -> None:
    assert objects(Stopped(5, "server", "SIGTERM", "the client has ended")) == [
        {
            "type": "stopped",
            "time": 0.0,
            "end": "server",
            "signal": "SIGTERM",
            "why": "the client has ended",
        }
    ]


def test_the_summary() -> None:
    one = ConnectionSummary(1, Endpoint("a", 1), Endpoint("b", 2), 50_000, 16, 17, 6, 4, 0, "fin")
    summary = Summary((one,), CaptureSummary("lo", 10, 0))
    assert json.loads(JsonLines(Setting()).end(summary)) == {
        "type": "summary",
        "connections": [
            {
                "number": 1,
                "client": "a:1",
                "server": "b:2",
                "handshake_time": 0.00005,
                "client_bytes": 16,
                "server_bytes": 17,
                "segments": 10,
                "client_segments": 6,
                "server_segments": 4,
                "retransmissions": 0,
                "probes": 0,
                "closed_by": "fin",
                "duration": 0.0,
                "resets": 0,
                "troubles": 0,
                "first_trouble": "",
                "completeness": "",
                "initial_rtt": None,
                "client_rtt": None,
                "server_rtt": None,
                "client_states": {},
                "server_states": {},
            }
        ],
        "capture": {"interface": "lo", "frames": 10, "dropped": 0},
    }
