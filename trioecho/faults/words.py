"""Words: a sentence of a small language, read word by word. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from trioecho.errors import TrioechoError

_MOST_SHOWN, _LONGEST_SHOWN = 200, 40  # characters of the sentence, and of a word


class Words:
    """The words of a sentence, read one by one.

    Args:
        noun: what the sentence is.
        words: its words, as they are compared.
        text: all of it, as it is told.
        written: the words as they are told, where that differs.
    """

    def __init__(
        self, noun: str, words: Sequence[str], text: str, written: Sequence[str] = ()
    ) -> None:
        self.text = text
        self._written = written or words
        self._noun = noun
        self._words = words
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        """The next word, or one further ahead; ``""`` behind the last."""
        return self._words[self._at + ahead] if self._at + ahead < len(self._words) else ""

    def take(self) -> str:
        """Read the next word."""
        word = self.peek()
        self._at += 1
        return word

    def wrong(self, *expected: str) -> TrioechoError:
        """The error for the current word, or for the end of the sentence."""
        word, sentence = self.peek(), f"{self._noun} {self.text[:_MOST_SHOWN]!r}"
        listed = " or ".join(filter(None, (", ".join(expected[:-1]), expected[-1])))
        if len(expected) > 1:
            listed = f"one of {listed}"
        if not word:
            return TrioechoError(f"{sentence} is not complete; expected {listed}")
        single = [one for one in expected if " " not in one]
        close = get_close_matches(word[:_LONGEST_SHOWN], single, 1, cutoff=0.75)  # far ones mislead
        written = self._written[self._at][:_LONGEST_SHOWN]
        return TrioechoError(
            f"{sentence}: word {self._at + 1}, {written!r}, is not valid; expected {listed}",
            f"Did you mean {close[0]!r}?" if close else "",
        )
