"""What became of a segment, in words: from what is known of it, never from the fault's."""

from __future__ import annotations

from typing import Any

import pytest
from frames import play
from msgspec.structs import replace

from trioecho.model import Kernel, State
from trioecho.render.fate import fate, kernel_text
from trioecho.render.jsonl import rung_object

RUNG = play("+0 > S 0:0(0)")[0]
DISCARDED = "broken on the wire, so that the checksum is wrong and it is discarded"
MS = 1_000_000


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"arrived": 0}, []),
        ({"lost": True, "fault": "drop syn"}, ["lost on the wire (drop syn)"]),
        # Two faults acted on it, and the one that broke it is not named first.
        (
            {"lost": True, "broken": True, "fault": "delay syn 1ms, corrupt syn"},
            [f"{DISCARDED} (delay syn 1ms, corrupt syn)"],
        ),
        ({"lost": True, "fault": "corrupt syn"}, ["lost on the wire (corrupt syn)"]),
        (
            {"arrived": 0, "fault": "duplicate syn", "kind": "copy"},
            ["a copy made by the wire (duplicate syn)"],
        ),
        ({"arrived": 0, "fault": "duplicate syn"}, ["duplicate syn"]),
        (
            {"arrived": 0, "fault": "corrupt syn, inject rst after syn"},
            ["corrupt syn, inject rst after syn"],
        ),
        (
            {"arrived": 5 * MS, "fault": "duplicate syn", "kind": "copy"},
            ["a copy made by the wire (duplicate syn)"],
        ),
        (
            {"lost": True, "broken": True, "fault": "duplicate syn", "kind": "copy"},
            ["a copy made by the wire", f"{DISCARDED} (duplicate syn)"],
        ),
        (
            {"arrived": 0, "fault": "inject rst after syn", "kind": "injected"},
            ["forged by the wire (inject rst after syn)"],
        ),
        ({"arrived": 5 * MS, "fault": "delay syn 5ms"}, ["5.0 ms on the way (delay syn 5ms)"]),
        (
            {"arrived": 0, "fault": "mark syn", "edited": "marked CE"},
            ["shown as the wire changed it: marked CE (mark syn)"],
        ),
        (
            {"arrived": 5 * MS, "fault": "mark syn, delay syn 5ms", "edited": "marked CE"},
            [
                "shown as the wire changed it: marked CE (mark syn, delay syn 5ms)",
                "5.0 ms on the way",
            ],
        ),
        (
            {"lost": True, "broken": True, "fault": "mark syn, corrupt syn", "edited": "marked CE"},
            ["shown as the wire changed it: marked CE (mark syn, corrupt syn)", DISCARDED],
        ),
        ({"arrived": 5 * MS}, ["5.0 ms on the way"]),
        ({"arrived": None, "moved": False}, ["still on its way at the end"]),
    ],
)
def test_what_became_of_it(known: dict[str, object], said: list[str]) -> None:
    arrived = known.get("arrived")
    if isinstance(arrived, int):
        known = known | {"arrived": RUNG.time + arrived}
    rung = replace(RUNG, **known)
    assert list(fate(rung)) == said
    told = rung_object(rung, RUNG.time)
    assert (told["kind"], told["broken"]) == (rung.kind, rung.broken)
    assert told.get("edited", "") == rung.edited


def test_json_says_nothing_of_it_where_no_wire_of_ours_was() -> None:
    assert not {"arrived", "fault", "kind", "broken"} & set(rung_object(RUNG, RUNG.time))


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, "ESTABLISHED"),
        ({"rtt": 3 * MS, "rto": 200 * MS}, "ESTABLISHED, rtt 3.0 ms, rto 200 ms"),
        ({"cwnd": 10, "ssthresh": 7}, "ESTABLISHED, cwnd 10, ssthresh 7"),
        ({"in_flight": 2, "congestion_control": "bbr"}, "in flight 2, congestion control bbr"),
        ({"total_retransmits": 3, "retransmits": 1}, "retransmitted 3, backed off 1"),
        (
            {"busy": 900 * MS, "receiver_limited": 800 * MS, "send_buffer_limited": 5 * MS},
            "busy 900 ms, limited by the peer's window 800 ms, limited by its send buffer 5.0 ms",
        ),
        ({"send_queue": 1, "receive_queue": 3}, "1 byte not acknowledged, 3 bytes unread"),
        (
            {"receive_queue": 3, "accepted": False, "accept_queue": 1},
            "3 bytes unread, nobody has called accept() yet: 1 connection waits",
        ),
        ({"accepted": False}, "nobody has called accept() yet"),
        ({"accepted": True, "accept_queue": 2}, "2 connections wait for accept()"),
        ({"accepted": True, "accept_queue": 0}, "ESTABLISHED"),
    ],
)
def test_what_a_kernel_says(known: dict[str, Any], said: str) -> None:
    text = kernel_text("server", Kernel(State.ESTABLISHED, **known))
    assert text.startswith("server's kernel: ESTABLISHED")
    assert text.endswith(said)
