"""Where frames come from."""

from __future__ import annotations

import socket
import sys
from typing import Literal

from trioecho.capture.live import Capture
from trioecho.errors import TrioechoError

__all__ = ["Capture", "SnifferName", "open_capture"]

SnifferName = Literal["auto", "ring", "scapy"]


def open_capture(
    sniffer: SnifferName = "auto",
    *,
    interface: str = "lo",
    sock: socket.socket | None = None,
    port: int | None = None,
    first: int = 1,
    size: int | None = None,
) -> Capture:
    """Start a capture on an interface.

    Args:
        sniffer: ``ring`` for the kernel's mapped ring (Linux), ``scapy`` for scapy's socket, and
            ``auto`` for the ring where there is one.
        interface: the interface's name.
        sock: an unbound packet socket of protocol 0 made in the network namespace that the
            interface is in, which the capture takes over; None to open one here.
        port: the one TCP port to let through, or None for every frame.
        first: the number of the first frame.
        size: bytes of the ring, None for its usual size.

    Returns:
        The capture, which sees every frame from now on. Use it in a ``with`` block.

    Raises:
        TrioechoError: this system has no such capture, this process may not capture, or there is
            no such interface.
    """
    if sniffer == "ring" and sys.platform != "linux":
        raise TrioechoError("The kernel's mapped ring exists only on Linux", "Use --sniffer scapy")
    if sniffer == "scapy" or sys.platform != "linux":
        from trioecho.capture.scapy_socket import open_sniffer

        return open_sniffer(sock, interface, port, first=first)
    from trioecho.capture.packet_socket import open_packet_socket
    from trioecho.capture.ring import Ring

    ring = sock or open_packet_socket()
    if size is None:
        return Ring(ring, interface, port, first=first)
    return Ring(ring, interface, port, first=first, size=size)
