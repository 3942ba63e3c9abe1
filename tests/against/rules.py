"""The differences that are meant. Each rule here is a row of docs/differences.md, and none looks at
a file's name or at one frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from against.frames import Before, Ours, Theirs, has_ack, is_synack
from trioecho.model import ACK, RST, SYN
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


def _seen_before(theirs: Theirs, _: Before, ours: Ours) -> bool:
    return _changed(theirs, ours) == ({"out-of-order"}, {"retransmission"}) and any(
        isinstance(note, Retransmission) and note.of is not None and note.cause != "recovery"
        for note in ours.rung.notes
    )


def _recovery(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return before.repeated and (
        _changed(theirs, ours) == ({"out-of-order"}, {"retransmission"})
        and any(
            isinstance(note, Retransmission) and note.cause == "recovery"
            for note in ours.rung.notes
        )
    )


def _same_packet(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    return before.copied and len(lost) == 1 and lost <= RETRANSMITTED and not added


def _sack_alone(theirs: Theirs, _: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    alone = any(
        isinstance(note, FastRetransmission) and note.duplicates < 2 for note in ours.rung.notes
    )
    fast = {"fast-retransmission"}
    return alone and (
        (lost, added) == (set(), fast)
        or (lost, added) == ({"out-of-order"}, fast | {"retransmission"})
    )


def _never_seen(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return before.unseen > 0 and _changed(theirs, ours) == (set(), {"ack-lost-segment"})


def _partly_new(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return not before.unseen and _changed(theirs, ours) == ({"ack-lost-segment"}, set())


def _ack_without_ack_bit(theirs: Theirs, before: Before, ours: Ours) -> bool:
    if not has_ack(ours):
        lost, added = _changed(theirs, ours)
        same = theirs.numbers._replace(ack=0) == ours.numbers
        return same and lost <= {"duplicate-ack"} and not added
    lost, added = _changed(theirs, ours)
    duplicate = {"duplicate-ack"}
    if before.last and not before.last & ACK:
        return (lost, added) in ((duplicate, set()), (set(), duplicate))
    return ours.first_ack and (lost, added) == (duplicate, set())


def _ack_of_a_reset(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return bool(before.last & RST) and _changed(theirs, ours) == ({"duplicate-ack"}, set())


def _tfo_without_data(theirs: Theirs, _: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    return (
        is_synack(ours)
        and not ours.peer_syn_data
        and lost <= {"tfo-ack", "reused-ports"}
        and "tfo-ack" in lost
        and not added
    )


def _isn_of_synack(theirs: Theirs, _: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    implied = {"reused-ports", "lost-segment", "tfo-ack"}
    return is_synack(ours) and "reused-ports" in lost and lost <= implied and not added


def _second_pass(theirs: Theirs, before: Before, ours: Ours) -> bool:
    return theirs.numbers != ours.numbers and before.numbers == ours.numbers


def _simultaneous_open(theirs: Theirs, _: Before, ours: Ours) -> bool:
    crossed = is_synack(ours) and ours.first_ack
    return crossed and _only_repeated(theirs, ours)


def _first_syn(theirs: Theirs, before: Before, ours: Ours) -> bool:
    syn = bool(ours.rung.segment.flags & SYN)
    return syn and not before.opened and _only_repeated(theirs, ours)


def _asks_itself(theirs: Theirs, before: Before, ours: Ours) -> bool:
    asks = ours.rung.segment.flags & (SYN | ACK) == SYN and not before.asked
    return asks and before.reset and _only_repeated(theirs, ours)


def _only_repeated(theirs: Theirs, ours: Ours) -> bool:
    """Whether tshark alone calls it a retransmission; it may say ``tfo-ack`` besides."""
    lost, added = _changed(theirs, ours)
    besides = set() if ours.peer_syn_data else {"tfo-ack"}
    return "retransmission" in lost and lost <= {"retransmission"} | besides and not added


def _synack_not_taken(theirs: Theirs, before: Before, ours: Ours) -> bool:
    segment, mine = ours.rung.segment, ours.rung.sender
    peer = "server" if mine == "client" else "client"
    counted = ours.numbers
    if mine in before.bases:
        counted = counted._replace(seq=(segment.seq - before.bases[mine]) % 2**32)
    if peer in before.bases and segment.ack is not None:
        counted = counted._replace(ack=(segment.ack - before.bases[peer]) % 2**32)
    lost, added = _changed(theirs, ours)
    return theirs.numbers == counted != ours.numbers and lost <= {"retransmission"} and not added


def _stray(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    return before.strayed and lost in ({"retransmission"}, {"out-of-order"}) and not added


def _probe_without_a_byte(theirs: Theirs, _: Before, ours: Ours) -> bool:
    return _changed(theirs, ours) == ({"keep-alive"}, {"zero-window-probe"})


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
    whole = (lost == {"ack-lost-segment"} and not before.unseen) or (
        lost == {"lost-segment"} and before.next
    )
    answers = {"zero-window-probe", "zero-window-probe-ack", "window-update"}
    return before.probed and whole and added <= answers


def _asked_once(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    waited = before.fast is not None and ours.rung.time - before.fast >= SHORTEST_TIMEOUT
    return lost == {"fast-retransmission"} and not added and waited


def _nothing_to_keep(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    again = {"retransmission", "fast-retransmission", "spurious-retransmission", "out-of-order"}
    if lost == {"keep-alive"}:
        return before.busy and added <= again
    return before.mistaken and lost == {"keep-alive-ack"} and added <= {"duplicate-ack"}


def _unsigned_count(theirs: Theirs, _: Before, ours: Ours) -> bool:
    return ours.peer_outrun and _changed(theirs, ours) == ({"fast-retransmission"}, set())


def _older_ack(theirs: Theirs, before: Before, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    if any(note.kind == "older-ack" for note in ours.rung.notes):
        return lost <= {"zero-window", "keep-alive"} and not added
    windows = {"window-update", "window-full", "duplicate-ack", "zero-window-probe"}
    return before.receded and lost | added <= windows | {"spurious-retransmission"}


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
    "second-pass": _second_pass,
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
}


def documented() -> set[str]:
    """The names of the rules in the table of docs/differences.md."""
    return set(re.findall(r"^\| `([a-z-]+)` \|", DOCS.read_text("utf-8"), re.MULTILINE))


def excuses(theirs: Theirs, before: Before, ours: Ours) -> list[str]:
    """The documented rules under which two views of a frame may differ.

    Args:
        theirs: tshark's view, of two passes.
        before: what tshark had told by then.
        ours: ours.
    """
    known = documented()
    return [name for name, rule in RULES.items() if name in known and rule(theirs, before, ours)]
