"""See what a TCP connection does on the wire."""

__version__ = "0.1.0"
