"""See what a TCP connection does on the wire.

The names below are the public ones; every other module is inner and may change. They are imported
when they are first used.
"""

from __future__ import annotations

__version__ = "0.1.0"

# Not typing's, which takes longer to import than all that comes before Ctrl-C is answered.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from trioecho.capture import Capture, open_capture
    from trioecho.errors import TrioechoError
    from trioecho.hosts.host import Host
    from trioecho.model import (
        Call,
        ConnectionSummary,
        Endpoint,
        Fact,
        Frame,
        Rung,
        Segment,
        State,
        Summary,
    )
    from trioecho.packet.decoder import Decoder
    from trioecho.stage.open import open_stage
    from trioecho.stage.stage import Stage
    from trioecho.tcp.tracker import Tracker
    from trioecho.trace import TraceSettings, trace_echo
    from trioecho.view import Connection, Ladder, read

__all__ = [
    "Call",
    "Capture",
    "Connection",
    "ConnectionSummary",
    "Decoder",
    "Endpoint",
    "Fact",
    "Frame",
    "Host",
    "Ladder",
    "Rung",
    "Segment",
    "Stage",
    "State",
    "Summary",
    "TraceSettings",
    "Tracker",
    "TrioechoError",
    "__version__",
    "open_capture",
    "open_stage",
    "read",
    "trace_echo",
]

_FROM = {
    "capture": ("Capture", "open_capture"),
    "errors": ("TrioechoError",),
    "hosts.host": ("Host",),
    "packet.decoder": ("Decoder",),
    "stage.open": ("open_stage",),
    "stage.stage": ("Stage",),
    "tcp.tracker": ("Tracker",),
    "trace": ("TraceSettings", "trace_echo"),
    "view": ("Connection", "Ladder", "read"),
}
_MODULES = {name: module for module, names in _FROM.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'model')}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
