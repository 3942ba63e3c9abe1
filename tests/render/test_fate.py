"""What became of a segment, in words: from what is known of it, never from the fault's."""

from __future__ import annotations

import pytest
from frames import play
from msgspec.structs import replace

from trioecho.render.fate import fate
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
