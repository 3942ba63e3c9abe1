"""The differences that are meant. Each rule here is a row of docs/differences.md, and none looks at
a file's name or at one frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from against.frames import Before, Numbers, Ours, Theirs, has_ack, is_synack, space, top_of
from trioecho.model import ACK, FIN, RST, SYN, Rung
from trioecho.tcp.rules.overtaking import NEXT_PACKETS
from trioecho.tcp.rules.repetition import FastRetransmission, Retransmission
from trioecho.tcp.rules.timers import SHORTEST_TIMEOUT

DOCS = Path(__file__).parents[2] / "docs" / "differences.md"

#: What one of our notes says that tshark says by two names.
IMPLIED = {
    "fast-retransmission": "retransmission",
    "spurious-retransmission": "retransmission",
}

#: What only a sender can do.
RETRANSMITTED = {"fast-retransmission", "spurious-retransmission"}

SECOND = 1_000_000_000

Rule = Callable[[Theirs, Before, Ours], bool]


def written_out(row: Ours) -> frozenset[str]:
    """Our kinds by tshark's names (rule ``one-fact-two-names``)."""
    kinds = set(row.kinds)
    kinds.update(IMPLIED[kind] for kind in row.kinds if kind in IMPLIED)
    if "zero-window-probe-ack" in kinds and row.rung.segment.window == 0:
        kinds.add("zero-window")
    return frozenset(kinds)


def _changed(theirs: Theirs, ours: Ours) -> tuple[set[str], set[str]]:
    """What only tshark says, and what only we say."""
    written = written_out(ours)
    return set(theirs.kinds - written), set(written - theirs.kinds)


def _mine(before: Before, ours: Ours) -> list[tuple[Numbers, Rung]]:
    """What its sender had sent."""
    source = ours.rung.segment.source
    return [one for one in before.past if one[1].segment.source == source]


def _peers(before: Before, ours: Ours) -> list[tuple[Numbers, Rung]]:
    """What its peer had sent."""
    source = ours.rung.segment.source
    return [one for one in before.past if one[1].segment.source != source]


def _beyond(one: int, other: int) -> bool:
    """Whether a raw number is beyond another."""
    return 0 < (one - other) % 2**32 < 2**31


def _asked_for(before: Before, ours: Ours) -> bool:
    """Whether its peer's ACKs, or their SACK blocks, had shown that it is missing."""
    segment, peers = ours.rung.segment, _peers(before, ours)
    acks = [rung.segment.ack for _, rung in peers if rung.segment.ack is not None]
    sacked = [end for _, rung in peers for _, end in rung.segment.options.sack or ()]
    return segment.seq in acks or any(_beyond(end, segment.seq) for end in sacked)


def _all_seen(theirs: Theirs, before: Before, ours: Ours) -> bool:
    """Whether frames of its sender had carried each of its bytes."""
    at, length = theirs.numbers.seq, theirs.numbers.length
    end = at + length
    for start, stop in sorted((n.seq, n.seq + n.length) for n, _ in _mine(before, ours)):
        if start <= at < stop:
            at = stop
    return at >= end


def _seen_before(theirs: Theirs, before: Before, ours: Ours) -> bool:
    changed = _changed(theirs, ours) == ({"out-of-order"}, {"retransmission"})
    return (
        changed
        and _all_seen(theirs, before, ours)
        and any(
            isinstance(note, Retransmission) and note.of is not None and note.cause != "recovery"
            for note in ours.rung.notes
        )
    )


def _recovery(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return (
        before.repeated
        and _asked_for(before, ours)
        and (
            _changed(theirs, ours) == ({"out-of-order"}, {"retransmission"})
            and any(
                isinstance(note, Retransmission) and note.cause == "recovery"
                for note in ours.rung.notes
            )
        )
    )


def _same_packet(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    return before.copied and len(lost) == 1 and lost <= RETRANSMITTED and not added


def _sack_alone(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    alone = any(
        isinstance(note, FastRetransmission) and note.duplicates < 2 for note in ours.rung.notes
    )
    fast = {"fast-retransmission"}
    return (
        alone
        and _asked_for(before, ours)
        and (
            (lost, added) == (set(), fast)
            or (lost, added) == ({"out-of-order"}, fast | {"retransmission"})
        )
    )


def _never_seen(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return before.unseen > 0 and _changed(theirs, ours) == (set(), {"ack-lost-segment"})


def _partly_new(theirs: Theirs, before: Before, ours: Ours) -> bool:
    if before.unseen or _changed(theirs, ours) != ({"ack-lost-segment"}, set()):
        return False
    top = 0
    for numbers, _ in _peers(before, ours):
        end = numbers.seq + space(numbers)
        if 0 < numbers.seq < top < end and top < theirs.numbers.ack:
            return True
        top = max(top, end)
    return False


def _ack_field(theirs: Theirs, _: Before, ours: Ours) -> bool:
    return not has_ack(ours) and theirs.numbers._replace(ack=0) == ours.numbers


def _ack_without_ack_bit(theirs: Theirs, before: Before, ours: Ours) -> bool:
    if not has_ack(ours):
        return _changed(theirs, ours) == ({"duplicate-ack"}, set())
    lost, added = _changed(theirs, ours)
    duplicate = {"duplicate-ack"}
    if before.last and not before.last & ACK:
        return (lost, added) in ((duplicate, set()), (set(), duplicate))
    return ours.first_ack and (lost, added) == (duplicate, set())


def _ack_of_a_reset(theirs: Theirs, before: Before, ours: Ours) -> bool:
    same = before.last & RST and _mine(before, ours)[-1][0].ack == theirs.numbers.ack
    return bool(same) and _changed(theirs, ours) == ({"duplicate-ack"}, set())


def _tfo_without_data(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    return (
        is_synack(ours)
        and not any(n.flags & SYN and n.length for n, _ in _peers(before, ours))
        and (theirs.numbers.ack > 1 or _other_isn(before, ours))
        and lost <= {"tfo-ack", "reused-ports"}
        and "tfo-ack" in lost
        and not added
    )


def _isn_of_synack(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    implied = {"reused-ports", "lost-segment", "tfo-ack"}
    if not (is_synack(ours) and "reused-ports" in lost and lost <= implied) or added:
        return False
    return not ours.numbers.seq and _other_isn(before, ours)


def _other_isn(before: Before, ours: Ours) -> bool:
    """Whether another SYN of its sender, even a later one, has another ISN, since tshark knows the
    last from its first pass; or all that was seen of it, or else its peer's ACK, told another."""
    isn, mine = ours.rung.segment.seq, _mine(before, ours)
    if before.isns - {isn}:
        return True
    told = [rung.segment.seq for numbers, rung in mine if numbers.flags & SYN]
    told = told or [rung.segment.seq - 1 for _, rung in mine[:1]]
    acks = [rung.segment.ack for _, rung in _peers(before, ours)]
    told = told or [ack - 1 for ack in acks if ack is not None]
    return bool(told) and all((one - isn) % 2**32 for one in told)


def _second_pass(_: Theirs, before: Before, ours: Ours) -> bool:
    return before.numbers == ours.numbers


def _simultaneous_open(theirs: Theirs, before: Before, ours: Ours) -> bool:
    mine, isn = _mine(before, ours), ours.rung.segment.seq
    if not is_synack(ours) or any(numbers.flags & ACK for numbers, _ in mine):
        return False
    asked = any(rung.segment.seq == isn for _, rung in _opening(mine))
    return asked and _only_repeated(theirs, before, ours)


def _first_syn(theirs: Theirs, before: Before, ours: Ours) -> bool:
    this = ours.rung.segment
    if not this.flags & SYN or before.opened or not _only_repeated(theirs, before, ours):
        return False
    return any(
        _beyond(rung.segment.seq + numbers.length, this.seq)
        for numbers, rung in _mine(before, ours)
    )


def _asks_itself(theirs: Theirs, before: Before, ours: Ours) -> bool:
    this = ours.rung.segment
    if not this.flags & SYN or (before.asked and not is_synack(ours)):
        return False
    answered = False
    for numbers, rung in before.past:
        mine = rung.segment.source == this.source
        same = rung.segment.seq == this.seq and numbers.flags & (SYN | ACK) == SYN | ACK
        if mine and same:
            answered = True
        elif answered and not mine and numbers.flags & RST:
            return _only_repeated(theirs, before, ours)
    return False


def _opening(frames: list[tuple[Numbers, Rung]]) -> list[tuple[Numbers, Rung]]:
    """The SYNs without an ACK among some frames."""
    return [one for one in frames if one[0].flags & (SYN | ACK) == SYN]


def _only_repeated(theirs: Theirs, before: Before, ours: Ours) -> bool:
    """Whether tshark alone calls it a retransmission; it may say ``tfo-ack`` besides."""
    lost, added = _changed(theirs, ours)
    data = any(numbers.length for numbers, _ in _opening(_peers(before, ours)))
    besides = set() if data else {"tfo-ack"}
    return "retransmission" in lost and lost <= {"retransmission"} | besides and not added


def _synack_not_taken(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    may = {"retransmission"}
    if is_synack(ours) and ours.numbers.seq and _other_isn(before, ours):
        may = {"reused-ports", "lost-segment", "tfo-ack"}
    return _other_base(theirs, before, ours) and lost <= may and not added


def _other_base(theirs: Theirs, before: Before, ours: Ours) -> bool:
    """Whether tshark counts from a SYN-ACK that it took for a new start."""
    segment, mine = ours.rung.segment, ours.rung.sender
    peer = "server" if mine == "client" else "client"
    counted, bases = ours.numbers, dict(before.bases)
    if is_synack(ours) and "reused-ports" in theirs.kinds - ours.kinds:
        bases[mine] = segment.seq
    if mine in bases:
        counted = counted._replace(seq=(segment.seq - bases[mine]) % 2**32)
    if peer in bases and segment.ack is not None:
        counted = counted._replace(ack=(segment.ack - bases[peer]) % 2**32)
    return theirs.numbers == counted != ours.numbers


def _stray(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    behind = theirs.numbers.seq < before.strayed and before.fresh
    return behind and lost in ({"retransmission"}, {"out-of-order"}) and not added


def _probe_without_a_byte(theirs: Theirs, before: Before, ours: Ours) -> bool:
    changed = _changed(theirs, ours) == ({"keep-alive"}, {"zero-window-probe"})
    closed = changed and _peers(before, ours)[-1][1].window == 0
    return (
        closed and theirs.numbers.seq == max(n.seq + n.length for n, _ in _mine(before, ours)) - 1
    )


def _not_overtaken(theirs: Theirs, before: Before, ours: Ours) -> bool:
    if before.passed is None or _changed(theirs, ours) != ({"out-of-order"}, {"retransmission"}):
        return False
    this, passed = ours.rung.segment, before.passed.segment
    if ours.rung.time - before.passed.time >= ours.rtt:
        return True
    if this.options.timestamps is not None and passed.options.timestamps is not None:
        ticks = this.options.timestamps[0] - passed.options.timestamps[0] & 0xFFFFFFFF
        if ticks:
            return ticks < 1 << 31
    packets = this.identification - passed.identification & 0xFFFF
    return bool(this.identification and passed.identification) and 0 < packets < NEXT_PACKETS


def _old_and_new(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return before.partly_old and _changed(theirs, ours) == ({"out-of-order"}, {"retransmission"})


def _captured_late(theirs: Theirs, before: Before, ours: Ours) -> bool:
    changed = {"retransmission", "spurious-retransmission"}, {"out-of-order"}
    return before.fresh and _changed(theirs, ours) == changed


def _probe_taken(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    mine, peers, this = _mine(before, ours), _peers(before, ours), theirs.numbers
    if lost == {"ack-lost-segment"} and not before.unseen:  # nothing but probes carried the byte
        carried = {n.seq for n, _ in peers if n.length > 1 or n.flags & SYN}
        taken = any(byte < this.ack for byte in _probes(peers, mine) - carried)
    else:  # the next byte, or the next probe
        taken = lost == {"lost-segment"} and before.next and this.seq - 1 in _probes(mine, peers)
    closed = bool(peers) and not peers[-1][1].window
    may = {
        "zero-window-probe": closed and this.length == 1,
        "zero-window-probe-ack": not ours.rung.window and not this.length,
        "window-update": ours.rung.window != (mine[-1][1].window if mine else 0),
    }
    return taken and all(may.get(kind, False) for kind in added)


def _probes(sender: list[tuple[Numbers, Rung]], peer: list[tuple[Numbers, Rung]]) -> set[int]:
    """The numbers of the single bytes that a sender has sent into its peer's closed window."""
    told = sorted((rung.number, rung.window) for _, rung in peer)
    return {
        numbers.seq
        for numbers, rung in sender
        if numbers.length == 1
        and [window for number, window in told if number < rung.number][-1:] == [0]
    }


def _asked_once(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    waited = before.fast is not None and ours.rung.time - before.fast >= SHORTEST_TIMEOUT
    return lost == {"fast-retransmission"} and not added and waited


def _nothing_to_keep(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    mine, peers, this = _mine(before, ours), _peers(before, ours), theirs.numbers
    again = {"retransmission", "fast-retransmission", "spurious-retransmission", "out-of-order"}
    if lost == {"keep-alive"}:  # the number before the next one, which no ACK of all allows
        next_one = max((numbers.seq + space(numbers) for numbers, _ in mine), default=0)
        repeats = this.length == 1 and _all_seen(theirs, before, ours)
        last = this.seq == next_one - 1 and this.length <= 1
        same = added == {"duplicate-ack"} and _repeats_ack(mine, theirs, ours)
        return last and before.busy and (not added or same or (added <= again and repeats))
    if not before.mistaken or lost != {"keep-alive-ack"} or not mine:
        return False
    same = _repeats_ack(mine, theirs, ours)
    asked = peers[-1][0].length <= 1 and peers[-1][0].seq == this.ack - 1
    return (asked or same) and (not added or (added == {"duplicate-ack"} and same))


def _repeats_ack(mine: list[tuple[Numbers, Rung]], theirs: Theirs, ours: Ours) -> bool:
    """Whether it has no data, and the ACK and the window of its sender's last segment."""
    numbers, rung = mine[-1]
    same = theirs.numbers.ack == numbers.ack and not theirs.numbers.length
    return same and ours.rung.segment.window == rung.segment.window


def _unsigned_count(theirs: Theirs, _: Before, ours: Ours) -> bool:
    return ours.peer_outrun and _changed(theirs, ours) == ({"fast-retransmission"}, set())


def _older_ack(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    mine, peers = _newest(_mine(before, ours)), _newest(_peers(before, ours))
    if any(note.kind == "older-ack" for note in ours.rung.notes):
        older = mine is not None and theirs.numbers.ack < mine[0].ack
        return older and lost <= {"zero-window", "keep-alive"} and not added
    if not before.receded:
        return False
    this, rung = theirs.numbers, ours.rung
    holds = dict.fromkeys(("window-update", "duplicate-ack"), False)
    if mine is not None and mine[0].ack == this.ack and not this.length:
        same = mine[1].segment.window == rung.segment.window
        holds = {"window-update": not same, "duplicate-ack": same}
    if peers is not None:
        room = peers[0].ack + peers[1].window - top_of(this)
        holds["window-full"] = not room and this.length > 0
        holds["zero-window-probe"] = not peers[1].window and this.length <= 1
        holds["spurious-retransmission"] = this.length > 0 and top_of(this) <= peers[0].ack
    return lost | added <= holds.keys() and all(
        holds[one] == (one in added) for one in lost | added
    )


def _newest(frames: list[tuple[Numbers, Rung]]) -> tuple[Numbers, Rung] | None:
    """The last frame with the highest ACK."""
    acks = [one for one in frames if one[0].flags & ACK and not one[0].flags & RST]
    return max(reversed(acks), key=lambda one: one[0].ack) if acks else None


def _window_of_a_syn(theirs: Theirs, before: Before, ours: Ours) -> bool:
    mine, changed = _mine(before, ours), _changed(theirs, ours)
    if not mine or not mine[-1][0].flags & SYN:
        return False
    window, of_syn = ours.rung.segment.window, mine[-1][1].segment.window
    scale = ours.rung.window // window if window else 1
    update, duplicate = {"window-update"}, {"duplicate-ack"}
    if changed == (duplicate, update):
        return window == of_syn and scale > 1
    return changed == (update, duplicate) and window == -(-of_syn // scale)


def _same_isn(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    may, number, ack = {"retransmission"}, ours.rung.connection, ours.rung.segment.ack or 0
    for numbers, rung in _peers(before, ours):  # whose SYN-ACK tshark takes for data not seen
        answers = numbers.flags & SYN and rung.connection == number
        if answers and not (ack - 1 - rung.segment.seq) % 2**32:
            may = {"retransmission", "ack-lost-segment"}
    return lost <= may and added <= {"reused-ports"} and _new_connection(theirs, before, ours)


def _new_connection(theirs: Theirs, before: Before, ours: Ours) -> bool:
    """Whether a SYN with the ISN of an earlier one opened another connection in tshark's stream."""
    if theirs.numbers._replace(stream=ours.numbers.stream) != ours.numbers:
        return False
    number = ours.rung.connection
    rungs = [rung for _, rung in before.past]
    opening = next((rung for rung in rungs if rung.connection == number), ours.rung)
    segment, earlier = opening.segment, [rung for rung in rungs if rung.connection != number]
    mine = [rung for rung in earlier if rung.segment.source == segment.source]
    theirs_ = [rung.segment for rung in earlier if rung.segment.source != segment.source]
    if segment.flags & (SYN | ACK) != SYN or not any(
        rung.segment.flags & SYN and rung.segment.seq == segment.seq for rung in mine
    ):
        return False
    closed = any(rung.segment.flags & RST for rung in earlier) or (
        any(rung.segment.flags & FIN for rung in mine) and any(one.flags & FIN for one in theirs_)
    )
    acked = any(one.ack is not None and _beyond(one.ack, segment.seq + 1) for one in theirs_)
    return closed or (acked and opening.time - mine[-1].time >= SECOND)


def _began_idle(theirs: Theirs, before: Before, ours: Ours) -> bool:
    if any(numbers.flags & SYN for numbers, _ in before.past):
        return False
    mine, peers, this = _mine(before, ours), _peers(before, ours), theirs.numbers
    lost, added = _changed(theirs, ours)
    if added == {"keep-alive-ack"}:  # of the number behind that of every frame of its peer
        probes = peers and all((n.seq, n.length) == (this.ack - 1, 0) for n, _ in peers)
        return bool(probes) and lost <= {"ack-lost-segment", "duplicate-ack"}
    if (lost, added) == ({"ack-lost-segment"}, set()) and peers:  # of the data behind the probes
        start, data = peers[0][0].seq, [n for n, _ in peers if n.length]
        idle = all((n.seq, n.length) == (start, 0) for n, _ in peers if not n.length)
        return idle and bool(data) and data[0].seq == start + 1 and this.ack == top_of(data[-1])
    start = mine[0][0].seq if mine else -1
    probed = all((n.seq, n.length) == (start, 0) for n, _ in mine)
    if not probed or not peers or peers[-1][0].ack != start + 1:
        return False
    if this.length:
        return this.seq == start + 1 and (lost, added) == ({"lost-segment"}, set())
    return this.seq == start and (lost, added) == ({"duplicate-ack"}, {"keep-alive"})


def _paws(theirs: Theirs, before: Before, ours: Ours) -> bool:
    if _changed(theirs, ours) != ({"retransmission"}, set()):
        return False
    this, newest = theirs.numbers, None
    for numbers, rung in _mine(before, ours):
        value = (rung.segment.options.timestamps or (None,))[0]
        old = value is not None and newest is not None and _beyond(newest, value)
        if not old and numbers.seq < this.seq + this.length and this.seq < top_of(numbers):
            return False
        newest = newest if old or value is None else value
    return all(numbers.ack <= this.seq for numbers, _ in _peers(before, ours))


RULES: dict[str, Rule] = {
    "seen-before": _seen_before,
    "recovery": _recovery,
    "same-packet": _same_packet,
    "sack-alone": _sack_alone,
    "never-seen": _never_seen,
    "partly-new": _partly_new,
    "ack-without-ack-bit": _ack_without_ack_bit,
    "ack-of-a-reset": _ack_of_a_reset,
    "tfo-without-data": _tfo_without_data,
    "isn-of-synack": _isn_of_synack,
    "unsigned-count": _unsigned_count,
    "simultaneous-open": _simultaneous_open,
    "first-syn": _first_syn,
    "asks-itself": _asks_itself,
    "synack-not-taken": _synack_not_taken,
    "stray": _stray,
    "probe-without-a-byte": _probe_without_a_byte,
    "nothing-to-keep": _nothing_to_keep,
    "not-overtaken": _not_overtaken,
    "asked-once": _asked_once,
    "old-and-new": _old_and_new,
    "captured-late": _captured_late,
    "probe-taken": _probe_taken,
    "older-ack": _older_ack,
    "window-of-a-syn": _window_of_a_syn,
    "same-isn": _same_isn,
    "began-idle": _began_idle,
    "paws": _paws,
}
#: The rules that say why stream, seq or ack differ, and by how much. None of the others does.
NUMBERS: dict[str, Rule] = {
    "ack-without-ack-bit": _ack_field,
    "second-pass": _second_pass,
    "synack-not-taken": _other_base,
    "same-isn": _new_connection,
}


def documented() -> set[str]:
    """The names of the rules in the table of docs/differences.md."""
    return set(re.findall(r"^\| `([a-z-]+)` \|", DOCS.read_text("utf-8"), re.MULTILINE))


def excuses(theirs: Theirs, before: Before, ours: Ours) -> list[str]:
    """The documented rules under which two views of a frame may differ, in what and in numbers.

    Args:
        theirs: tshark's view, of two passes.
        before: what tshark had told by then.
        ours: ours.
    """
    named: list[str] = []
    for rules, differ in (
        (RULES, theirs.kinds != written_out(ours)),
        (NUMBERS, theirs.numbers != ours.numbers),
    ):
        found = [name for name, rule in rules.items() if differ and rule(theirs, before, ours)]
        if differ and not documented().intersection(found):
            return []
        named += found
    return list(dict.fromkeys(named))
