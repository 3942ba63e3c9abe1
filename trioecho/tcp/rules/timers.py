"""What a timer sends again: nothing was heard of it, or its ACK did not come."""

from __future__ import annotations

from collections.abc import Iterator

from trioecho.model import SYN, Rung
from trioecho.tcp.flight import Sent
from trioecho.tcp.half import Expired, Unheard
from trioecho.tcp.rules.data import DEFAULT_MSS, room_of_options
from trioecho.tcp.rules.repetition import (
    Retransmission,
    SpuriousRetransmission,
    asked,
    first_sent,
)
from trioecho.tcp.rules.words import ends, later, of_rung
from trioecho.tcp.step import Seen
from trioecho.text import ordinal, plural

# No common kernel's timer expires sooner than this (Linux's TCP_RTO_MIN; RFC 6298 asks for 1 s).
SHORTEST_TIMEOUT = 200_000_000
# Nor does a probe's: Linux waits at least two ticks of its clock.
SHORTEST_PROBE = 2_000_000


# ---- nothing was heard of it ---------------------------------------------------------------------


class Timeout(Retransmission, frozen=True):
    """A timer has expired at its sender, which sends it again for the ``times``-th time.

    ``others``: other ACKs have come since it was first sent, but none of it.
    """

    cause: str | None = "timeout"
    times: int = 1
    others: bool = False

    source = "RFC 6298 §5"

    def text(self, rung: Rung) -> str:
        return f"{_which(self)}: no ACK{' of it' if self.others else ''} has come"

    def learn(self, seen: Seen) -> None:
        super().learn(seen)
        seen.mine.expired = _expired(seen)


class ShorterTimeout(Timeout, frozen=True):
    """It has fewer bytes than the ``first`` segment had there, for which there would be room."""

    first: int = 0

    source = "RFC 6298 §5, RFC 4821 §7.7"

    def text(self, rung: Rung) -> str:
        fewer = f"{plural(rung.segment.length, 'byte')} instead of {self.first:,}"
        why = "perhaps because the path takes no larger segments"
        return f"{super().text(rung)}; now with {fewer}, {why}"


def timer_again(seen: Seen) -> Timeout | None:
    """Its sender's timer has sent just this before, 200 ms ago or more, and nothing has come since
    that asks for it once more or tells of a closed window."""
    expired, theirs = seen.mine.expired, seen.theirs
    if expired is None or expired.seq != seen.seq or _unheard(seen):
        return None
    if seen.heard.duplicates > expired.duplicates or theirs.no_room_time > expired.time:
        return None
    if seen.time - expired.time < SHORTEST_TIMEOUT:
        return None
    return _timeout(seen)


def answered_already(seen: Seen) -> Timeout | None:
    """Two duplicate ACKs ask for it, but its sender has answered them before, a round trip and the
    shortest timeout ago: only a timer sends it once more (RFC 6675 §5)."""
    fast = seen.mine.fast
    if fast is None or fast.seq != seen.seq or seen.heard.duplicates < 2 or not asked(seen):
        return None
    if seen.time - fast.time < SHORTEST_TIMEOUT + (seen.history.initial_rtt or 0):
        return None
    return _timeout(seen)


def timeout(seen: Seen) -> Timeout | None:
    """It was first sent 200 ms ago or more."""
    first = seen.original
    if first is not None and seen.time - first.time >= SHORTEST_TIMEOUT:
        return _timeout(seen)
    return None


class TailLossProbe(Retransmission, frozen=True):
    """Its sender asks, before its timer expires, whether its last segment has arrived."""

    cause: str | None = "tail-loss-probe"

    why = ", before a timeout: a tail loss probe"
    source = "RFC 8985 §7"

    def learn(self, seen: Seen) -> None:
        seen.history.probes += 1
        seen.mine.recover, seen.mine.probed = seen.mine.next, seen.number


def late_probe(seen: Seen) -> TailLossProbe | None:
    """It repeats the last segment for the first time, 200 ms ago or more, and an older one is not
    acknowledged and was never sent again: a timer would begin with that."""
    first, sent = _last_once(seen), seen.mine.flight.sent
    if first is None:
        return None
    if not sent or sent[0].seq >= first.seq or sent[0].repeated:
        return None
    if seen.time - first.time < SHORTEST_TIMEOUT:
        return None
    return TailLossProbe(*first_sent(seen))


def tail_loss_probe(seen: Seen) -> TailLossProbe | None:
    """It repeats the last segment for the first time, a round trip and a half after it or more."""
    first, known = _last_once(seen), seen.least_rtt
    if first is None or not known or seen.time - first.time < max(known * 3 // 2, SHORTEST_PROBE):
        return None
    return TailLossProbe(*first_sent(seen))


def _last_once(seen: Seen) -> Sent | None:
    """What it repeats, if that is the last segment, and was sent once."""
    first, last = seen.original, seen.end == seen.mine.next
    return first if first and last and not first.repeated and not seen.segment.flags & SYN else None


# ---- it was acknowledged, in vain ----------------------------------------------------------------


class AckUnheard(SpuriousRetransmission, frozen=True):
    """The peer has it, but its sender has not heard of that: the ACK, rung ``acked``, was ``lost``,
    or is still on its way.

    ``cause``: what made its sender repeat it, None where that cannot be told. ``times``: how often
    it has been sent again.
    """

    cause: str | None = None
    lost: bool = False
    times: int = 1

    source = "RFC 6298 §5"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        which = _which(self)
        link, why = _WHY.get(self.cause or "", ("", ""))
        if not self.lost:
            which, link = f"spurious {which}", link and " when"
        ack = "was lost" if self.lost else "was still on its way"
        had = "had it, but" if self.lost else "had it, and"
        told = f"{which}: the {theirs} {had} its ACK, rung {self.acked}, {ack}"
        return f"{told}{link} the {mine}{why}" if why else told

    def learn(self, seen: Seen) -> None:
        if self.cause == "tail-loss-probe":
            seen.history.probes += 1
            return
        super().learn(seen)
        if self.cause == "timeout":
            seen.mine.expired = _expired(seen)


#: What a sender does that has not heard of an ACK.
_WHY = {
    "timeout": (", so", "'s timer expired"),
    "tail-loss-probe": (", so", " asked before a timeout: a tail loss probe"),
}


def ack_unheard(seen: Seen) -> AckUnheard | None:
    """No ACK of it has arrived: a wire that knows has lost them, or has not delivered them yet."""
    unheard = _unheard(seen)
    if not unheard or (seen.mine.acked or 0) >= seen.end:
        return None
    cause = None
    if _since(seen) >= SHORTEST_TIMEOUT:
        cause = "timeout"
    elif tail_loss_probe(seen) is not None:
        cause = "tail-loss-probe"
    lost = all(one.lost for one in unheard)
    return AckUnheard(*first_sent(seen), unheard[0].number, cause, lost, _times(seen))


class AckLost(Retransmission, frozen=True):
    """The peer has acknowledged this SYN or FIN, in rung ``acked``.

    ``lost``: whether the wire lost that rung, None where that cannot be known. ``times``: how often
    it has been sent again.
    """

    cause: str | None = "ack-lost"
    lost: bool | None = None
    times: int = 1

    why = ": the answer{acked} did not arrive in time, or was not accepted"
    source = "RFC 6298 §5"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        if self.lost is None and rung.on_wire:
            crossed = f"it has crossed its answer, rung {self.acked}"
            return f"{_which(self)}: {crossed}, or that was not taken"
        if self.lost is None:
            return super().text(rung)
        told = f"{_which(self)}: the {theirs} had it"
        if self.lost:
            told += f", but its answer, rung {self.acked}, was lost, so the {mine}'s timer expired"
        else:
            told += f", and its answer, rung {self.acked}, was still on its way when the {mine}'s"
            told += " timer expired"
        return told

    def learn(self, seen: Seen) -> None:
        super().learn(seen)
        seen.mine.expired = _expired(seen)


def ack_lost(seen: Seen) -> AckLost | None:
    """It is a SYN or FIN that the peer has acknowledged before."""
    told = seen.theirs.ack
    if told is None or seen.end > told:  # data that it has acknowledged answer another question
        return None
    unheard = _unheard(seen)
    if unheard and not seen.segment.flags & SYN and _since(seen) < SHORTEST_TIMEOUT:
        return None  # a probe
    if not unheard:
        return AckLost(*first_sent(seen), acked=seen.theirs.ack_rung)
    lost = all(one.lost for one in unheard)
    acked = unheard[0].number
    return AckLost(*first_sent(seen), acked=acked, lost=lost, times=_times(seen))


# ---- what these rules have in common -------------------------------------------------------------


def _timeout(seen: Seen) -> Timeout:
    first = seen.original
    others = first is not None and seen.heard.ack_time > first.time
    sent, times = first_sent(seen), _times(seen)
    if (length := _larger(seen)) is not None:
        return ShorterTimeout(*sent, times=times, others=others, first=length)
    return Timeout(*sent, times=times, others=others)


def _larger(seen: Seen) -> int | None:
    """The length of what was first sent there, if it is larger, one segment, and whole in the
    receiver's window, and the receiver has no part of it."""
    first, theirs = seen.original, seen.theirs
    if first is None or first.seq != seen.seq or first.end <= seen.end or theirs.sack:
        return None
    if theirs.ack is None or theirs.window is None or not theirs.shift_known:
        return None
    length = first.end - first.seq
    whole = length + room_of_options(seen.segment) <= (theirs.mss or DEFAULT_MSS)
    return length if whole and first.end <= theirs.ack + (theirs.window << theirs.shift) else None


def _since(seen: Seen) -> int:
    """How long ago its first number was last sent, 0 where that is not known."""
    first = seen.original
    sent = seen.time if first is None else first.time
    return seen.time - max((one.time for one in _again(seen)), default=sent)


def _times(seen: Seen) -> int:
    """How often its first number has been sent again, with this one."""
    return sum(1 for _ in _again(seen)) + 1


def _again(seen: Seen) -> Iterator[Sent]:
    """The earlier retransmissions of its first number."""
    for one in seen.mine.flight.repeats:
        if one.seq <= seen.seq < one.end and not one.copied:
            yield one


def _unheard(seen: Seen) -> list[Unheard]:
    """The ACKs of it of which a wire knows that they have not arrived."""
    heard = seen.theirs.heard
    return [] if heard is None else [one for one in heard.unheard if one.ack >= seen.end]


def _expired(seen: Seen) -> Expired:
    """What is to be remembered of a timer that sends it again."""
    return Expired(seen.seq, seen.time, seen.heard.duplicates)


def _which(fact: Timeout | AckUnheard | AckLost) -> str:
    """Such as ``retransmission of rung 4 after 1.2 s, for the 3rd time``."""
    times = f", for the {ordinal(fact.times)} time" if fact.times > 1 else ""
    return f"retransmission{of_rung(fact.of)}{later(fact.after)}{times}"
