"""Old duplicates by their timestamps: what is dropped, what is not, and what an ACK takes back."""

from __future__ import annotations

import pytest
from frames import come_to, play

from trioecho.model import Rung

STAMPED = """
+0   > S  0:0(0) <ts 1000>
+.01 < S. 0:0(0) ack 1 <ts 7>
+.01 > .  1:1(0) ack 1 <ts 1010>
"""


def kinds(rung: Rung) -> list[str]:
    return [note.kind for note in rung.notes]


def test_what_is_dropped_is_not_followed() -> None:
    """The bytes that come in its place are no retransmission, and no others were sent before."""
    ladder = STAMPED + (
        "+.1 > P. 1:6(5) ack 1 <ts 500>\n+.001 < . 1:1(0) ack 1 <ts 9>\n"
        "+.1 > P. 1:6(5) ack 1 <ts 1200,byte 1>\n+.01 < . 1:1(0) ack 6 <ts 19>\n"
    )
    rungs, summary = come_to(ladder)
    assert [kinds(rung) for rung in rungs[3:]] == [["paws"], ["duplicate-ack"], ["data"], ["ack"]]
    assert (summary.client_bytes, summary.retransmissions) == (5, 0)


def test_an_ack_of_what_seemed_dropped_takes_it_back() -> None:
    ladder = STAMPED + (
        "+.1 > P. 1:6(5) ack 1 <ts 500>\n+.001 > F. 6:9(3) ack 1 <ts 501>\n"
        "+.01 < . 1:1(0) ack 10 <ts 9>\n+.01 < F. 1:1(0) ack 10 <ts 9>\n"
        "+.01 > . 10:10(0) ack 2 <ts 502>\n"
    )
    rungs, summary = come_to(ladder)
    assert kinds(rungs[3]) == ["paws"]
    assert "paws-overruled" in kinds(rungs[5])
    assert "ack-lost-segment" not in kinds(rungs[5])
    assert (summary.client_bytes, summary.closed_by) == (8, "fin")
    assert kinds(rungs[7]) == ["fin-ack"]


@pytest.mark.parametrize(
    ("name", "ladder", "old"),
    [
        ("24 days are not over", STAMPED + "+2073600 > . 1:2(1) ack 1 <ts 900>", True),
        ("24 days are over", STAMPED + "+2073601 > . 1:2(1) ack 1 <ts 900>", False),
        ("not agreed", STAMPED.replace(" <ts 7>", "") + "+.1 > . 1:2(1) ack 1 <ts 900>", False),
        (
            "the SYN-ACK proves it",
            STAMPED.replace(" <ts 1000>", "") + "+.1 > . 1:2(1) <ts 9>",
            True,
        ),
        (
            "the first that was seen had overtaken it",
            "< P. 1:3(2) ack 1 <ts 9>\n+.0005 < P. -9:1(10) ack 1 <ts 7>",
            False,
        ),
        (
            "what was seen first was acknowledged",
            "< P. 1:3(2) ack 1 <ts 9>\n+.01 > . 1:1(0) ack 3\n+.0005 < P. -9:1(10) ack 1 <ts 7>",
            True,
        ),
    ],
)
def test_what_is_an_old_duplicate(name: str, ladder: str, old: bool) -> None:
    assert ("paws" in kinds(play(ladder)[-1])) is old, name
