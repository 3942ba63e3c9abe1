"""Wire-level tests for other people's code: what the fixture ``wire`` is made of.

Everything here blocks, as ordinary tests do; the wire itself runs in a trio loop of its own, in a
thread that belongs to the fixture.
"""

from trioecho.testing.host import WireHost
from trioecho.testing.wire import Wire, open_wire
from trioecho.view import Connection

__all__ = ["Connection", "Wire", "WireHost", "open_wire"]
