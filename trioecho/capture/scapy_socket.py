"""Sniffer: capture through a socket of scapy's, for systems without packet sockets."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Any

import trio

from trioecho.capture.filters import SNAP
from trioecho.capture.live import Capture
from trioecho.capture.packet_socket import (
    SOL_PACKET,
    Counts,
    bind,
    complaint,
    open_packet_socket,
    prepare,
)
from trioecho.capture.scapy_import import quiet
from trioecho.errors import TrioechoError
from trioecho.model import Frame

BATCH = 256  # frames read between two checkpoints
POLL = 0.1  # seconds that a thread waits for a frame where trio cannot
RECEIVE_BUFFER = 64 << 20  # bytes asked of the kernel, which gives an ordinary user rmem_max
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
PACKET_AUXDATA = 8


def open_sniffer(
    sock: socket.socket | None, interface: str, port: int | None, *, first: int = 1
) -> Capture:
    """Start a capture with scapy, on a packet socket made elsewhere or on one of its own."""
    if sys.platform == "linux":
        return LinuxSniffer(sock or open_packet_socket(), interface, port, first=first)
    return NativeSniffer(interface, port, first=first)


def adopt(sock: socket.socket, interface: str) -> Any:
    """Give a packet socket that was made elsewhere to scapy.

    scapy's own constructor would make one in this process's network namespace.
    """
    with quiet():
        from scapy.arch.linux import L2ListenSocket
        from scapy.config import conf

    class AdoptedSocket(L2ListenSocket):  # type: ignore[misc]
        def __init__(self) -> None:
            self.ins = sock
            self.outs = None
            self.iface = interface
            self.promisc = False
            self.auxdata_available = True
            self.LL = conf.raw_layer

    return AdoptedSocket()


class LinuxSniffer(Capture):
    """Frames of one interface through scapy's packet socket, undissected.

    It reads frame by frame from a buffer that an ordinary user cannot make large, so it loses
    frames where `Ring` keeps them, and it counts those. Its times come through a float of seconds
    and are good to a quarter of a microsecond.

    Args:
        sock: a packet socket of protocol 0 that is not bound, made in whichever network namespace
            the interface is in. The sniffer takes it over and closes it, even when it fails.
        interface: the interface's name.
        port: the one TCP port to let through, or None for every frame.
        first: the number of the first frame.

    Raises:
        TrioechoError: there is no such interface, it is down, or its frames are of a kind not
            known here.
    """

    def __init__(
        self, sock: socket.socket, interface: str = "lo", port: int | None = None, *, first: int = 1
    ) -> None:
        super().__init__(interface, first)
        self._sock = sock
        self._failure: TrioechoError | None = None
        try:
            sock.setblocking(False)
            self.link = prepare(sock, interface, port)
            enlarge(sock)
            sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._scapy = adopt(sock, interface)
            bind(sock, interface)
        except BaseException:
            sock.close()
            raise
        self._counts = Counts(sock)

    def dropped(self) -> int:
        """Frames so far that the kernel dropped because the socket's buffer was full."""
        return self._counts.dropped()

    def close(self) -> None:
        """Stop capturing and close the socket."""
        self._scapy.close()

    def _taken(self) -> int:
        return self._counts.taken()

    async def _wait(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        await trio.lowlevel.wait_readable(self._sock)

    def _read(self) -> list[Frame]:
        frames: list[Frame] = []
        while len(frames) < BATCH:
            try:
                _, data, seconds = self._scapy.recv_raw(SNAP)
            except BlockingIOError:
                break
            except OSError as error:
                self._failure = complaint(error.errno or 0, self.interface)
                break
            frames.append(frame(self.number, data, seconds, self.link))
            self.number += 1
        return frames


class NativeSniffer(Capture):
    """Frames of one interface through the listening socket scapy has for this system.

    That is bpf on macOS and the BSDs and Npcap on Windows. It is untested: the project has no such
    machine. A thread waits for frames, a tenth of a second at a time, since trio can wait for
    neither kind everywhere. What the kernel drops is not told through scapy.

    Raises:
        TrioechoError: this process may not capture there, or there is no such interface.
    """

    def __init__(self, interface: str = "lo0", port: int | None = None, *, first: int = 1) -> None:
        super().__init__(interface, first)
        self._stopping = False
        with quiet():
            import scapy.arch
            from scapy.config import conf
            from scapy.error import Scapy_Exception
        try:
            self._scapy = conf.L2listen(
                iface=interface, filter=None if port is None else f"tcp port {port}"
            )
        except (OSError, ValueError, RuntimeError, Scapy_Exception) as error:
            raise TrioechoError(
                f"scapy cannot capture on {interface!r}: {error}",
                f"It may take an administrator, on Windows Npcap; there are "
                f"{', '.join(scapy.arch.get_if_list())}",
            ) from error
        self.link = conf.l2types.layer2num.get(self._scapy.LL, 1)
        if hasattr(self._scapy, "set_nonblock"):
            self._scapy.set_nonblock(True)
        else:
            self._scapy.pcap_fd.setnonblock(True)

    def dropped(self) -> int:
        """0: scapy does not say."""
        return 0

    def stop(self) -> None:
        """Let `run` return when no frame has come for a tenth of a second."""
        self._stopping = True

    def close(self) -> None:
        """Stop capturing and close the socket."""
        self._scapy.close()

    def _taken(self) -> int:
        return self.number - self._first

    async def _wait(self) -> None:
        ready = await trio.to_thread.run_sync(self._scapy.select, [self._scapy], POLL)
        if self._stopping and not ready:
            self._goal = self._taken()

    def _read(self) -> list[Frame]:
        frames: list[Frame] = []
        while len(frames) < BATCH:
            _, data, seconds = self._scapy.recv_raw(SNAP)
            if data is None:
                break
            frames.append(frame(self.number, data, seconds, self.link))
            self.number += 1
        return frames


def frame(number: int, data: bytes, seconds: float, link: int) -> Frame:
    """A frame as scapy returns it, which does not say whether it was cut short."""
    return Frame(number, round(seconds * 1e9), data, link, len(data))


def enlarge(sock: socket.socket) -> None:
    """Give a socket the largest receive buffer we are allowed to."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    with contextlib.suppress(PermissionError):
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
