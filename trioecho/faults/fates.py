"""What becomes of each packet on the wire: (faults, packet) -> deliveries.

PURE: no I/O, no clock; time comes with the packets, chance from a seed. In this order a packet
meets a cut, the faults that select it, loss, the router with its smaller MTU, and the line with
its queue and rate. What a fault loses takes no time on the line; copies and forged segments come
into being at its far end. A fault added later counts from the connection's beginning all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from trioecho.errors import TrioechoError
from trioecho.faults import faults
from trioecho.faults.faults import Fault, Selecting, check
from trioecho.faults.numbering import Flow, Flows, Tally
from trioecho.model import ENDS, OTHER, RST, SYN, End, Segment
from trioecho.packet.build import IPV6_MINIMUM, corrupted, too_big
from trioecho.text import plural

LONGEST_HOLD = SECOND = 1_000_000_000
DEFAULT_QUEUE = 1_000  # packets behind a rate, as Linux keeps behind a device (txqueuelen)
MOST_HELD = 1_000
NEVER = "never matched: "

Kind = Literal["original", "copy", "injected", "icmp"]


class Packet(Struct, frozen=True):
    """What a host sent.

    Args:
        number: its place among all packets of both hosts, from 1.
        end: who sent it.
        time: when, in nanoseconds since the epoch.
        data: the IP packet.
        segment: the TCP segment in it, or None.
    """

    number: int
    end: End
    time: int
    data: bytes
    segment: Segment | None


class Delivery(Struct, frozen=True):
    """What a host is to be given.

    Args:
        number: of the packet it carries, or follows when it was injected.
        to: who gets it.
        at: when, in nanoseconds since the epoch; of two at one time the first planned goes first.
        data: the IP packet.
        kind: ``original``, a ``copy`` of one, ``injected`` by the wire, or an ``icmp`` message. Of
            two deliveries of one original only the one that comes first counts.
        fault: the words of the faults that made it other than plain, ``""`` for none.
        broken: whether its checksum is wrong, so that the host discards it.
    """

    number: int
    to: End
    at: int
    data: bytes
    kind: Kind
    fault: str = ""
    broken: bool = False


class Decision(Struct, frozen=True):
    """What becomes of a packet.

    Args:
        deliveries: of it, of what follows it, and of an earlier one that was held back for it.
        lost: whether it never arrives as it was sent.
        fault: the words of the faults that acted on it, ``""`` for none.
        broken: whether it is lost because it arrives with a wrong checksum.
    """

    deliveries: tuple[Delivery, ...]
    lost: bool
    fault: str = ""
    broken: bool = False


class _Watch:
    """A fault that selects segments, and what came of it so far."""

    def __init__(self, fault: Selecting) -> None:
        self.fault = fault
        self.items = Tally(fault.items)
        self.behind = Tally(fault.behind) if isinstance(fault, faults.Reorder) else None
        self.held: dict[int, Delivery] = {}  # by connection: as it would have arrived


class _Cut:
    """A cut, and since when it holds."""

    def __init__(self, fault: faults.Cut) -> None:
        self.fault = fault
        self.items = Tally(fault.items) if fault.items else None
        self.since: int | None = None

    def holds(self, time: int) -> bool:
        if self.since is None:
            if self.items is not None:
                return False
            self.since = time
        return self.fault.duration is None or time < self.since + self.fault.duration


class _Loss:
    """Chance, drawn apart for each end, and for TCP, which other packets are not to disturb."""

    def __init__(self, fault: faults.Loss) -> None:
        self.fault = fault
        self.packets = self.lost = 0
        self._draws = {
            (end, tcp): Random(f"{fault.seed} {end} {tcp}") for end in ENDS for tcp in (False, True)
        }

    def takes(self, packet: Packet) -> bool:
        if self.fault.end not in (None, packet.end):
            return False
        self.packets += 1
        draw = self._draws[packet.end, packet.segment is not None].random()
        lost = draw * 100 < self.fault.percent
        self.lost += lost
        return lost


class _Line:
    """One way of the wire: a packet goes on it when the one before is through."""

    def __init__(self) -> None:
        self.most = 0
        self._free = 0
        self._starts: deque[int] = deque()

    def through(self, time: int, size: int, rate: int, room: int) -> int | None:
        """When a packet of ``size`` bytes is through; None when there is no room to wait."""
        starts, start = self._starts, max(time, self._free)
        while starts and starts[0] <= time:
            starts.popleft()
        if start > time:
            if len(starts) >= room:
                return None
            starts.append(start)
            self.most = max(self.most, len(starts))
        self._free = start - (-size * 8 * SECOND // rate)
        return self._free


class Fates:
    """Decides what becomes of the packets of one wire.

    Args:
        script: all faults.

    Raises:
        TrioechoError: they do not go together.
    """

    def __init__(self, script: Sequence[Fault]) -> None:
        check(script)
        self._faults: list[Fault] = []
        self._watches: list[_Watch] = []
        self._cuts: list[_Cut] = []
        self._losses: list[_Loss] = []
        self._rate: faults.Rate | None = None
        self._queue: faults.Queue | None = None
        self._path: faults.PathMtu | None = None
        self._latency = 0
        self._remember = False
        self._flows = Flows()
        self._lines: dict[End, _Line] = {end: _Line() for end in ENDS}
        self._packets, self._too_large, self._overflowed = 0, False, False
        for fault in script:
            self._take(fault)

    def add(self, fault: Fault) -> None:
        """Add a fault, from the next packet on. A new rate, queue or path MTU replaces the old one.

        Args:
            fault: the fault.

        Raises:
            TrioechoError: it cannot be had any more: a queue without a rate, or an MTU.
        """
        if isinstance(fault, faults.Mtu):
            what = f"The fault {fault.text!r} comes too late: the devices have their MTU"
            raise TrioechoError(what, "Ask for it when the wire is opened")
        if isinstance(fault, faults.Rate | faults.Queue | faults.PathMtu):
            kept = [old for old in self._faults if type(old) is not type(fault)]
            check([*kept, fault])
            self._faults = kept
        self._take(fault)

    def _take(self, fault: Fault) -> None:
        self._faults.append(fault)
        match fault:
            case faults.Cut():
                self._cuts.append(_Cut(fault))
            case faults.Loss():
                self._losses.append(_Loss(fault))
            case faults.Latency():
                self._latency += fault.by
            case faults.Rate():
                self._rate = fault
            case faults.Queue():
                self._queue, self._overflowed = fault, False
            case faults.PathMtu():
                self._path, self._too_large = fault, False
            case faults.Mtu():
                pass  # the devices have it, and the kernels keep to it
            case _:
                self._watches.append(_Watch(fault))
                self._remember |= fault.items.kind == "data" and fault.items.times != 1

    def decide(self, packet: Packet) -> Decision:
        """Decide what becomes of a packet; packets come in order of time.

        Args:
            packet: what a host sent.

        Returns:
            What is to be delivered, and whether it is lost.
        """
        self._packets += 1
        lost = [cut.fault.text for cut in self._cuts if cut.holds(packet.time)]
        hits: list[_Watch] = []
        passed: list[_Watch] = []  # whose held segment was to come behind this one
        flow: Flow | None = None
        if packet.segment is not None:
            flow, sights = self._flows.see(packet.end, packet.segment, self._remember)
            for watch in self._watches:
                if watch.items.has(flow, packet.end, sights):
                    hits.append(watch)
                if watch.behind is not None and watch.behind.has(flow, packet.end, sights):
                    passed.append(watch)
            for cut in self._cuts:
                if cut.items is not None and cut.items.has(flow, packet.end, sights):
                    cut.since = packet.time
        lost += [watch.fault.text for watch in hits if isinstance(watch.fault, faults.Drop)]
        lost += [loss.fault.text for loss in self._losses if loss.takes(packet)]
        arrival = packet.time + self._latency
        told: list[Delivery] = []
        path = self._path
        if not lost and path is not None and self._stuck(packet.data, path):
            lost.append(path.text)
            if not path.silent:
                answer = too_big(packet.data, path.size)
                told = [Delivery(packet.number, packet.end, arrival, answer, "icmp", path.text)]
        if not lost and self._rate is not None:
            arrival += self._wait(packet, self._rate, lost)
        if flow is not None and (hits or passed):
            return self._acted(packet, flow, arrival, lost, hits, passed, told)
        if lost:
            return Decision(tuple(told), True, ", ".join(lost))
        if flow and packet.segment:
            flow.arrived(packet.end, packet.segment)
        plain = Delivery(packet.number, OTHER[packet.end], arrival, packet.data, "original")
        return Decision((plain,), False)

    def _stuck(self, data: bytes, path: faults.PathMtu) -> bool:
        """Whether a packet is too large for the router, which may not split it."""
        if len(data) >= 40 and data[0] >> 4 == 6:
            stuck = len(data) > max(path.size, IPV6_MINIMUM)
        else:
            stuck = len(data) > path.size and data[0] >> 4 == 4 and bool(data[6] & 0x40)
        self._too_large |= stuck
        return stuck

    def _wait(self, packet: Packet, rate: faults.Rate, lost: list[str]) -> int:
        """How long a packet takes to get through its line; a full queue loses it."""
        room = self._queue.packets if self._queue else DEFAULT_QUEUE
        size = len(packet.data)
        through = self._lines[packet.end].through(packet.time, size, rate.bits, room)
        if through is None:
            self._overflowed = True
            lost.append((self._queue or rate).text)
        return (through or packet.time) - packet.time

    def _acted(
        self,
        packet: Packet,
        flow: Flow,
        arrival: int,
        lost: list[str],
        hits: list[_Watch],
        passed: list[_Watch],
        deliveries: list[Delivery],
    ) -> Decision:
        """What becomes of a segment that faults have selected, or that another waits for."""
        number, end, segment, to = packet.number, packet.end, packet.segment, OTHER[packet.end]
        assert segment is not None
        chosen = [watch.fault for watch in hits]
        corrupt = any(isinstance(fault, faults.Corrupt) for fault in chosen)
        at = arrival + sum(fault.by for fault in chosen if isinstance(fault, faults.Delay))
        if not lost:
            data = corrupted(packet.data, segment) if corrupt else packet.data
            plain = (faults.Duplicate, faults.Inject)
            changed = ", ".join(one.text for one in chosen if not isinstance(one, plain))
            original = Delivery(number, to, at, data, "original", changed, corrupt)
            # What is corrupted is the one that was sent; a copy is made before, and stays whole.
            whole = Delivery(number, to, at, packet.data, "copy")
            copies = [
                replace(whole, fault=fault.text)
                for fault in chosen
                if isinstance(fault, faults.Duplicate)
            ]
            holding = [watch for watch in hits if watch.behind]
            for watch in holding:
                watch.held[flow.number] = original
                if len(watch.held) > MOST_HELD:
                    del watch.held[next(iter(watch.held))]
            if holding:
                original = replace(original, at=at + LONGEST_HOLD)
            elif at == arrival and not corrupt:
                flow.arrived(end, segment)
            deliveries += [original, *copies]
        for watch in passed:
            held = watch.held.pop(flow.number, None)
            if held is not None and at < held.at + LONGEST_HOLD:
                deliveries.append(replace(held, at=max(at, held.at)))
        for fault in chosen:
            if isinstance(fault, faults.Inject):
                flag = SYN if fault.flag == "syn" else RST
                for target in ENDS if fault.to == "both" else (fault.to or to,):
                    forged = flow.forge(target, flag, fault.offset, end, segment)
                    deliveries.append(Delivery(number, target, at, forged, "injected", fault.text))
        acting = lost or [fault.text for fault in chosen if not isinstance(fault, faults.Inject)]
        broken = corrupt and not lost
        return Decision(tuple(deliveries), bool(lost) or corrupt, ", ".join(acting), broken)

    def unmatched(self) -> tuple[str, ...]:
        """A sentence for each fault that has not acted on anything until now."""
        return tuple(f"{one.text!r} {why}" for one, why in self._reasons() if why)

    def _reasons(self) -> Iterator[tuple[Fault, str]]:
        """Why a fault has not acted, ``""`` for one that has."""
        for watch in self._watches:
            unseen = [one for one in (watch.items, watch.behind) if one and not one.hit]
            why = unseen[0].why(self._flows.begun) if unseen else ""
            said = "held one for a second in vain: " if unseen == [watch.behind] else NEVER
            yield watch.fault, why and said + why
        for cut in self._cuts:
            if cut.since is None:
                begun = self._flows.begun
                why = cut.items.why(begun) if cut.items else "no packet was sent"
                yield cut.fault, NEVER + why
        for loss in self._losses:
            if not loss.lost:
                yield loss.fault, f"{NEVER}chance took none of {plural(loss.packets, 'packet')}"
        if self._queue is not None and not self._overflowed:
            most = max(line.most for line in self._lines.values())
            yield self._queue, f"{NEVER}{plural(most, 'packet')} waited at most"
        if self._path is not None and not self._too_large:
            sent = plural(self._packets, "packet")
            yield self._path, f"{NEVER}none of {sent} was too large and not to be split"
