"""A text in quotes, as the words of a fault have it. PURE."""

from __future__ import annotations

import re

_words = re.compile(r'"(?:[^"\\]|\\.)*"(?!\S)|\S+', re.DOTALL).findall
_quoted = re.compile(r'"((?:[^"\\]|\\(?:x[0-9a-fA-F]{2}|[nrt"\\]))+)"').fullmatch
_escapes = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)").sub
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def words_of(text: str) -> list[str]:
    """Split a sentence; a text in quotes is one word."""
    return [_plain(word) if _is_quoted(word) else word for word in _words(text)]


def in_lower_case(word: str) -> str:
    """A word as it is compared: its case matters only in quotes."""
    return word if _is_quoted(word) else word.lower()


def bytes_of(word: str) -> bytes | None:
    """What a text in quotes stands for, in UTF-8; None if the word is no such text."""
    match = _quoted(word)
    if match is None:
        return None
    return _escapes(
        lambda found: (
            bytes((int(found[1][1:], 16),)) if len(found[1]) > 1 else _NAMED.get(found[1], found[1])
        ),
        match[1].encode(),
    )


def _is_quoted(word: str) -> bool:
    return word[0] == word[-1] == '"'


def _plain(word: str) -> str:
    """The same word with an escape for each character that cannot be printed."""
    return "".join(
        one
        if one.isprintable()
        else "".join(f"\\x{octet:02x}" for octet in one.encode("utf-8", "surrogatepass"))
        for one in word
    )
