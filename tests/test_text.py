"""Bytes and numbers as text: where each unit begins, and nothing that steers a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.text import bytes_of, plural, preview, printable, seconds, wrapped


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (999, "999 ns"),
        (1_000, "1 µs"),
        (999_499, "999 µs"),
        (999_500, "1.0 ms"),
        (9_999_999, "10.0 ms"),
        (10_000_000, "10 ms"),
        (999_499_999, "999 ms"),
        (999_500_000, "1.00 s"),
        (61_020_000_000, "61.02 s"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(nanoseconds: int, text: str) -> None:
    assert seconds(nanoseconds) == text


@pytest.mark.parametrize(
    ("data", "limit", "length", "text"),
    [
        (b"echo", 4, None, "b'echo'"),
        (b"echo!", 4, None, "b'echo'…"),
        (b"echo", 4, 5, "b'echo'…"),
        (b"echo", 4, 4, "b'echo'"),
        (b"\x1b[2J\n", 24, None, r"b'\x1b[2J\n'"),
    ],
)
def test_bytes_are_cut_and_escaped(data: bytes, limit: int, length: int | None, text: str) -> None:
    assert preview(data, limit, length) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [("café 7", "café 7"), ("\x1b[31m", r"\x1b[31m"), ("a\u202eb", r"a\u202eb"), ("\n", r"\n")],
)
def test_no_control_character_is_left(text: str, safe: str) -> None:
    assert printable(text) == safe


@given(st.binary(max_size=60), st.integers(10, 40), st.sampled_from(["", "sent "]))
def test_a_payload_is_never_broken_within_a_byte(data: bytes, width: int, before: str) -> None:
    text = before + repr(data)
    lines = wrapped(text, width, later="  ")
    assert max(map(len, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(re.fullmatch(r"([^\\]|\\x[0-9a-f]{2}|\\[^x])*", line) for line in lines)


def test_one_is_singular_and_thousands_have_commas() -> None:
    assert [bytes_of(count) for count in (0, 1, 2, 65_483)] == [
        "0 bytes",
        "1 byte",
        "2 bytes",
        "65,483 bytes",
    ]
    assert [plural(count, "segment") for count in (0, 1, 1_000)] == [
        "0 segments",
        "1 segment",
        "1,000 segments",
    ]
