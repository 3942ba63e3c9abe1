"""Tally: whether a fault's segments were seen, and if not, why. PURE."""

from __future__ import annotations

from collections.abc import Sequence

from trioecho.faults.flows import Flow, Sight
from trioecho.faults.items import Items
from trioecho.model import End
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

    def has(self, flow: Flow, end: End, sights: Sequence[Sight]) -> bool:
        """Whether a segment is one of them."""
        items, found = self.items, False
        if items.end not in (None, end) or items.connection not in (None, flow.number):
            return False
        for sight in sights:
            if sight.kind == items.kind:
                number = sight.own if items.end else sight.joint
                self.most = max(self.most, number)
                often = items.times is None or sight.transmission <= items.times
                found = found or (often and items.which.has(number))
        self.hit = self.hit or found
        return found

    def why(self, connections: int) -> str:
        """Why nothing matched, as half a sentence."""
        items, wanted = self.items, self.items.connection
        if wanted and wanted > connections:
            return "there was " + (plural(connections, "connection") if connections else "none")
        who = f"the {items.end}" if items.end else "the two ends"
        if items.which.first <= self.most and not items.which.every:
            return f"{who} had sent it before"
        one, many = _NOUNS[items.kind]
        what = f"{self.most:,} {one if self.most == 1 else many}" if self.most else f"no {one}"
        each = " at most in any connection" if connections > 1 and not wanted and self.most else ""
        return f"{who} sent {what}{each}"
