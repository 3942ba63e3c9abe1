"""Frames put together of bytes that come in any pieces."""

from __future__ import annotations

import pytest

from trioecho.requests.framing import Frame, Frames
from trioecho.requests.request import Moment

DATA = b"!!" + b"\x01\x03abc" + b"\x00\x02de" + b"\x01\x00"  # kept?, size


def moment(at: int) -> Moment:
    return Moment(at, at, at)


@pytest.mark.parametrize("piece", range(1, len(DATA) + 1))
def test_pieces_of_any_size_make_the_same_frames(piece: int) -> None:
    frames = Frames(2, lambda head: head[1], lambda head: head[0] == 1, skip=2)
    found: list[Frame] = []
    for at in range(0, len(DATA), piece):
        found += frames.read(DATA[at : at + piece], moment(at))
    assert [one[:3] for one in found] == [
        (b"\x01\x03", b"abc", 3),
        (b"\x00\x02", b"", 2),
        (b"\x01\x00", b"", 0),
    ]
    for one, (first, last) in zip(found, ((2, 6), (7, 10), (11, 12)), strict=True):
        assert one.first == moment(first // piece * piece)
        assert one.last == moment(last // piece * piece)
