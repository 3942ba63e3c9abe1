"""A SYN's options, in the words of a sentence, of an arrow and of the notation."""

from __future__ import annotations

import pytest

from trioecho.model import Options
from trioecho.model.option_words import HEADER, NOTATION, SENTENCE, Names, offer, option_words

ALL = Options(1460, 7, True, (1, 0), ((1, 2),), b"", ("MP_CAPABLE",), (99,), True)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (SENTENCE, "mss 1460, window scale 7, SACK, timestamps"),
        (HEADER, "mss 1460, wscale 7, sackOK, timestamps"),
        (NOTATION, "mss 1460, sackOK, ts, wscale 7, tfo cookiereq"),
    ],
)
def test_all_that_a_syn_offers(names: Names, said: str) -> None:
    assert ", ".join(option_words(ALL, names)) == said
    assert option_words(Options(), names) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(), "no options"),
        (Options(sack=((1, 2),), fast_open=b"x", other=(7,)), "no options"),
        (Options(mss=0, window_scale=0), "mss 0, window scale 0"),
        (Options(timestamps=(0, 0)), "timestamps"),
        (Options(sack_permitted=True), "SACK"),
        (Options(mss=1, cut=True), "mss 1, options that the capture cut"),
        (Options(cut=True), "options that the capture cut"),
        (ALL, "mss 1460, window scale 7, SACK, timestamps"),
    ],
)
def test_an_offer(options: Options, said: str) -> None:
    assert offer(options) == said


def test_a_cookie_that_is_given() -> None:
    assert option_words(Options(fast_open=b"x"), NOTATION) == ["tfo cookie"]
