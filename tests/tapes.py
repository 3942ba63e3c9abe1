"""A connection with real bytes at fixed times, as a capture or as the record of a wire of ours."""

from __future__ import annotations

import struct

from captures import pcap
from frames import RAW, START, tcp

from trioecho.account import Accounts
from trioecho.capture.source import ToldFrames
from trioecho.model import ACK, FIN, OTHER, PSH, RST, SYN, Endpoint, Frame
from trioecho.model.way import Way
from trioecho.reading.reading import Reading
from trioecho.requests import Request, Requests
from trioecho.requests.finder import MISSING, PACKAGES

MS = 1_000_000
_MSS = struct.pack("!BBH", 2, 4, 1460)


def udp(source: tuple[int, int], destination: tuple[int, int], data: bytes) -> bytes:
    """An IPv4 packet with a datagram; its checksums are left 0."""
    ends = bytes([10, 0, 0, source[0], 10, 0, 0, destination[0]])
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(data), 0, 0, 64, 17, 0)
    return head + ends + struct.pack("!HHHH", source[1], destination[1], 8 + len(data), 0) + data


class Tape:
    """Frames at fixed times, in milliseconds.

    Args:
        way: how long the wire of ours takes in each direction; None for a capture at one place.
        port: what is added to the client's port.
        server: the server's port.
    """

    def __init__(self, way: float | None = None, port: int = 0, server: int = 7) -> None:
        self.frames: list[Frame] = []
        self.next = {"client": 1000, "server": 5000}
        self._way, self._port, self._server = way, port, server.to_bytes(2)

    def put(
        self,
        at: float,
        end: str,
        flags: int,
        data: bytes = b"",
        *,
        lost: bool = False,
        seq: int = 0,
    ) -> None:
        """A segment; ``seq`` is that of data that is sent again."""
        ack = self.next[OTHER[end]] if flags & ACK else 0  # type: ignore[index]
        options = _MSS if flags & SYN else b""
        first = seq or self.next[end]
        packet = tcp(end, flags, first, ack, data, options=options, port=self._port)
        port = 20 if end == "server" else 22
        packet = packet[:port] + self._server + packet[port + 2 :]
        way = None
        if self._way is not None:
            way = Way(lost=True) if lost else Way(took=int(self._way * MS))
        number, time = len(self.frames) + 1, START + int(at * MS)
        self.frames.append(Frame(number, time, packet, RAW, len(packet), way=way))
        if not seq:
            self.next[end] += len(data) + (flags >> 1 & 1) + (flags & 1)

    def tell(
        self, at: float, source: tuple[int, int], destination: tuple[int, int], data: bytes
    ) -> None:
        """A datagram between two hosts, each by the last byte of its address and its port."""
        packet = udp(source, destination, data)
        number, time = len(self.frames) + 1, START + int(at * MS)
        self.frames.append(Frame(number, time, packet, RAW, len(packet)))

    def open(self, at: float = 0, trip: float = 20) -> None:
        """The handshake, as the client sees it, or the wire."""
        self.put(at, "client", SYN)
        half = 0 if self._way is None else self._way
        self.put(at + (half or trip), "server", SYN | ACK)
        self.put(at + (2 * half or trip), "client", ACK)

    def say(self, at: float, end: str, data: bytes, *, lost: bool = False) -> int:
        """A segment with data; returns its sequence number."""
        seq = self.next[end]
        self.put(at, end, ACK | PSH, data, lost=lost)
        return seq

    def close(self, at: float, *ends: str) -> None:
        """A FIN of each end, 20 ms apart."""
        for number, end in enumerate(ends or ("client", "server")):
            self.put(at + 20 * number, end, ACK | FIN)

    def reset(self, at: float, end: str) -> None:
        """A reset by an end."""
        self.put(at, end, ACK | RST)

    def file(self) -> bytes:
        """A capture file of it."""
        packets = [(*divmod(one.time, 10**9), one.data, one.length) for one in self.frames]
        return pcap(*packets, magic=0xA1B23C4D, link=RAW)


def requests_of(*tapes: Tape, batch: int = 1_000, missing: set[str] | None = None) -> list[Request]:
    """The requests on some tapes, in the order in which they began."""
    frames = sorted((one for tape in tapes for one in tape.frames), key=lambda one: one.time)
    told = any(frame.way is not None for frame in frames)
    found: list[Request] = []
    requests = Requests(found.append)
    accounts, reading = Accounts(on_span=requests.take), Reading(on_datagram=requests.hear)
    for at in range(0, len(frames), batch):
        some = frames[at : at + batch]
        rungs = reading.rungs(ToldFrames(some) if told else some)
        requests.see(rungs)
        accounts.see(rungs)
    rungs = reading.rest()
    requests.see(rungs)
    accounts.see(rungs)
    requests.stop()
    list(accounts.end())
    requests.end()
    advice = [MISSING.format(one, PACKAGES[one]) for one in missing or ()]
    assert list(requests.advice()) == advice
    return sorted(found, key=lambda one: one.number)


def ms(time: int | None) -> float | None:
    """Nanoseconds as milliseconds."""
    return None if time is None else time / MS


CLIENT, SERVER = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 7)
