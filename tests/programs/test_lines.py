from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.programs.lines import LONGEST, Lines, ProgramLine


def texts(lines: list[ProgramLine]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"on", b"e\r", b"\ntwo"], ["one", "two"]),
        ([b"10%\r20%\r", b"30%\n"], ["10%", "20%", "30%"]),
        ([b"\n\r\n\r\r"], ["", "", "", ""]),
        ([b"last\r"], ["last"]),
        ([b"gr\xc3", b"\xbcn \xff\n"], ["grün \\xff"]),
        ([b"\x1b[31mred\x07\x00\n"], ["\\x1b[31mred\\x07\\x00"]),
        (["a\u202eb\n".encode()], ["a\\u202eb"]),
    ],
)
def test_lines_as_they_are_shown(chunks: list[bytes], expected: list[str]) -> None:
    lines = Lines("client")
    got = [text for chunk in chunks for text in texts(lines.feed(1, chunk))]
    assert got + texts(lines.flush()) == expected
    assert not lines.waiting


def test_a_line_has_the_time_of_its_first_byte() -> None:
    lines = Lines("server")
    assert lines.feed(10, b"slow") == []
    assert lines.waiting
    assert lines.feed(20, b"ly\nnext") == [ProgramLine(10, "server", "slowly")]
    assert lines.flush() == [ProgramLine(20, "server", "next")]
    assert lines.flush() == []


def test_a_line_without_end_comes_in_pieces() -> None:
    lines = Lines("client")
    got = lines.feed(1, b"x" * (2 * LONGEST + 5))
    assert [len(line.text) for line in got] == [LONGEST, LONGEST]
    assert texts(lines.feed(2, b"\n")) == ["xxxxx"]
    assert [len(line.text) for line in lines.feed(3, b"y" * (LONGEST + 1) + b"\n")] == [LONGEST, 1]


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_nothing_is_lost_and_nothing_is_raw(chunks: list[bytes]) -> None:
    lines = Lines("client")
    got = [text for chunk in chunks for text in texts(lines.feed(1, chunk))]
    got += texts(lines.flush())
    assert all(text.isprintable() for text in got)
    whole = Lines("client")
    assert got == texts(whole.feed(1, b"".join(chunks))) + texts(whole.flush())
