"""What comes next? Questions on a ladder, with choices that the state machine allows. PURE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from trioecho.model import ACK, ENDS, FIN, RST, SYN, End, Rung, State
from trioecho.tcp.states import OPENING, TABLE, Event

#: Choices of a question; fewer where the ends can do less.
CHOICES = 4

_SENDS = {
    Event.SEND_SYN: "SYN",
    Event.SEND_SYN_ACK: "SYN-ACK",
    Event.SEND_FIN: "FIN",
    Event.SEND_RST: "RST",
}
_SENDS_DATA = (State.ESTABLISHED, State.CLOSE_WAIT)
# What is no plain ACK, data or FIN, though it looks like one.
_NAMED = {
    "zero-window-probe": "zero-window probe",
    "keep-alive": "keep-alive",
    "window-update": "window update",
    "duplicate-ack": "duplicate ACK",
    "challenge-ack": "challenge ACK",
}
_AGAIN = " again"
_SAME = {"synack": "syn-ack", "retransmission": "again", "resend": "again", "resent": "again"}


class Choice(NamedTuple):
    """Who sends what.

    Args:
        sender: the end.
        form: such as ``SYN-ACK`` or ``data again``.
    """

    sender: End
    form: str

    def __str__(self) -> str:
        return f"{self.sender} {self.form}"


class Question(NamedTuple):
    """What comes next?

    Args:
        rung: the answer's rung.
        choices: what may come, in no order.
        right: the right one.
    """

    rung: Rung
    choices: tuple[Choice, ...]
    right: Choice


def questions(rungs: Sequence[Rung], seed: str = "") -> Iterator[Question | Rung]:
    """A ladder with questions: each rung that is worth one becomes one, in order.

    Args:
        rungs: the ladder.
        seed: the same one gives the same choices.

    Returns:
        Questions, and the rungs that are only shown.
    """
    states: dict[int, dict[End, State]] = {}
    sent: dict[tuple[int, End], str] = {}
    for rung in rungs:
        before = states.get(rung.connection)
        right = Choice(rung.sender, form(rung))
        if before is None or not _is_worth_asking(rung, right, sent):
            yield rung
        else:
            others = {one for end in ENDS for one in _possible(end, before[end], rung, sent)}
            yield Question(rung, _mixed(right, others - {right}, f"{seed} {rung.number}"), right)
        states[rung.connection] = {"client": rung.client_state, "server": rung.server_state}
        if right.form not in _NAMED.values():
            sent[rung.connection, rung.sender] = right.form.removesuffix(_AGAIN)


def form(rung: Rung) -> str:
    """What a segment is, such as ``SYN-ACK`` or ``data again``."""
    for note in rung.notes:
        if note.kind in _NAMED:
            return _NAMED[note.kind]
    flags = rung.segment.flags
    plain = "data" if rung.segment.length else "ACK"
    bits = {RST: "RST", SYN: "SYN-ACK" if flags & ACK else "SYN", FIN: "FIN"}
    named = next((name for bit, name in bits.items() if flags & bit), plain)
    return named + _AGAIN * any(note.again for note in rung.notes)


def answered(question: Question, answer: str) -> Choice | None:
    """Which choice an answer means: its letter, or its words; None if that is not clear."""
    words = [_SAME.get(word, word) for word in re.findall(r"[\w-]+", answer.lower())]
    words = re.sub(r"\bsyn ack\b", "syn-ack", " ".join(words)).split()
    if len(words) == 1 and len(words[0]) == 1:
        at = ord(words[0]) - ord("a")
        return question.choices[at] if 0 <= at < len(question.choices) else None
    meant = {choice: str(choice).lower().split() for choice in question.choices}
    exact = [choice for choice, said in meant.items() if words in (said, said[1:])]
    found = exact or [one for one, said in meant.items() if words and set(words) <= set(said)]
    return found[0] if len(found) == 1 else None


def _is_worth_asking(rung: Rung, right: Choice, sent: dict[tuple[int, End], str]) -> bool:
    """Whether it is more than the next segment of a kind that its sender has just sent."""
    if rung.kind != "original" or rung.lost:
        return rung.kind == "original"
    return sent.get((rung.connection, rung.sender)) != right.form


def _possible(
    end: End, state: State, rung: Rung, sent: dict[tuple[int, End], str]
) -> Iterator[Choice]:
    """What an end may send in a state, by the state machine, or send again."""
    for event in TABLE[state]:
        if event in _SENDS:
            yield Choice(end, _SENDS[event])
    if state in _SENDS_DATA:
        yield Choice(end, "data")
    if state not in OPENING:
        yield Choice(end, "ACK")
    last = sent.get((rung.connection, end))
    if last is not None and last not in ("ACK", "RST"):
        yield Choice(end, last + _AGAIN)


def _mixed(right: Choice, others: set[Choice], seed: str) -> tuple[Choice, ...]:
    """The right choice among some of the others."""
    chance = Random(seed)
    few = chance.sample(sorted(others), min(CHOICES - 1, len(others)))
    return tuple(chance.sample([right, *few], len(few) + 1))
