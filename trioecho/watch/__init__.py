"""Live traffic of any program: every interface, one tracker, and who holds each end."""

from trioecho.watch.interfaces import Taps, Wanted, open_taps
from trioecho.watch.nursery import Audience, Settings, watch
from trioecho.watch.privileges import drop_privileges
from trioecho.watch.snapshot import Snapshot

__all__ = [
    "Audience",
    "Settings",
    "Snapshot",
    "Taps",
    "Wanted",
    "drop_privileges",
    "open_taps",
    "watch",
]
