"""The private wire: two hosts, and a pump between them that may break what it carries.

Each host has a TUN device. Each read of the device returns one packet that its kernel sent. A
packet written to the other device has arrived and been processed when the write returns. So the
wire knows when each packet was sent, whether it arrived, and when. ``Fates`` decides what becomes
of each; the observers are notified.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from time import monotonic_ns, time_ns
from typing import Protocol

import trio
from msgspec import Struct
from msgspec.structs import replace

from trioecho.errors import TrioechoError, sole
from trioecho.faults.fate import Delivery, Packet
from trioecho.faults.fates import Fates
from trioecho.faults.fault import Fault
from trioecho.faults.faults import check, mtu_of, parse
from trioecho.hosts.host import Host
from trioecho.hosts.line import Keeper, KernelRefusedError, open_keeper
from trioecho.hosts.refusal import TUN, refusal
from trioecho.model import ENDS, OTHER, End, Frame, Kind, Segment
from trioecho.packet.decode import decode
from trioecho.packet.decoder import Decoder

#: What the wire is called where interfaces have names: one, since libpcap takes no file with two of
#: LINKTYPE_RAW.
INTERFACES = ("wire",)
RAW = 101  # LINKTYPE_RAW: a TUN device carries bare IP packets
ADDRESSES = {"client": ("10.0.0.1", "fd00::1"), "server": ("10.0.0.2", "fd00::2")}
MTU = 1500
# Packets read in one go, so that two busy kernels do not starve the other tasks.
_GO = 256
_LARGEST = 1 << 16


class Passage(Struct):
    """The passage of one segment over the wire.

    Args:
        end: who sent it, or appears to have, when the wire made it.
        frame: the packet, and when it was sent.
        segment: the segment in it.
        kind: ``original``, a ``copy`` that the wire made of one, or ``injected`` by the wire.
        fault: the fault that hit it, in its own words; ``""`` for none.
        lost: whether it never arrives, or arrives changed.
        arrived: when it arrived, nanoseconds since the epoch; None until it has.
        broken: whether it is lost because it arrives with a wrong checksum.
        too_large: whether it is lost because it is too large for the path, and its sender is told.
        edited: how the wire changed it, in words: the frame is as the other host gets it.
    """

    end: End
    frame: Frame
    segment: Segment
    kind: Kind = "original"
    fault: str = ""
    lost: bool = False
    arrived: int | None = None
    broken: bool = False
    too_large: bool = False
    edited: str = ""


class Observer(Protocol):
    """Notified of what happens on the wire, at once and in time order."""

    def sent(self, passage: Passage) -> None:
        """A segment has been sent; its fate is not known yet."""

    def done(self, passage: Passage) -> None:
        """It has arrived, or been lost."""

    @property
    def full(self) -> bool:
        """Whether the wire should read no more; packets then wait in the kernels."""

    async def room(self) -> None:
        """Return when it is not full."""


class _Way(Struct):
    """A packet in flight: its passage if it is TCP, and how many deliveries of it are planned."""

    passage: Passage | None
    planned: int
    delivered: bool = False


class PrivateWire:
    """Two hosts and the wire between them.

    Attributes:
        observers: notified of each segment.
    """

    def __init__(
        self, client: Host, server: Host, devices: dict[End, int], faults: Sequence[Fault]
    ) -> None:
        self.client = client
        self.server = server
        self.observers: list[Observer] = []
        self._devices = devices
        self._fates = Fates(faults)
        self._decoder = Decoder()
        self._frames = 0
        self._packets = 0
        self._now = 0
        self._epoch = time_ns() - monotonic_ns()
        self._ways: dict[int, _Way] = {}
        self._due: list[tuple[int, int, Delivery]] = []
        self._planned = 0
        self._earlier = trio.Event()

    def host(self, end: End) -> Host:
        """The host at one end."""
        return self.client if end == "client" else self.server

    def fault(self, text: str) -> None:
        """Add a fault, from now on.

        Raises:
            TrioechoError: a word of it is not understood.
        """
        self._fates.add(parse(text))

    def unmatched(self) -> tuple[str, ...]:
        """A sentence for each fault that has not acted."""
        return self._fates.unmatched()

    def drain(self, limit: int = _GO) -> bool:
        """Read what the hosts have sent so far, and deliver what is due.

        The pump does this whenever a device is readable. Call it right after a socket call to have
        the segments it sent follow it immediately.
        """
        self._deliver()
        for _ in range(limit):
            if any(observer.full for observer in self.observers):
                return False
            moved = False
            for end in ENDS:
                if data := self._read(end):
                    moved = True
                    self._take(end, data)
                    self._deliver()
            if not moved:
                return False
        return True

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry packets until cancelled."""
        async with trio.open_nursery() as nursery:
            for end in ENDS:
                nursery.start_soon(self._pump, self._devices[end])
            nursery.start_soon(self._clock)
            task_status.started()

    # ---- the pump --------------------------------------------------------------------------------

    async def _pump(self, device: int) -> None:
        while True:
            for observer in self.observers:
                if observer.full:
                    await observer.room()
            await trio.lowlevel.wait_readable(device)
            while self.drain():
                await trio.lowlevel.checkpoint()

    async def _clock(self) -> None:
        """Deliver delayed packets when they are due."""
        while True:
            self._earlier = trio.Event()
            wait = (self._due[0][0] - self._clock_ns()) / 1e9 if self._due else float("inf")
            with trio.move_on_after(max(wait, 0)):
                await self._earlier.wait()
            self._deliver()

    def _clock_ns(self) -> int:
        """Nanoseconds since the epoch, unaffected by steps of the wall clock."""
        return self._epoch + monotonic_ns()

    def _time(self) -> int:
        """The current time, later than any before: no two things happen at once on the wire."""
        self._now = max(self._clock_ns(), self._now + 1)
        return self._now

    def _take(self, end: End, data: bytes) -> None:
        """Process a packet that a host has sent."""
        now = self._time()
        self._packets += 1
        frame = Frame(self._frames + 1, now, data, RAW, len(data))
        segment = decode(frame)
        decision = self._fates.decide(Packet(self._packets, end, now, data, segment))
        if decision.edited:
            frame = replace(frame, data=decision.data)
            segment = decode(frame)
        passage = None if segment is None else self._sent(Passage(end, frame, segment))
        if passage is None and not decision.lost:  # it may be the last fragment of one
            segment = self._decoder.segment(frame)
            if segment is not None:
                self._frames += len(segment.earlier)
                frame = replace(frame, number=self._frames + 1)
                segment = replace(segment, frame=frame)
                passage = self._sent(Passage(end, frame, segment))
        if passage is not None:
            passage.fault, passage.lost = decision.fault, decision.lost
            passage.broken, passage.too_large = decision.broken, decision.too_large
            passage.edited = decision.edited
        planned = sum(one.number == self._packets for one in decision.deliveries)
        if planned:
            self._ways[self._packets] = _Way(passage, planned)
        for delivery in decision.deliveries:
            self._plan(delivery)
        if passage is not None and passage.lost:
            self._tell_done(passage)

    def _plan(self, delivery: Delivery) -> None:
        if delivery.number != self._packets and (way := self._ways.get(delivery.number)):
            way.planned += 1
        self._planned += 1
        heappush(self._due, (delivery.at, self._planned, delivery))
        if self._due[0][1] == self._planned:
            self._earlier.set()

    def _deliver(self) -> None:
        """Hand over what is due, and read what each packet makes its host send before the next: a
        host answers what has arrived there, and nothing later. A packet's copies follow it."""
        for _ in range(_GO):
            if not self._due or self._due[0][0] > max(self._clock_ns(), self._now):
                return
            delivery = heappop(self._due)[2]
            self._hand_over(delivery)
            number = delivery.number
            while (
                self._due and self._due[0][2].number != number and (data := self._read(delivery.to))
            ):
                self._take(delivery.to, data)
        self._earlier.set()  # the rest when others have had their turn

    def _read(self, end: End) -> bytes:
        """A packet that a host has sent; ``b""`` where there is none, or no room for one."""
        if any(observer.full for observer in self.observers):
            return b""
        try:
            return os.read(self._devices[end], _LARGEST)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise _device_gone(end, error) from None

    def _hand_over(self, delivery: Delivery) -> None:
        way = self._ways.get(delivery.number)
        if way is not None:
            way.planned -= 1
            if not way.planned:
                del self._ways[delivery.number]
        passage: Passage | None = None
        if delivery.kind == "original":
            if way is None or way.delivered:
                return  # it was held back, and released before
            way.delivered = True
            passage = way.passage
        now = self._time()
        if delivery.kind in ("copy", "injected"):
            passage = self._made(delivery, now)
        try:
            os.write(self._devices[delivery.to], delivery.data)
        except OSError as error:
            if passage is not None and not passage.lost:
                passage.lost, passage.fault = True, f"not accepted by the host: {error.strerror}"
                self._tell_done(passage)
            return
        if passage is not None and not passage.lost:
            passage.arrived = now
            self._tell_done(passage)

    def _made(self, delivery: Delivery, now: int) -> Passage | None:
        """The passage of a segment that the wire made itself."""
        end = OTHER[delivery.to]
        data = delivery.data
        frame = Frame(self._frames + 1, now, data, RAW, len(data))
        segment = decode(frame)
        if segment is None:
            return None
        kind: Kind = "copy" if delivery.kind == "copy" else "injected"
        return self._sent(Passage(end, frame, segment, kind, delivery.fault))

    def _sent(self, passage: Passage) -> Passage:
        self._frames += 1
        for observer in self.observers:
            observer.sent(passage)
        return passage

    def _tell_done(self, passage: Passage) -> None:
        for observer in self.observers:
            observer.done(passage)


@asynccontextmanager
async def open_wire(
    faults: Sequence[str | Fault] = (), *, mtu: int | None = None
) -> AsyncIterator[PrivateWire]:
    """Make two hosts with a wire between them, without root, for as long as the block lasts.

    Raises:
        TrioechoError: a word of a fault is not understood.
        NamespaceUnavailable: there is no such wire here; the message says what is missing.
    """
    script = [parse(fault) if isinstance(fault, str) else fault for fault in faults]
    check(script)
    mtu = mtu or mtu_of(script) or MTU
    async with open_keeper(2) as keeper:
        devices: dict[End, int] = {}
        try:
            for number, end in enumerate(ENDS):
                devices[end] = await _device(keeper, number, mtu, *ADDRESSES[end])
            client, server = (
                Host(keeper, number, "wire", *ADDRESSES[end]) for number, end in enumerate(ENDS)
            )
            wire = PrivateWire(client, server, devices, script)
            try:
                async with trio.open_nursery() as nursery:
                    await nursery.start(wire.run)
                    yield wire
                    nursery.cancel_scope.cancel()
            except BaseExceptionGroup as group:
                raise sole(group) from None
        finally:
            for device in devices.values():
                os.close(device)


def _device_gone(end: End, error: OSError) -> TrioechoError:
    what = f"The device of the {end}'s host is gone or down: {error.strerror}"
    return TrioechoError(what, "A program there may have removed it")


async def _device(keeper: Keeper, number: int, mtu: int, ipv4: str, ipv6: str) -> int:
    try:
        return await keeper.descriptor("tun", number, mtu, ipv4, ipv6)
    except KernelRefusedError as error:
        if error.step == TUN:
            raise refusal(error.step, error.number) from None
        raise
