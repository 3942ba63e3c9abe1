"""The tunnel of a connection, where the same ends may be in several."""

from __future__ import annotations

import json

from msgspec.structs import replace

from trioecho.model import CaptureSummary, ConnectionSummary, Endpoint, Summary
from trioecho.render import Setting
from trioecho.render.jsonl import JsonLines
from trioecho.render.table import Order, table
from trioecho.render.totals import totals

ENDS = Endpoint("192.0.2.1", 40000), Endpoint("198.51.100.2", 80)
NONE = ConnectionSummary(1, *ENDS, None, 0, 0, 1, 0, 0, None)
TUNNEL = replace(NONE, tunnel="VXLAN 42")


def test_the_table_names_it() -> None:
    lines = [line.strip() for line, _ in table([NONE, TUNNEL], 0, 80, Order(every=True))]
    assert "1 192.0.2.1:40000 -> 198.51.100.2:80" in lines
    assert "1 192.0.2.1:40000 -> 198.51.100.2:80 in VXLAN 42" in lines


def test_the_summary_names_it() -> None:
    def first(one: ConnectionSummary) -> str:
        return next(iter(totals(Summary((one,), CaptureSummary("it", 1, None)))))[0]

    assert first(NONE) == "192.0.2.1:40000 to 198.51.100.2:80; still open at the end"
    assert first(TUNNEL) == "192.0.2.1:40000 to 198.51.100.2:80 in VXLAN 42; still open at the end"


def test_json_has_it_where_there_is_one() -> None:
    end = JsonLines(Setting()).end(Summary((NONE, TUNNEL), CaptureSummary("it", 1, None)))
    without, within = json.loads(end)["connections"]
    assert "tunnel" not in without
    assert within["tunnel"] == "VXLAN 42"
