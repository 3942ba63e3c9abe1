"""All faults, and the order in which a packet meets them. PURE.

A new fault is a class in the module of similar ones, and a name here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from trioecho.errors import TrioechoError
from trioecho.faults.additions import Doubling, Duplicate, Inject
from trioecho.faults.delays import Delay, Latency, Reorder, Straying
from trioecho.faults.edits import Clamp, Mark, Strip
from trioecho.faults.fault import Fault, Selecting
from trioecho.faults.grammar import NOTATION, FaultWords
from trioecho.faults.losses import Corrupt, Cut, Drop, Loss
from trioecho.faults.middle import Forget, Police
from trioecho.faults.mtu import Mtu, PathMtu
from trioecho.faults.rate import Queue, Rate

#: Whatever loses a packet comes first, so that it takes no time on the line. Behind the line stand
#: the faults that change a segment or add to it.
FAULTS: tuple[type[Fault], ...] = (
    *(Cut, Drop, Loss, Forget, Police, Delay, Latency, Straying, PathMtu, Queue, Rate),
    *(Mark, Strip, Clamp, Corrupt, Duplicate, Doubling, Reorder, Inject, Mtu),
)
# Of two with the same verb, the one that chooses segments reads both.
_VERBS = {fault.verb: fault for fault in sorted(FAULTS, key=lambda one: issubclass(one, Selecting))}


_UNKNOWN = "\0"  # stands for a word that is not given yet


def parse(text: str) -> Fault:
    """Read one fault.

    Raises:
        TrioechoError: it cannot be read; the message names the word and what is expected there.

    >>> parse("Drop client  DATA 2").text
    'Drop client DATA 2'
    """
    words = FaultWords(text)
    fault = _read(words)
    words.finish()
    return fault


def _read(words: FaultWords) -> Fault:
    verbs = tuple(dict.fromkeys(fault.verb for fault in FAULTS))
    return _VERBS[words.one_of(verbs)].read(words)


def completions(text: str) -> list[str]:
    """What the words of a fault may become; the last of them may be unfinished.

    >>> completions("drop client d")
    ['drop client data']
    """
    *_, part = re.split(r"\s", text)
    before = text.removesuffix(part)
    words = FaultWords(before + _UNKNOWN)
    with suppress(TrioechoError):
        _read(words)
    return [before + word for word in words.expected(_UNKNOWN) if word.startswith(part.lower())]


def listing() -> str:
    """The usage of every fault, in the order in which a packet meets them, and the grammar."""
    return "\n".join([*(fault.usage for fault in FAULTS), "", NOTATION])


def check(faults: Sequence[Fault]) -> None:
    """Check that faults can be used together.

    Raises:
        TrioechoError: there is a queue without a rate, or two of a fault that a wire can have once.
    """
    for fault in faults:
        fault.check(faults)


def mtu_of(faults: Sequence[Fault]) -> int | None:
    """The MTU that a script sets on both devices."""
    return next((fault.size for fault in faults if isinstance(fault, Mtu)), None)
