"""What tells why segments of a transfer were lost: queues beside them, and tokens left for them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from trioecho.account.causes import BESIDE, HIGHER, INFLATED, INFLATED_BY, SLIGHTLY, STEEP
from trioecho.account.transfer import Transfer

#: Bytes of headers that a policer counts, too: IPv4 and TCP, with timestamps.
HEADERS = 52
#: Multiples of what has passed that a policer's rate may be, since its sender has waited: to 2.1.
_TIMES = tuple(1.05**step for step in range(16))

#: Multiples of a rate that must not all fit as well.
_BEYOND = (1.2, 1.5, 2)


class Bucket(Struct):
    """A token bucket of one rate, and how well it tells losses from passes.

    Args:
        rate: bytes a nanosecond.
        burst: bytes that it held.
        tells: the chance that a loss finds fewer tokens than a pass.
        spread: between what most losses found taken from it, as a share of that.
        at_least: whether its rate is only the least: all up to twice as much fit as well.
    """

    rate: float
    burst: float
    tells: float
    spread: float
    at_least: bool = False


def rounds(transfer: Transfer, lost: Sequence[int], trip: float) -> int:
    """In how many round trips something was lost.

    Args:
        transfer: the transfer.
        lost: which of its transmissions were lost.
        trip: a round-trip time, nanoseconds.
    """
    count, until = 0, 0.0
    for place in lost:
        if transfer.times[place] > until:
            count, until = count + 1, transfer.times[place] + trip
    return count


def runs(transfer: Transfer, lost: Sequence[int]) -> int:
    """How many losses follow a transmission that was not lost.

    Args:
        transfer: the transfer.
        lost: which of its transmissions were lost.
    """
    return sum(not place or not transfer.lost[place - 1] for place in lost)


def queued(transfer: Transfer, lost: Sequence[int], trips: Sequence[int]) -> bool:
    """Whether a queue stood where segments were lost: by what was sent just before them.

    Args:
        transfer: the transfer.
        lost: which of its transmissions were lost.
        trips: its round-trip times, the least first.
    """
    least = trips[0]
    beside = [trip for place in lost if (trip := _beside(transfer, place, least))]
    if not beside or (now := median(beside)) < max(SLIGHTLY * least, least + INFLATED_BY):
        return False
    return now >= INFLATED * least or higher(beside, trips) >= HIGHER


def _beside(transfer: Transfer, place: int, least: int) -> int:
    """The round trip of what was sent before a loss; the less of two, since ACKs are delayed."""
    found: list[int] = []
    for before in range(place - 1, max(-1, place - 1 - BESIDE), -1):
        if transfer.times[place] - transfer.times[before] > least or len(found) == 2:
            break
        if transfer.trips[before]:
            found.append(transfer.trips[before])
    return min(found, default=0)


def bucket_of(transfer: Transfer, lost: Sequence[int]) -> Bucket | None:
    """The token bucket that tells losses from passes best.

    Its rate is what has passed between the first loss and the last; or twice as much, where the
    sender has waited for its timer meanwhile.

    Args:
        transfer: the transfer.
        lost: which of its transmissions were lost.

    Returns:
        The bucket; None where all were lost at one moment.
    """
    passed = _passed(transfer, lost)
    if not passed:
        return None
    return max((_filled(transfer, times * passed) for times in (1, 2)), key=_tells)


def fitted(transfer: Transfer, lost: Sequence[int]) -> Bucket:
    """The token bucket that is as empty at each loss, of rates as those of ``bucket_of``.

    A sender that loses to a small bucket, and then waits until that is full, never meets the rate.
    Then higher ones fit as well, and what has passed is the least that it can be.

    Args:
        transfer: the transfer.
        lost: which of its transmissions were lost.
    """
    passed = _passed(transfer, lost)
    best = min((_filled(transfer, times * passed) for times in _TIMES), key=_misses)
    beyond = max(_misses(_filled(transfer, times * best.rate)) for times in _BEYOND)
    if beyond < _misses(best) + STEEP:
        best.rate, best.at_least = passed, True
    return best


def _tells(bucket: Bucket) -> float:
    return bucket.tells


def _misses(bucket: Bucket) -> float:
    return bucket.spread + 1 - bucket.tells


def _passed(transfer: Transfer, lost: Sequence[int]) -> float:
    """Bytes a nanosecond that have passed between the first loss and the last."""
    first, last = lost[0], lost[-1]
    took = transfer.times[last] - transfer.times[first]
    sizes, gone = transfer.sizes[first:last], transfer.lost[first:last]
    passed = sum(size + HEADERS for size, one in zip(sizes, gone, strict=True) if not one)
    return passed / took if took > 0 else 0.0


def _filled(transfer: Transfer, rate: float) -> Bucket:
    """A token bucket of a rate that is full at first: what had been taken from it, each time."""
    passes: list[float] = []
    losses: list[float] = []
    taken, before = 0.0, transfer.times[0]
    for time, size, gone in zip(transfer.times, transfer.sizes, transfer.lost, strict=True):
        taken = max(0.0, taken - rate * (time - before))
        before = time
        if gone:
            losses.append(taken)
        else:
            passes.append(taken)
            taken += size + HEADERS
    tells = higher(losses, passes)
    losses.sort()
    burst, tenth = median(losses), len(losses) // 10
    return Bucket(rate, burst, tells, (losses[-1 - tenth] - losses[tenth]) / max(burst, 1.0))


def higher(some: Sequence[float], others: Sequence[float]) -> float:
    """The chance that one of some is higher than one of others, ties by half (Mann-Whitney).

    Args:
        some: numbers.
        others: others.

    Returns:
        From 0 to 1; 0.5 where neither are higher.
    """
    if not some or not others:
        return 0.5
    below = sorted(others)
    wins = sum(bisect_left(below, one) + bisect_right(below, one) for one in some)
    return wins / (2 * len(some) * len(others))
