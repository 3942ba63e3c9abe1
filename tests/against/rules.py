"""The differences that are meant. Each rule here is a row of docs/differences.md, and none looks at
a file's name or at one frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from against.frames import Numbers, Ours, Theirs, has_ack, is_synack

DOCS = Path(__file__).parents[2] / "docs" / "differences.md"

#: What one of our notes says that tshark says by two names.
IMPLIED = {
    "fast-retransmission": "retransmission",
    "spurious-retransmission": "retransmission",
}

Rule = Callable[[Theirs, Numbers, Ours], bool]


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


def _seen_before(theirs: Theirs, _: Numbers, ours: Ours) -> bool:
    again = [note for note in ours.rung.notes if note.kind == "retransmission"]
    return _changed(theirs, ours) == ({"out-of-order"}, {"retransmission"}) and all(
        getattr(note, "of", None) is not None for note in again
    )


def _sack_recovery(theirs: Theirs, _: Numbers, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    fast = {"fast-retransmission"}
    return ours.peer_sack and (
        (lost, added) == (set(), fast)
        or (lost, added) == ({"out-of-order"}, fast | {"retransmission"})
    )


def _ack_without_ack_bit(theirs: Theirs, _: Numbers, ours: Ours) -> bool:
    if not has_ack(ours):
        return theirs.numbers._replace(ack=0) == ours.numbers
    return ours.first_ack and _changed(theirs, ours) == ({"duplicate-ack"}, set())


def _tfo_without_data(theirs: Theirs, _: Numbers, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    return (
        is_synack(ours)
        and not ours.peer_syn_data
        and lost <= {"tfo-ack", "reused-ports"}
        and "tfo-ack" in lost
        and not added
    )


def _isn_of_synack(theirs: Theirs, _: Numbers, ours: Ours) -> bool:
    lost, added = _changed(theirs, ours)
    implied = {"reused-ports", "lost-segment", "tfo-ack"}
    return is_synack(ours) and "reused-ports" in lost and lost <= implied and not added


def _second_pass(theirs: Theirs, first: Numbers, ours: Ours) -> bool:
    return theirs.numbers != ours.numbers and first == ours.numbers


def _unsigned_count(theirs: Theirs, _: Numbers, ours: Ours) -> bool:
    return ours.peer_outrun and _changed(theirs, ours) == ({"fast-retransmission"}, set())


RULES: dict[str, Rule] = {
    "seen-before": _seen_before,
    "sack-recovery": _sack_recovery,
    "ack-without-ack-bit": _ack_without_ack_bit,
    "tfo-without-data": _tfo_without_data,
    "isn-of-synack": _isn_of_synack,
    "second-pass": _second_pass,
    "unsigned-count": _unsigned_count,
}


def documented() -> set[str]:
    """The names of the rules in the table of docs/differences.md."""
    return set(re.findall(r"^\| `([a-z-]+)` \|", DOCS.read_text("utf-8"), re.MULTILINE))


def excuses(theirs: Theirs, first: Numbers, ours: Ours) -> list[str]:
    """The documented rules under which two views of a frame may differ.

    Args:
        theirs: tshark's view, of two passes.
        first: its numbers after one pass.
        ours: ours.
    """
    known = documented()
    return [name for name, rule in RULES.items() if name in known and rule(theirs, first, ours)]
