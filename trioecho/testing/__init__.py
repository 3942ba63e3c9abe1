"""Wire-level tests for other people's code: what the fixture ``wire`` is made of.

Everything here blocks, as ordinary tests do. The wire itself runs in its own trio loop, in a thread
that the fixture owns.
"""

from trioecho.testing.host import WireHost
from trioecho.testing.wire import Wire, open_wire
from trioecho.view import Connection

__all__ = ["Connection", "Wire", "WireHost", "open_wire"]
