"""Requests as a table and as JSON."""

from __future__ import annotations

import json

import pytest
from tapes import Tape, requests_of

from trioecho.render.requests import Totals, as_json, table
from trioecho.requests import Request


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    """One that is answered, one with a long target, one that is refused, one without an answer."""
    tape = Tape()
    tape.open()
    for at, target, status in ((20, "/a", "200 OK"), (200, "/" + "x" * 100, "404 No")):
        tape.say(at, "client", f"GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
        answer = f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\nhello"
        tape.say(at + 70, "server", answer.encode())
    tape.say(400, "client", b"GET /\xff\x1b HTTP/1.1\r\nHost: shop\r\n\r\n".replace(b"\x1b", b""))
    return requests_of(tape)


def test_a_narrow_table_has_the_causes_below(requests: list[Request]) -> None:
    lines = list(table(requests[:2], 80))
    assert [line for line, _ in lines] == [
        "#  conn  request                           status  bytes  connect  server  total",
        "1     1  GET /a                            200        43    20 ms   50 ms  90 ms",
        "   think-time of the server: 50 ms, round-trip: 20 ms, setup: 20 ms",
        "2     1  GET /xxxxxxxxxxxxxxxxxxxxxxxxxx…  404        43            50 ms  70 ms",
        "   think-time of the server: 50 ms, round-trip: 20 ms",
    ]
    assert [style for _, style in lines] == ["strong", "", "quiet", "trouble", "quiet"]


def test_a_wide_table_has_the_causes_beside(requests: list[Request]) -> None:
    heading, first, *_ = (line for line, _ in table(requests, 140))
    assert heading.endswith("total  causes")
    assert first.endswith("90 ms  think-time of the server: 50 ms")


@pytest.mark.parametrize("width", [30, 60, 80, 119, 120, 200])
def test_no_row_is_wider_than_it_must(requests: list[Request], width: int) -> None:
    for line, _ in table(requests, width):
        assert len(line) <= max(width, 44)


def test_where_there_is_little_room_less_stands_in_the_row(requests: list[Request]) -> None:
    lines = [line for line, _ in table(requests[:2], 60)]
    assert lines == [
        "#  conn  request              status  connect  server  total",
        "1     1  GET /a               200       20 ms   50 ms  90 ms",
        "   think-time of the server: 50 ms, round-trip: 20 ms,",
        "   setup: 20 ms; bytes 43",
        "2     1  GET /xxxxxxxxxxxxx…  404               50 ms  70 ms",
        "   think-time of the server: 50 ms, round-trip: 20 ms; bytes",
        "   43",
    ]


def test_one_request_has_no_spread(requests: list[Request]) -> None:
    totals = Totals()
    totals.add(requests[0])
    assert next(totals.lines(80)) == ("1 request: it took 90 ms", "strong")


def test_totals(requests: list[Request]) -> None:
    totals = Totals()
    for one in requests[:2]:
        totals.add(one)
    assert [line for line, _ in totals.lines(100)] == [
        "2 requests: half took at most 70 ms, 95 % at most 90 ms",
        "100 ms of 160 ms: the server's program took its time to answer",
    ]


def test_json(requests: list[Request]) -> None:
    first = json.loads(as_json(requests[0]))
    assert (first["type"], first["request"], first["status"]) == ("request", "GET /a", "200")
    assert first["times"]["server"] == pytest.approx(0.05)
    assert first["phases"]["time_total"] == pytest.approx(0.09)
    assert first["causes"][0] == {"cause": "think-time", "end": "server", "time": 0.05}
    last = json.loads(as_json(requests[-1]))
    assert (last["whole"], last["times"]["total"], last["status"]) == (False, None, "")
