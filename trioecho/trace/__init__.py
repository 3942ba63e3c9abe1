"""The one nursery that hosts a capture, a server and a client, and what comes out of it."""

from trioecho.trace.nursery import Settings, trace

__all__ = ["Settings", "trace"]
