"""Words: a sentence of a small language, read one word after the other. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from trioecho.errors import TrioechoError

_MOST_SHOWN, _LONGEST_SHOWN = 200, 40  # characters of the sentence, and of a word


class Words:
    """The words of a sentence, read one after the other.

    Args:
        noun: what the sentence is, as a message begins: ``the step``.
        words: its words.
        text: the sentence as messages quote it.
    """

    def __init__(self, noun: str, words: Sequence[str], text: str) -> None:
        self.text = text
        self._noun = noun
        self._words = words
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        """A word that is to come, the next one unless said otherwise; ``""`` behind the last."""
        return self._words[self._at + ahead] if self._at + ahead < len(self._words) else ""

    def take(self) -> str:
        """The next word, which is read with that."""
        word = self.peek()
        self._at += 1
        return word

    def wrong(self, *may: str) -> TrioechoError:
        """The error for the word at hand, or for none being left.

        Args:
            may: what may stand there, at least one; those without a space are words.

        Returns:
            The error to raise, which proposes the word that is most alike.
        """
        word, text = self.peek(), self.text[:_MOST_SHOWN]
        listed = " or ".join(filter(None, (", ".join(may[:-1]), may[-1])))
        if not word:
            return TrioechoError(f"{self._noun} {text!r} is not complete: {listed} may follow")
        word = word[:_LONGEST_SHOWN]
        single = [one for one in may if " " not in one]
        close = get_close_matches(word, single, 1, cutoff=0.75)  # far ones mislead
        return TrioechoError(
            f"{self._noun} {text!r} makes no sense at word {self._at + 1}, {word!r}:"
            f" {listed} may stand there",
            f"Did you mean {close[0]!r}?" if close else "",
        )
