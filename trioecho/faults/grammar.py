"""The words that faults share: which segments, how often, numbers and times. PURE.

``NOTATION`` has them, and the ``usage`` of each fault says where they are used. A number counts
distinct items of a kind in one connection, as `trioecho.faults.flows` says. Without TIMES a fault
acts on an item's first transmission alone; ``twice`` includes the next one. Case is ignored,
except in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from trioecho.errors import TrioechoError
from trioecho.faults.items import KINDS, ONCE_ONLY, Items, Kind, Which
from trioecho.faults.quoted import bytes_of, in_lower_case, words_of
from trioecho.faults.words import Words
from trioecho.model import ENDS, End

Form: TypeAlias = Callable[[str], "re.Match[str] | None"]
Word = TypeVar("Word", bound=str)

NOTATION = """\
ITEMS      = [ END ] KIND [ WHICH ] [ TIMES ] [ TEXT ] [ "connection" N ]
           | END "byte" N [ TIMES ] [ "connection" N ]
SEGMENT    = [ END ] KIND [ N ] [ TEXT ] [ "connection" N ]
           | END "byte" N [ "connection" N ]
END        = "client" | "server"                  left out: either, counted together
KIND       = "syn" | "syn-ack" | "ack" | "data" | "fin" | "rst" | "segment"
WHICH      = LIST | "all" | "every" N             left out: 1
TIMES      = "once" | "twice" | N "times" | "always"
LIST       = PART { "," PART }, without spaces
PART       = N | N"-"N | N"-"
TEXT       = "containing" QUOTED                  with the kind "data"
QUOTED     = text in double quotes, its case kept; \\n \\r \\t \\" \\\\ \\xHH stand for a byte each
TIME       = NUMBER( "s" | "ms" | "us" )
NUMBER     = digits, and up to three behind a point
"""
MOST = 1_000_000_000
MOST_TEXT = 1_000
MOST_TIME = 3_600_000_000_000

_TIMES = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000}
_BYTE: Literal["byte"] = "byte"
_SAME = {"synack": "syn-ack"}
_A_TIME, _A_SHARE = "a time such as 25ms", "a share such as 2%"

_number = re.compile(r"[0-9]{1,20}").fullmatch
_integer = re.compile(r"[+-]?[0-9]{1,20}").fullmatch
_list = re.compile(r"[0-9]{1,20}(-[0-9]{0,20})?(,[0-9]{1,20}(-[0-9]{0,20})?)*").fullmatch
_percent = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,3})?)%").fullmatch
_duration = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?(s|ms|us)").fullmatch


class FaultWords(Words):
    """The words of a fault, read one by one.

    It remembers what did not match the current word: that is what was expected there.

    Raises:
        TrioechoError: there are too many of them.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MOST_TEXT:
            raise TrioechoError(f"A fault has {MOST_TEXT:,} characters at most: {text[:40]!r}…")
        written = words_of(text)
        words = [_SAME.get(word, word) for word in map(in_lower_case, written)]
        super().__init__("The fault", words, " ".join(written), written)
        self._tried: list[str] = []

    def take(self) -> str:
        self._tried.clear()
        return super().take()

    def any_of(self, words: tuple[Word, ...]) -> Word | None:
        """Take the word if it is one of these, and say which."""
        found = next((word for word in words if word == self.peek()), None)
        if found is None:
            self._tried += words
        else:
            self.take()
        return found

    def one_of(self, words: tuple[Word, ...]) -> Word:
        """As `any_of`, but it must be one of them."""
        found = self.any_of(words)
        if found is None:
            raise self.wrong()
        return found

    def accept(self, word: str) -> bool:
        """Take the word if it is this one, and say so."""
        return self.any_of((word,)) is not None

    def fits(self, form: Form, what: str) -> bool:
        """Whether the word has a form, which errors call ``what``."""
        if form(self.peek()):
            return True
        self._tried.append(what)
        return False

    def need(self, form: Form, what: str) -> re.Match[str]:
        """The match of a word that must have a form, without consuming it."""
        match = form(self.peek()) if self.fits(form, what) else None
        if match is None:
            raise self.wrong()
        return match

    def number(self, low: int = 1, high: int = MOST) -> int:
        """Take a number within bounds."""
        what = f"a number from {low:,} to {high:,}"
        match = self.need(_integer if low < 0 else _number, what)
        if not low <= int(match[0]) <= high:
            raise self.wrong(what)
        return int(self.take())

    def measure(self, form: Form, what: str, units: dict[str, int], most: int, told: str) -> int:
        """Take a number with a unit: more than 0, and at most ``most``, in errors ``told``."""
        whole, fraction, unit = self.need(form, what).groups()
        value = (int(whole) * 1000 + int((fraction or "").ljust(3, "0"))) * units[unit] // 1000
        if not 0 < value <= most:
            raise self.wrong(f"more than 0 and at most {told}")
        self.take()
        return value

    def wrong(self, *may: str) -> TrioechoError:
        """As for `Words`; without arguments, what did not fit was expected."""
        if not self._words:
            return TrioechoError("A fault without a word says nothing", "Such as 'drop syn-ack'")
        return super().wrong(*dict.fromkeys(may or self._tried))

    def expected(self, word: str) -> list[str]:
        """The words that may stand in the place of this one; none where it was not reached."""
        found = dict.fromkeys(self._tried) if self.peek() == word else ()
        return [one for one in found if " " not in one]

    def finish(self) -> None:
        """Raise if a word is left."""
        if self.peek():
            raise self.wrong(*self._tried, "nothing more")

    def items(self, end: End | None = None) -> Items:
        """Take ITEMS; their end may have been taken before."""
        end = end or self.any_of(ENDS)
        kind = self._kind_of(end)
        if kind == "byte":
            byte, times = self.number(), self._times("data")
            return Items(end, "data", Which(), times, self.connection(), b"", byte)
        which, times = self._which(), self._times(kind)
        text = self._containing(kind)
        return Items(end, kind, which, times, self.connection(), text)

    def segment(self) -> Items:
        """Take SEGMENT."""
        end = self.any_of(ENDS)
        kind = self._kind_of(end)
        if kind == "byte":
            byte = self.number()
            return Items(end, "data", Which(), 1, self.connection(), b"", byte)
        one = Which.only(self.number() if self.fits(_number, "a number") else 1)
        text = self._containing(kind)
        return Items(end, kind, one, 1, self.connection(), text)

    def connection(self) -> int | None:
        """Take ``[ "connection" N ]``."""
        return self.number() if self.accept("connection") else None

    def end_before(self, follows: Callable[[], bool]) -> tuple[End | None, bool]:
        """Take ``[ END ]``, and say whether what follows is of that form."""
        end = None if follows() else self.any_of(ENDS)
        return end, follows()

    def at_share(self) -> bool:
        """Whether the word is a share."""
        return self.fits(_percent, _A_SHARE)

    def share(self) -> float:
        """Take a share, in per cent."""
        percent = float(self.need(_percent, _A_SHARE)[1])
        if not percent or percent > 100:
            raise self.wrong("more than 0% and at most 100%")
        self.take()
        return percent

    def at_time(self) -> bool:
        """Whether the word is a TIME."""
        return self.fits(_duration, _A_TIME)

    def time(self, most: int = MOST_TIME, told: str = "3600s") -> int:
        """Take TIME, in nanoseconds."""
        return self.measure(_duration, _A_TIME, _TIMES, most, told)

    def seed(self) -> int:
        """Take ``[ "seed" N ]``."""
        return self.number(0, (1 << 63) - 1) if self.accept("seed") else 1

    def _kind_of(self, end: End | None) -> Kind | Literal["byte"]:
        """Take ``KIND`` or, where an end is named, ``"byte"``."""
        return self.one_of(KINDS) if end is None else self.one_of((*KINDS, _BYTE))

    def _containing(self, kind: Kind) -> bytes:
        """Take ``[ TEXT ]``."""
        if kind != "data" or not self.accept("containing"):
            return b""
        found = bytes_of(self.peek())
        if found is None:
            raise self.wrong('a text in double quotes such as "hello"')
        self.take()
        return found

    def _which(self) -> Which:
        if self.accept("all"):
            return Which(((1, None),))
        if self.accept("every"):
            return Which((), self.number())
        if self.peek(1) == "times" or not self.fits(_list, "a list such as 2,4-6 or 3-"):
            return Which()
        parts: list[tuple[int, int | None]] = []
        for part in self.peek().split(","):
            low, dash, high = part.partition("-")
            first, last = int(low), int(high) if high else None if dash else int(low)
            if not 1 <= first <= (last or MOST) <= MOST or last == 0:
                raise self.wrong(f"numbers from 1 to {MOST:,}, the lower one first")
            parts.append((first, last))
        self.take()
        return Which(tuple(parts))

    def _times(self, kind: Kind) -> int | None:
        names = {"once": 1} if kind in ONCE_ONLY else {"once": 1, "twice": 2, "always": None}
        name = self.any_of(tuple(names))
        if name is not None or kind in ONCE_ONLY:
            return names[name or "once"]
        if self.peek(1) != "times":
            self._tried.append("'N times'")
            return 1
        times = self.number()
        self.take()
        return times
