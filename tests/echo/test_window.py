from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.echo.window import EchoDiffers, Window


@pytest.fixture
def window() -> Iterator[Window]:
    window = Window(in_memory=8)
    yield window
    window.close()


def test_pieces_need_not_match(window: Window) -> None:
    window.push(b"abc")
    window.push(b"")
    window.push(b"defg")
    window.check(b"ab")
    window.check(b"cdef")
    assert len(window) == 1
    window.check(b"g")
    assert len(window) == 0
    assert window.checked == 7


def test_the_first_difference(window: Window) -> None:
    window.push(b"abcdef")
    window.check(b"abc")
    with pytest.raises(
        EchoDiffers, match=r"offset 4: sent 0x65 b'e', received 0x45 b'E'"
    ) as caught:
        window.check(b"dEF")
    assert (caught.value.offset, caught.value.expected, caught.value.received) == (4, 101, 69)


def test_more_than_was_sent(window: Window) -> None:
    window.push(b"ab")
    with pytest.raises(EchoDiffers, match="more than it received") as caught:
        window.check(b"ab\x1b")
    assert (caught.value.offset, caught.value.expected, caught.value.received) == (2, None, 27)


@given(st.data())
def test_what_is_spilled_comes_back_in_order(data: st.DataObject) -> None:
    window = Window(in_memory=8)
    expected = b""
    try:
        for _ in range(data.draw(st.integers(0, 20))):
            if data.draw(st.booleans()):
                piece = data.draw(st.binary(max_size=12))
                window.push(piece)
                expected += piece
            else:
                count = data.draw(st.integers(0, len(expected)))
                window.check(expected[:count])
                expected = expected[count:]
            assert len(window) == len(expected)
        window.check(expected)
    finally:
        window.close()
    assert len(window) == 0
