"""The words of a sentence, one after the other."""

from __future__ import annotations

from trioecho.faults.words import Words


def test_one_after_the_other() -> None:
    words = Words("the step", ["send", "16"], "send 16")
    assert (words.peek(), words.peek(1), words.peek(2)) == ("send", "16", "")
    assert [words.take() for _ in range(3)] == ["send", "16", ""]


def test_what_may_stand_there() -> None:
    words = Words("the step", ["sned"], "sned")
    assert str(words.wrong("send", "a number", "receive")) == (
        "the step 'sned': word 1, 'sned', is not valid; expected one of send, a number or receive."
        " Did you mean 'send'?"
    )
    words.take()
    assert str(words.wrong("send")) == "the step 'sned' is not complete; expected send"


def test_a_message_is_short_however_long_the_sentence() -> None:
    text = "x" * 100_000
    assert len(str(Words("the step", [text], text).wrong("send"))) < 400
