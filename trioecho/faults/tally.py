"""Tally: whether a fault's segments were seen, and if not, why. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from trioecho.faults.flows import MOST_ITEMS, Flow, Sight
from trioecho.faults.items import Items
from trioecho.model import End, Segment
from trioecho.text import plural

_NOUNS = {
    "syn": ("SYN", "SYNs"),
    "syn-ack": ("SYN-ACK", "SYN-ACKs"),
    "ack": ("pure ACK", "pure ACKs"),
    "data": ("segment of data", "segments of data"),
    "fin": ("FIN", "FINs"),
    "rst": ("RST", "RSTs"),
    "segment": ("segment", "segments"),
}


class Tally:
    """Counts segments of a kind, and notes whether the wanted ones were among them."""

    def __init__(self, items: Items) -> None:
        self.items = items
        self.hit = False
        self.most = 0
        self.again = False
        # Of each connection: the numbers of the items with the text, or how often the byte came.
        self._known: WeakKeyDictionary[Flow, dict[int, int]] = WeakKeyDictionary()

    def has(self, flow: Flow, end: End, segment: Segment, sights: Sequence[Sight]) -> bool:
        """Whether a segment is one of them."""
        items = self.items
        if items.end not in (None, end) or items.connection not in (None, flow.number):
            return False
        if items.byte:
            found = self._has_byte(flow, end, segment)
        else:
            found = self._is_among(flow, segment, sights)
        self.hit = self.hit or found
        return found

    def _is_among(self, flow: Flow, segment: Segment, sights: Sequence[Sight]) -> bool:
        items, found = self.items, False
        for sight in sights:
            if sight.kind == items.kind:
                number = sight.own if items.end else sight.joint
                if items.containing:
                    number = self._number(flow, segment, sight)
                self.most = max(self.most, number)
                self.again = self.again or bool(number and sight.transmission > 1)
                often = items.times is None or sight.transmission <= items.times
                found = found or bool(number and often and items.which.has(number))
        return found

    def _number(self, flow: Flow, segment: Segment, sight: Sight) -> int:
        """Which of those with the text it is; 0 where it was first sent without."""
        known = self._known.setdefault(flow, {})
        if sight.transmission == 1 and self.items.containing in segment.payload:
            known[sight.joint] = known[next(reversed(known))] + 1 if known else 1
            if len(known) > MOST_ITEMS:
                del known[next(iter(known))]
        return known.get(sight.joint, 0)

    def _has_byte(self, flow: Flow, end: End, segment: Segment) -> bool:
        """Whether it holds the byte, and is not sent too often."""
        times, first = self.items.times, flow.place(end, segment)
        last = first + segment.length - 1
        self.most = max(self.most, last if segment.length else 0)
        if not first <= self.items.byte <= last:
            return False
        known = self._known.setdefault(flow, {0: 0})
        known[0] += 1
        return times is None or known[0] <= times

    def why(self, connections: int) -> str:
        """Why nothing matched, as half a sentence."""
        items, wanted = self.items, self.items.connection
        if wanted and wanted > connections:
            return "there was " + (plural(connections, "connection") if connections else "none")
        who = f"the {items.end}" if items.end else "the two ends"
        one, many = ("byte", "bytes") if items.byte else _NOUNS[items.kind]
        if (items.byte or items.which.first) <= self.most and not items.which.every:
            return f"{who} had sent it before"
        what = f"{self.most:,} {one if self.most == 1 else many}" if self.most else f"no {one}"
        text = " with that text" if items.containing else ""
        each = " at most in any connection" if connections > 1 and not wanted and self.most else ""
        again = ", not counting retransmissions" if self.again else ""
        return f"{who} sent {what}{text}{each}{again}"
