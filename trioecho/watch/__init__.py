"""Live traffic of any program: every interface, one tracker, and who holds each end."""

from trioecho.watch.interfaces import Taps, Wanted, open_taps
from trioecho.watch.nursery import Audience, WatchSettings, watch
from trioecho.watch.privileges import drop_privileges
from trioecho.watch.snapshot import Snapshot

__all__ = [
    "Audience",
    "Snapshot",
    "Taps",
    "Wanted",
    "WatchSettings",
    "drop_privileges",
    "open_taps",
    "watch",
]
