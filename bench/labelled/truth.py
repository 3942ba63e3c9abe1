"""Truth: where a run's time went, by the wire's log, both kernels and the programs' calls.

Nothing here reads the engine's facts or the account. At each moment the first cause of the table
that holds is the true one, as in the account.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from labelled.party import Did
from labelled.perform import Run
from labelled.way import MS, Way
from trioecho.account.causes import BLOATED, BLOATED_BY, RANK, Blamed
from trioecho.model import FIN, RST, SYN, End, Kernel, Rung

DELAYED = 35 * MS
SMALL = 1448
#: Less of a congestion window than this is in use where something else is the limit.
UNUSED = 0.9
HELD_BACK = 5 * MS
#: Repeats in a row that nothing has answered.
NO_SIGN = 3


class Claim(Struct):
    """An interval and a cause that holds in it."""

    start: int
    end: int
    cause: str
    blamed: Blamed


def claims(run: Run) -> list[Claim]:
    """Everything that held at some time."""
    found: list[Claim] = []
    ways = Way(run, "client"), Way(run, "server")
    opened = _handshake(ways[0], ways[1], found)
    for way in ways:
        found += [Claim(start, end, "round-trip", "path") for start, end in way.flights()]
        if opened is None:
            continue
        found += _losses(way)
        found += _limits(way)
        found += _nagle(way)
        found += _delayed(way)
    if opened is not None:
        _gaps(run, ways, found, opened)
    return [claim for claim in found if claim.end > claim.start]


def _handshake(client: Way, server: Way, found: list[Claim]) -> int | None:
    """The handshake; when it was over, or None if it never was."""
    syns = [rung for rung in client.sent if rung.segment.flags & SYN]
    if not syns:
        return None
    start = syns[0].time
    heard = next((one for one in client.heard if one.segment.flags & (SYN | RST)), None)
    if heard is None:
        found.append(Claim(start, client.over, "no-answer", "path"))
        return None
    end = heard.arrived or start
    if heard.segment.flags & RST:
        found.append(Claim(start, end, "refused", "server"))
        return None
    lost = any(rung.lost for rung in (*client.sent, *server.sent) if rung.segment.flags & SYN)
    found.append(Claim(start, end, "handshake-loss" if lost else "setup", "path"))
    found.append(Claim(end, end + client.one_way, "round-trip", "path"))  # until the server knows
    return end


def _losses(way: Way) -> Iterator[Claim]:
    """From a loss to the ACK of its repair."""
    seen: dict[int, Rung] = {}
    done: set[int] = set()
    for rung in way.data:
        for key in range(rung.seq, rung.seq + rung.segment.length):
            first = seen.get(key)
            if first is None:
                seen[key] = rung
                continue
            if first.seq in done:
                continue
            if first.lost and not rung.lost:
                done.add(first.seq)
                end = way.acked(rung.seq + 1) or way.over
                yield Claim(first.time, end, _repair(way, first, rung), "path")
            elif not first.lost:
                done.add(first.seq)
                end = way.acked(first.seq + first.segment.length) or way.over
                yield Claim(min(first.time + way.rtt, end), end, "spurious", "path")
            break
    unheard = next((r for r in way.data if way.acked(r.seq + r.segment.length) is None), None)
    if unheard is not None:
        again = [one for one in way.data if one.seq == unheard.seq and one is not unheard]
        silent = not way.heard_at or way.heard_at[-1] <= unheard.time + way.rtt
        cause = "black-hole" if len(again) >= NO_SIGN and silent else "timeout"
        if again:
            yield Claim(unheard.time, way.over, cause, "path")


def _repair(way: Way, first: Rung, repair: Rung) -> str:
    """Whether the timer or what came back has told the sender of a loss."""
    after = way.heard[
        bisect_right(way.heard_at, first.time) : bisect_right(way.heard_at, repair.time)
    ]
    told = sum(
        1
        for rung in after
        if rung.ack is not None and rung.ack <= first.seq and rung.segment.options.sack
    )
    kernel = repair.client_kernel if way.end == "client" else repair.server_kernel
    timer = kernel is not None and kernel.retransmits > 0
    return "fast-recovery" if told and not timer else "timeout"


def _limits(way: Way) -> Iterator[Claim]:
    """What the sender's kernel says has held it back, between two of its answers."""
    reads = [(did.start, did.end_time) for did in way.theirs if did.what == "recv"]
    for (before, then), (now, kernel) in pairwise(way.kernels):
        took = now - before
        if took <= 0 or kernel.busy is None or then.busy is None:
            continue
        receiver = (kernel.receiver_limited or 0) - (then.receiver_limited or 0)
        buffer = (kernel.send_buffer_limited or 0) - (then.send_buffer_limited or 0)
        if receiver * 2 >= took:
            reading = _covered(reads, before, now)
            slow = reading * 2 < took
            yield Claim(before, now, "slow-reader" if slow else "receive-buffer", way.other)
        elif buffer * 2 >= took:
            yield Claim(before, now, "send-buffer", way.end)
        else:
            for start, end in way.waiting(before, now):
                yield Claim(start, end, *_congestion(way, start, then))


def _congestion(way: Way, time: int, kernel: Kernel) -> tuple[str, Blamed]:
    """A queue stands on the path, or its congestion window forbids the sender to send more."""
    wait = way.queue(time)
    if wait:
        bloated = wait >= (BLOATED - 1) * way.rtt and wait >= BLOATED_BY
        return ("bufferbloat" if bloated else "bottleneck"), "path"
    if way.full_buffer(time) and kernel.in_flight < UNUSED * (kernel.cwnd or 0):
        return "send-buffer", way.end
    if kernel.ssthresh is None or (kernel.cwnd or 0) < kernel.ssthresh:
        return "slow-start", way.end
    return "congestion-window", "path"


def _nagle(way: Way) -> Iterator[Claim]:
    """A small part of what a program has sent leaves only when the rest is acknowledged."""
    taken = 1
    for did in way.log:
        if did.what != "send":
            continue
        taken += did.count
        last = next((r for r in way.data if r.seq + r.segment.length >= taken), None)
        if last is None or last.segment.length >= 1000 or last.time - did.end_time < HELD_BACK:
            continue
        if 0 < way.flying(min(did.end_time + 2 * MS, last.time - 1)) < 1000:
            yield Claim(did.end_time, last.time, "nagle", way.end)


def _delayed(way: Way) -> Iterator[Claim]:
    """A lone segment is acknowledged late, by an ACK alone."""
    for place, rung in enumerate(way.data):
        if rung.arrived is None:
            continue
        end = rung.seq + rung.segment.length
        answer = next(
            (a for a in way.answers if a.time >= rung.arrived and (a.ack or 0) >= end), None
        )
        if answer is None or answer.segment.length or answer.segment.flags & (FIN | RST):
            continue
        following = way.data[place + 1].time if place + 1 < len(way.data) else None
        back = way.acked(end)
        if answer.time - rung.arrived < DELAYED or back is None:
            continue
        if following is None or following >= back:
            yield Claim(rung.arrived, answer.time, "delayed-ack", way.other)


def _gaps(run: Run, ways: tuple[Way, Way], found: list[Claim], opened: int) -> None:
    """When a program was to speak: the peer's last words have come, or its own have arrived."""
    by_end = {way.end: way for way in ways}
    spoken: End | None = None
    reached = {"client": 1, "server": 1}
    data = sorted((rung for way in ways for rung in way.data), key=lambda rung: rung.time)
    latest: Rung | None = None
    fin = min((r.time for r in run.rungs if r.segment.flags & FIN), default=None)
    flights = {way.end: list(way.flights()) for way in ways}
    for rung in data:
        if rung.seq + rung.segment.length <= reached[rung.sender]:
            continue
        reached[rung.sender] = rung.seq + rung.segment.length
        way = by_end[rung.sender]
        ready = _before(way.log, rung.time)
        if latest is None:
            quiet = opened + (way.one_way if rung.sender == "server" else 0)
            found.append(Claim(opened, quiet, "round-trip", "path"))
        elif spoken == rung.sender:
            quiet = way.acked(latest.seq + latest.segment.length) or rung.time
        else:
            quiet = _arrival(way, rung.time) or rung.time
        busy = max(
            (end for start, end in flights[rung.sender] if start < rung.time and end <= rung.time),
            default=0,
        )
        quiet = max(quiet, busy)
        if ready > quiet:
            if spoken is not None and spoken != rung.sender:
                found.append(Claim(quiet, ready, "think-time", rung.sender))
            elif ready - quiet > way.rtt:
                found.append(Claim(quiet, ready, "application", rung.sender))
        spoken, latest = rung.sender, rung
    if fin is not None:
        found.append(Claim(fin, max(way.over for way in ways), "closing", "path"))


def _arrival(way: Way, time: int) -> int | None:
    """When the last data from the peer came before a time."""
    return max(
        (
            r.arrived
            for r in way.heard
            if r.segment.length and r.arrived is not None and r.arrived <= time
        ),
        default=None,
    )


def _before(log: list[Did], time: int) -> int:
    """When the program made the call that sent what left at a time."""
    return max((did.start for did in log if did.what == "send" and did.start <= time), default=time)


def _covered(intervals: list[tuple[int, int]], start: int, end: int) -> int:
    return sum(
        max(0, min(end, stop) - max(start, begin))
        for begin, stop in intervals
        if stop > start and begin < end
    )


def timeline(run: Run) -> list[Claim]:
    """The run's time: at each moment the one cause that is true."""
    every = claims(run)
    if not run.rungs:
        return []
    begin = run.rungs[0].time
    over = max(rung.time for rung in run.rungs)
    cuts = sorted(
        {begin, over, *(t for one in every for t in (one.start, one.end) if begin < t < over)}
    )
    line: list[Claim] = []
    active = sorted(every, key=lambda one: one.start)
    current: list[Claim] = []
    place = 0
    for start, end in pairwise(cuts):
        while place < len(active) and active[place].start <= start:
            current.append(active[place])
            place += 1
        current = [one for one in current if one.end > start]
        best = min(current, key=lambda one: RANK[one.cause], default=None)
        cause, blamed = (best.cause, best.blamed) if best else ("idle", "path")
        if line and line[-1].cause == cause and line[-1].blamed == blamed:
            line[-1].end = end
        else:
            line.append(Claim(start, end, cause, blamed))
    return line
