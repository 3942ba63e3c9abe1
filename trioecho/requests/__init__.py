"""What two programs asked each other, and when: HTTP, TLS, DNS, and the turns of any other talk.

Pure: it is fed with rungs in order, in one pass and in bounded memory, and looks at no clock.
``Requests`` takes the rungs of many connections and gives each ``Request`` once all of it is known.
"""

from __future__ import annotations

from trioecho.requests.request import Request
from trioecho.requests.requests import Requests

__all__ = ["Request", "Requests"]
