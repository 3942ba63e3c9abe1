"""The one nursery that hosts a capture, a server and a client, and what comes out of it."""

from trioecho.stage.outputs import Output
from trioecho.trace.nursery import trace
from trioecho.trace.place import Place
from trioecho.trace.settings import Settings
from trioecho.trace.wired import trace_wired

__all__ = ["Output", "Place", "Settings", "trace", "trace_wired"]
