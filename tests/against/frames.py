"""What tshark and what trioecho say of each TCP frame of a capture."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from needs import need_tool
from shark import shark

from trioecho.capture.files import open_capture_file
from trioecho.model import ACK, FIN, RST, SYN, Rung
from trioecho.packet.decode import decode
from trioecho.packet.fragments import Fragments
from trioecho.tcp.history import LATE
from trioecho.tcp.rules.windows import SHORTEST_KEEP_ALIVE
from trioecho.tcp.tracker import Tracker

KINDS = (
    *("retransmission", "fast-retransmission", "spurious-retransmission", "out-of-order"),
    *("reused-ports", "lost-segment", "ack-lost-segment", "window-update", "window-full"),
    *("keep-alive", "keep-alive-ack", "zero-window-probe", "zero-window"),
    *("zero-window-probe-ack", "duplicate-ack", "tfo-syn", "tfo-ack", "tfo-ignored"),
)
_NUMBERS = ("tcp.stream", "tcp.seq", "tcp.ack", "tcp.len", "tcp.flags")


class Numbers(NamedTuple):
    """What identifies a segment; seq and ack relative, modulo 2**32."""

    stream: int
    seq: int
    ack: int
    length: int
    flags: int


class Theirs(NamedTuple):
    """tshark's view of a frame."""

    numbers: Numbers
    kinds: frozenset[str]


class Before(NamedTuple):
    """What tshark had told before a frame.

    Args:
        numbers: the frame's own, after tshark's first pass.
        unseen: bytes it acknowledges that no frame before carried or acknowledged.
        repeated: whether its sender had sent anything again, or this, in another packet.
        strayed: the highest number up to which its sender had sent what its peer could not take: a
            RST beside its only place, or what is far beyond the window. 0 if there is none.
        copied: whether its sender had sent the same numbers in a packet of the same identification.
        busy: whether its sender had something on its way: sent and not acknowledged, or a byte
            whose ACK passed less than a round trip ago, or a FIN less than a second ago; or, where
            it has no byte, anything less than a round trip ago.
        passed: the first segment of its sender that was seen beyond it.
        fast: when its sender had last sent it fast, by tshark's word.
        partly_old: whether it has some acknowledged or sent bytes, and some that are not.
        fresh: whether none of its bytes had been seen.
        next: whether all bytes before it had been sent.
        probed: whether a closed window had been probed with a byte.
        mistaken: whether tshark alone called its peer's last segment a keep-alive.
        receded: whether the last ACK of its sender, or of its peer, was below one before it.
        opened: whether its sender had sent a SYN.
        asked: whether its sender had sent a SYN without the ACK bit.
        reset: whether its peer had sent a RST.
        last: the flags of its sender's last segment.
        bases: the raw numbers of SYN-ACKs that tshark alone took for a new start, by their sender.
        isns: the raw numbers of all SYNs of its sender in tshark's stream, earlier and later ones.
        past: the frames before it in tshark's stream: its numbers, and our rungs.
    """

    numbers: Numbers
    unseen: int
    repeated: bool
    strayed: int
    copied: bool
    busy: bool
    passed: Rung | None
    fast: int | None
    partly_old: bool
    fresh: bool
    next: bool
    probed: bool
    mistaken: bool
    receded: bool
    opened: bool
    asked: bool
    reset: bool
    last: int
    bases: Mapping[str, int]
    isns: frozenset[int]
    past: Sequence[tuple[Numbers, Rung]]


class Ours(NamedTuple):
    """Our view of a frame, and what the engine knew before it."""

    numbers: Numbers
    kinds: frozenset[str]
    rung: Rung
    first_ack: bool
    peer_outrun: bool
    peer_syn_data: int
    rtt: int


def theirs(path: Path, *, passes: int = 2) -> dict[int, Theirs]:
    """What tshark says of a capture.

    Args:
        path: the capture.
        passes: 1 or 2.

    Returns:
        Its view of each TCP frame, by frame number.
    """
    analysed = (f"tcp.analysis.{kind.replace('-', '_')}" for kind in KINDS)
    names = ["frame.number", *_NUMBERS, *analysed]
    rows = {}
    for words in _once(path, names) if passes == 1 else shark(path, names):
        if not words[1]:
            continue
        stream, seq, ack, length, flags = words[1:6]
        numbers = Numbers(int(stream), int(seq), int(ack), int(length), int(flags, 16))
        said = words[6:]
        kinds = frozenset(kind for kind, word in zip(KINDS, said, strict=True) if word)
        rows[int(words[0])] = Theirs(numbers, kinds)
    return rows


def _once(path: Path, names: Sequence[str]) -> list[list[str]]:
    """What tshark reads in one pass."""
    fields = [word for name in names for word in ("-e", name)]
    done = subprocess.run(
        [need_tool("tshark"), "-r", str(path), "-T", "fields", "-E", "separator=|", *fields],
        capture_output=True,
        text=True,
        check=False,  # it leaves with 2 for a file that is cut
    )
    return [line.split("|") for line in done.stdout.splitlines()]


def ours(path: Path) -> dict[int, Ours]:
    """Our view of each TCP frame of a capture, by frame number."""
    tracker, fragments = Tracker(), Fragments()
    rows = {}
    with open_capture_file(path) as file:
        for frame in (frame for batch in file for frame in batch):
            segment = decode(frame, fragments)
            if segment is None:
                continue
            connection = tracker.find(segment.source, segment.destination)
            first, outrun, data, rtt = True, False, 0, LATE
            if connection is not None:
                ends = connection.client, connection.server
                mine, peer = ends if segment.source == ends[0].endpoint else ends[::-1]
                first = mine.ack is None
                outrun = (mine.ack or 0) > peer.next
                data = peer.syn_data
                rtt = connection.initial_rtt or LATE
            rung = tracker.seen(segment)
            numbers = Numbers(
                rung.connection - 1,
                rung.seq % 2**32,
                (rung.ack or 0) % 2**32,
                segment.length,
                segment.flags,
            )
            kinds = frozenset(note.kind for note in rung.notes) & set(KINDS)
            rows[frame.number] = Ours(numbers, kinds, rung, first, outrun, data, rtt)
    return rows


def has_ack(row: Ours) -> bool:
    """Whether the ACK bit is set."""
    return bool(row.rung.segment.flags & ACK)


def is_synack(row: Ours) -> bool:
    """Whether it is a SYN-ACK."""
    return row.rung.segment.flags & (SYN | ACK) == SYN | ACK


def before(
    rows: Mapping[int, Theirs], first: Mapping[int, Theirs], mine: Mapping[int, Ours], number: int
) -> Before:
    """What tshark had told before a frame; by its numbers alone, slowly, without the engine.

    Args:
        rows: tshark's view of each frame.
        first: the same after one pass.
        mine: ours, which tells who sent a frame.
        number: the frame.
    """
    sender, this = mine[number].rung.sender, rows[number].numbers
    acked, carried, repeated, sent, strayed = 0, set[tuple[int, int]](), False, False, 0
    top, told, copied = 0, 0, False
    used, used_time, answer, answered, fin, mistaken = 0, 0, 0, 0, False, False
    packet = mine[number].rung.segment.identification
    passed: Rung | None = None
    fast: int | None = None
    fresh, probed = True, False
    highest, receded = {"client": 0, "server": 0}, {"client": False, "server": False}
    opened, asked, reset, last, bases = False, False, False, 0, dict[str, int]()
    past: list[tuple[Numbers, Rung]] = []
    for earlier in sorted(rows.keys() & mine.keys()):
        row = rows[earlier].numbers
        if earlier >= number:
            break
        if row.stream != this.stream:
            continue
        past.append((row, mine[earlier].rung))
        said = rows[earlier].kinds | mine[earlier].kinds
        probed = probed or ("zero-window-probe" in said and row.length == 1)
        if is_synack(mine[earlier]) and "reused-ports" in rows[earlier].kinds - mine[earlier].kinds:
            bases[mine[earlier].rung.sender] = mine[earlier].rung.segment.seq
        if row.flags & ACK:
            whose = mine[earlier].rung.sender
            receded[whose] = row.ack < highest[whose]
            highest[whose] = max(highest[whose], row.ack)
        if mine[earlier].rung.sender == sender:
            opened, last = opened or bool(row.flags & SYN), row.flags
            asked = asked or row.flags & (SYN | ACK) == SYN
            acked = max(acked, row.ack)
            repeated = repeated or "retransmission" in rows[earlier].kinds
            sent = sent or row.seq <= this.seq < row.seq + row.length
            again = (row.seq, row.length) == (this.seq, this.length)
            same = packet and packet == mine[earlier].rung.segment.identification
            copied = copied or bool(again and same)
            far = row.seq > told if told else False
            if far or (row.flags & RST and row.seq > top):
                strayed = max(strayed, row.seq + space(row))
            top = max(top, row.seq + row.length)
            fresh = fresh and not (row.seq < this.seq + this.length and this.seq < top_of(row))
            if passed is None and row.seq > this.seq:
                passed = mine[earlier].rung
            if row.seq == this.seq and "fast-retransmission" in rows[earlier].kinds:
                fast = mine[earlier].rung.time
            fin = fin or bool(row.flags & FIN)
            if row.seq + space(row) > used:
                used, used_time = row.seq + space(row), mine[earlier].rung.time
        else:
            reset = reset or bool(row.flags & RST)
            carried.add((row.seq, row.seq + space(row)))
            answer, answered = max(answer, row.ack), mine[earlier].rung.time
            mistaken = "keep-alive" in rows[earlier].kinds - mine[earlier].kinds
            acked = acked or row.seq
            told = row.ack + 4 * max(mine[earlier].rung.window, 1 << 16)
    source = mine[number].rung.segment.source
    isns = frozenset(
        mine[one].rung.segment.seq
        for one in rows.keys() & mine.keys()
        if rows[one].numbers.flags & SYN and mine[one].rung.segment.source == source
    )
    unseen, at = 0, acked
    for start, end in sorted(carried):
        if start >= this.ack:
            break
        unseen += max(0, start - at)
        at = max(at, end)
    unseen += max(0, this.ack - at)
    repeated = repeated or (sent and not copied)
    now, rtt = mine[number].rung.time, mine[number].rtt
    busy = used > answer or bool(this.length and now - answered < rtt)
    busy = busy or (fin and now - used_time < SHORTEST_KEEP_ALIVE)
    busy = busy or bool(not this.length and now - used_time < rtt)
    mistaken = mistaken and not this.length
    numbers = first[number].numbers
    partly_old = this.seq < max(answer, 1) < this.seq + this.length
    partly_old = partly_old or this.seq < used < this.seq + this.length
    return Before(
        numbers,
        unseen,
        repeated,
        strayed,
        copied,
        busy,
        passed,
        fast,
        partly_old,
        fresh,
        this.seq <= used,
        probed,
        mistaken,
        any(receded.values()),
        opened,
        asked,
        reset,
        last,
        bases,
        isns,
        past,
    )


def top_of(row: Numbers) -> int:
    """One past its last byte."""
    return row.seq + row.length


def space(row: Numbers) -> int:
    """How much of the sequence space a segment takes."""
    return row.length + bool(row.flags & SYN) + bool(row.flags & FIN)
