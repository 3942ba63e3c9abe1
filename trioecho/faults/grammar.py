"""What can be done to the wire, in words. PURE: text -> types; fate.py decides by them.

    fault     = ( "drop" | "duplicate" | "corrupt" ) items
              | "delay" items DURATION
              | "reorder" kinds N N [ "connection" N ]
              | "inject" ( "rst" | "syn" ) [ "to" ( END | "both" ) ] [ "offset" INTEGER ] after
              | "cut" [ "for" DURATION ] [ after ]
              | "delay" DURATION                     these are of the whole wire
              | "rate" NUMBER( "kbit" | "mbit" | "gbit" )
              | "queue" N
              | "loss" [ END ] NUMBER"%" [ "seed" N ]
              | "mtu" N
              | "path" "mtu" N [ "silent" ]
    items     = kinds [ which ] [ times ] [ "connection" N ]
    kinds     = [ END ] KIND
    which     = LIST | "all" | "every" N             left out: 1
    times     = "once" | "twice" | N "times" | "always"
    after     = "after" kinds [ N ] [ "connection" N ]
    END       = "client" | "server"                  left out: either, counted together
    KIND      = "syn" | "syn-ack" | "ack" | "data" | "fin" | "rst" | "segment"
    LIST      = PART { "," PART }, without spaces
    PART      = N | N"-"N | N"-"
    DURATION  = NUMBER( "s" | "ms" | "us" )
    NUMBER    = digits, and up to three behind a point

A number counts distinct items of a kind in one connection, as flow.py says. Without ``times`` a
fault acts on an item's first transmission alone; ``twice`` takes its next one too. Case is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from trioecho.errors import TrioechoError
from trioecho.faults.faults import (
    Corrupt,
    Cut,
    Delay,
    Drop,
    Duplicate,
    Fault,
    Forged,
    Inject,
    Latency,
    Loss,
    Mtu,
    PathMtu,
    Queue,
    Rate,
    Reorder,
)
from trioecho.faults.items import KINDS, ONCE_ONLY, Items, Kind, Which
from trioecho.faults.words import Words
from trioecho.model import ENDS

Form: TypeAlias = Callable[[str], "re.Match[str] | None"]
Word = TypeVar("Word", bound=str)

MOST = 1_000_000_000
MOST_TEXT = 1_000
SMALLEST_PATH_MTU, LARGEST_MTU = 68, 65_535  # RFC 791 §3.2 and the length field of IP
# Linux's smallest segments keep 40 bytes for options and 8 for data (TCP_MIN_SND_MSS): 88 with the
# headers. A smaller device cuts them into fragments, which the wire does not show; 128 leaves room.
SMALLEST_MTU = 128

_TIMES = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000}
_RATES = {"kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}
_FORGED: tuple[Forged, ...] = ("rst", "syn")
_BOTH: Literal["both"] = "both"
_SAME = {"synack": "syn-ack"}
_A_TIME, _A_RATE = "a time such as 25ms", "a rate such as 500kbit, 1mbit or 1gbit"
_FAR = (1 << 31) - 1  # half of the sequence space

_number = re.compile(r"[0-9]{1,20}").fullmatch
_integer = re.compile(r"[+-]?[0-9]{1,20}").fullmatch
_list = re.compile(r"[0-9]{1,20}(-[0-9]{0,20})?(,[0-9]{1,20}(-[0-9]{0,20})?)*").fullmatch
_duration = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?(s|ms|us)").fullmatch
_speed = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?(kbit|mbit|gbit)").fullmatch
_percent = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,3})?)%").fullmatch


def parse(text: str) -> Fault:
    """Read one fault.

    Args:
        text: its words.

    Returns:
        The fault; its own ``text`` is the words in lower case with one space between them.

    Raises:
        TrioechoError: it cannot be read; the message names the word and what may stand there.

    >>> parse("Drop client  DATA 2").text
    'drop client data 2'
    """
    words = _Words(text)
    fault = _VERBS[words.one_of(tuple(_VERBS))](words)
    words.finish()
    return fault


class _Words(Words):
    """The words of a fault, read one after the other.

    What was tried in vain at a word is kept: that is what may stand there.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MOST_TEXT:
            raise TrioechoError(f"A fault has {MOST_TEXT:,} characters at most: {text[:40]!r}…")
        words = [_SAME.get(word, word) for word in text.lower().split()]
        super().__init__("The fault", words, " ".join(words))
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
        found = self.any_of(words)
        if found is None:
            raise self.wrong()
        return found

    def accept(self, word: str) -> bool:
        return self.any_of((word,)) is not None

    def fits(self, form: Form, what: str) -> bool:
        if form(self.peek()):
            return True
        self._tried.append(what)
        return False

    def need(self, form: Form, what: str) -> re.Match[str]:
        """What the form finds in the word, which is not taken yet."""
        match = form(self.peek()) if self.fits(form, what) else None
        if match is None:
            raise self.wrong()
        return match

    def number(self, low: int = 1, high: int = MOST) -> int:
        what = f"a number from {low:,} to {high:,}"
        match = self.need(_integer if low < 0 else _number, what)
        if not low <= int(match[0]) <= high:
            raise self.wrong(what)
        return int(self.take())

    def measure(self, form: Form, what: str, units: dict[str, int], most: str) -> int:
        """Take a number with a unit; more than 0 and at most ``most``."""
        whole, fraction, unit = self.need(form, what).groups()
        value = (int(whole) * 1000 + int((fraction or "").ljust(3, "0"))) * units[unit] // 1000
        limit = form(most)
        assert limit is not None
        if not 0 < value <= int(limit[1]) * units[limit[3]]:
            raise self.wrong(f"more than 0 and at most {most}")
        self.take()
        return value

    def wrong(self, *may: str) -> TrioechoError:
        """The error for the word at hand; where nothing is said, what was tried may stand there."""
        if not self._words:
            return TrioechoError("A fault without a word says nothing", "Such as 'drop syn-ack'")
        return super().wrong(*dict.fromkeys(may or self._tried))

    def finish(self) -> None:
        if self.peek():
            raise self.wrong(*self._tried, "nothing more")

    def which(self) -> Which:
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
                raise self.wrong(f"numbers from 1 to {MOST:,}, the lower one first,")
            parts.append((first, last))
        self.take()
        return Which(tuple(parts))

    def times(self, kind: Kind) -> int | None:
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

    def connection(self) -> int | None:
        return self.number() if self.accept("connection") else None

    def items(self) -> Items:
        end, kind = self.any_of(ENDS), self.one_of(KINDS)
        return Items(end, kind, self.which(), self.times(kind), self.connection())

    def after(self) -> Items:
        end, kind = self.any_of(ENDS), self.one_of(KINDS)
        one = Which.only(self.number() if self.fits(_number, "a number") else 1)
        return Items(end, kind, one, 1, self.connection())

    def delay(self) -> Fault:
        if self.fits(_duration, _A_TIME):
            return Latency(self.text, self.time())
        return Delay(self.text, self.items(), self.time())

    def time(self) -> int:
        return self.measure(_duration, _A_TIME, _TIMES, "3600s")

    def reorder(self) -> Fault:
        end, kind = self.any_of(ENDS), self.one_of(KINDS)
        first = self.number(high=MOST - 1)
        numbers, connection = (first, self.number(first + 1)), self.connection()
        items = [Items(end, kind, Which.only(one), 1, connection) for one in numbers]
        return Reorder(self.text, *items)

    def inject(self) -> Fault:
        flag = self.one_of(_FORGED)
        to = self.one_of((*ENDS, _BOTH)) if self.accept("to") else None
        offset = self.number(-_FAR, _FAR) if self.accept("offset") else 0
        self.one_of(("after",))
        return Inject(self.text, self.after(), flag, to, offset)

    def cut(self) -> Fault:
        duration = self.time() if self.accept("for") else None
        return Cut(self.text, self.after() if self.accept("after") else None, duration)

    def loss(self) -> Fault:
        end = self.any_of(ENDS)
        percent = float(self.need(_percent, "a share such as 2%")[1])
        if not 0 < percent <= 100:
            raise self.wrong("more than 0% and at most 100%")
        self.take()
        seed = self.number(0, (1 << 63) - 1) if self.accept("seed") else 1
        return Loss(self.text, percent, seed, end)

    def path(self) -> Fault:
        self.one_of(("mtu",))
        size = self.number(SMALLEST_PATH_MTU, LARGEST_MTU)
        return PathMtu(self.text, size, self.accept("silent"))


_VERBS: dict[str, Callable[[_Words], Fault]] = {
    "drop": lambda words: Drop(words.text, words.items()),
    "duplicate": lambda words: Duplicate(words.text, words.items()),
    "corrupt": lambda words: Corrupt(words.text, words.items()),
    "delay": _Words.delay,
    "reorder": _Words.reorder,
    "inject": _Words.inject,
    "cut": _Words.cut,
    "rate": lambda words: Rate(words.text, words.measure(_speed, _A_RATE, _RATES, "100gbit")),
    "queue": lambda words: Queue(words.text, words.number(1, 10_000)),
    "loss": _Words.loss,
    "mtu": lambda words: Mtu(words.text, words.number(SMALLEST_MTU, LARGEST_MTU)),
    "path": _Words.path,
}
