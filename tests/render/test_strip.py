"""A strip over time: letters, a scale, a legend."""

from __future__ import annotations

import re

import pytest
from frames import play
from ladders import READ_LATE

from trioecho.account import Account, Accounts
from trioecho.account.causes import CAUSES
from trioecho.account.strip import Strip
from trioecho.render.strip import strip

COLOR = re.compile(r"\x1b\[[\d;]*m")


def made(ladder: str = READ_LATE) -> tuple[Account, Strip]:
    over = Strip()
    accounts = Accounts(on_span=lambda number, span: over.take(span))
    accounts.see(play(ladder))
    (account,) = accounts.end()
    return account, over


def shown(width: int, *, color: bool = False) -> list[str]:
    return list(strip(*made(), width, color=color))


def test_as_wide_as_the_terminal() -> None:
    for width in (40, 80, 200):
        letters, scale, *legend = shown(width)
        assert len(letters) == width
        assert max(map(len, (scale, *legend))) <= width


def test_letters_a_scale_and_what_they_mean() -> None:
    assert shown(40) == [
        "=RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR-",
        "|0            |200 ms       |400 ms",
        "R server slow-reader   - round-trip",
        "= setup",
    ]


def test_colours_only_add_to_the_letters() -> None:
    plain, colored = shown(80), shown(80, color=True)
    assert [COLOR.sub("", line) for line in colored] == plain
    assert "\x1b[33mRRR" in colored[0]  # the server's


def test_every_cause_has_a_letter_of_its_own_and_plain_ascii() -> None:
    letters = [one.letter for one in CAUSES.values()]
    assert len({letter.upper() for letter in letters}) == len(letters)
    assert all(letter.isascii() and len(letter) == 1 for letter in letters)


@pytest.mark.parametrize("took", [1, 999, 1_000, 10**6, 123_456_789, 10**9, 10**13])
def test_a_scale_of_any_length_fits(took: int) -> None:
    account, over = made()
    account.end = account.start + took
    for width in (40, 80, 200):
        _, scale, *_ = strip(account, over, width)
        assert scale.startswith("|0")
        assert len(scale) <= width
        assert scale.count("|") <= 1 + width // 10
