"""Sequence numbers: 32 bits that wrap (RFC 9293 §3.4), turned into plain distances from the ISN.

Once a number is relative and unwrapped, the rest of the engine compares with ``<`` as one would in
a textbook, and a stream of more than 4 GiB goes on counting.
"""

from __future__ import annotations

SPACE = 1 << 32
MASK = SPACE - 1
HALF = 1 << 31


def distance(to: int, start: int) -> int:
    """How far ``to`` lies after ``start`` in sequence space, negative when it lies before.

    Args:
        to, start: raw 32-bit sequence numbers.

    Returns:
        From -2**31 to 2**31 - 1.

    >>> distance(2, 0xFFFFFFFF)
    3
    """
    return ((to - start + HALF) & MASK) - HALF


def relative(raw: int, isn: int, near: int) -> int:
    """The distance of ``raw`` from the ISN, with the wraps counted.

    Args:
        raw: a raw 32-bit sequence or acknowledgment number.
        isn: the initial sequence number it counts from.
        near: a relative number known to be close (the last one seen), which tells the wrap.

    Returns:
        The relative number that is congruent to ``raw - isn`` and nearest to ``near``. It is
        negative for a number before the ISN.

    >>> relative(5, 0xFFFFFFFF, 0)
    6
    """
    return near + ((raw - isn - near + HALF) & MASK) - HALF
