"""What a capture file says became of a packet, read as if an enemy had written it."""

from __future__ import annotations

import pytest

from trioecho.model import Way
from trioecho.model.way import LONGEST_TEXT, LONGEST_WAY, PREFIX, read_way

WAYS = [
    Way(),
    Way(took=0),
    Way(took=LONGEST_WAY),
    Way("copy", "duplicate client data 1", took=242_000),
    Way("injected", "inject rst after client data 2", took=1),
    Way(fault="drop syn", lost=True),
    Way(fault="corrupt data 1", lost=True, broken=True),
    Way(fault="path mtu 1000", lost=True, too_large=True),
    Way(fault="clamp mss 1200", edited="mss lowered from 1460 to 1200", took=7),
    Way(took=5, stopped=True),
    Way(fault="not taken by the host: Größe"),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.text())
def test_what_is_written_is_read(way: Way) -> None:
    assert read_way(way.text().encode()) == way


def test_the_text() -> None:
    assert Way(fault="drop syn", lost=True).text() == (
        'trioecho-way: {"fault":"drop syn","lost":true}'
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "trioecho-way:{}",
        " " + PREFIX + "{}",
        PREFIX,
        PREFIX + "[]",
        PREFIX + "null",
        PREFIX + '{"lost":1}',
        PREFIX + '{"took":-1}',
        PREFIX + f'{{"took":{LONGEST_WAY + 1}}}',
        PREFIX + '{"took":1.5}',
        PREFIX + '{"kind":"forged"}',
        PREFIX + '{"time":1}',
        PREFIX + '{"fault":"\\u001b[2J"}',
        PREFIX + '{"fault":"\\u202e"}',
        PREFIX + '{"edited":"\\u202e"}',
        PREFIX + '{"broken":true}',
        PREFIX + '{"too_large":true}',
        PREFIX + '{"lost":true,"took":5}',
        PREFIX + "{}" + " " * LONGEST_TEXT,
        PREFIX + "[" * 4_000,
    ],
)
def test_anything_else_says_nothing(text: str) -> None:
    assert read_way(text.encode()) is None


def test_what_is_no_text_says_nothing() -> None:
    assert read_way(PREFIX.encode() + b'{"fault":"\xff"}') is None
