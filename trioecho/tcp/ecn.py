"""Explicit Congestion Notification: what both SYNs agree on, and what the bits say after that."""

from __future__ import annotations

from trioecho.model import ACK, AE, CWR, ECE, SYN, State
from trioecho.tcp import notes
from trioecho.tcp.step import Step

_CONGESTION_EXPERIENCED = 3
_BITS = ECE | CWR | AE
# The counter of marked packets starts at 5, so that no marks are not mistaken for no counter; on
# the ACK of a SYN-ACK it tells instead how that arrived: 6 is marked (RFC 9768 §3.2.2).
_START, _SYNACK_MARKED = 5, 6


def look(step: Step) -> None:
    """Note what the ECN bits of a ``rare`` segment say.

    Source: RFC 3168 §6.1, RFC 9768 §3.1 and §3.2.2.
    """
    flags, found = step.segment.flags, step.found
    if step.segment.ecn == _CONGESTION_EXPERIENCED:
        found.append(notes.CongestionExperienced())
    if flags & SYN:
        _set_up(step, flags & _BITS)
    elif step.mine.marked is not None:
        _count(step, flags)
    else:
        if flags & ECE:
            found.append(notes.EcnEcho())
        if flags & CWR:
            found.append(notes.Cwr())


def _set_up(step: Step, bits: int) -> None:
    """A SYN offers, or a SYN-ACK agrees to what the SYN offered."""
    mine, theirs = step.mine, step.theirs
    if not step.segment.flags & ACK:
        mine.ecn = bits
        if bits in (ECE | CWR, _BITS):
            step.found.append(notes.EcnSetup(accurate=bits == _BITS))
        return
    known = theirs.syn_seen
    offer = theirs.ecn if known else _BITS
    # What a server mirrors is no agreement; ECE with or without AE (once a nonce) is RFC 3168's.
    classic = offer in (ECE | CWR, _BITS) and bits in (ECE, ECE | AE)
    accurate = offer == _BITS and (bits in (CWR, AE, AE | CWR) or (known and bits == CWR | ECE))
    mine.marked = theirs.marked = 0 if accurate else None
    if classic or accurate:
        step.found.append(notes.EcnSetup(accurate=accurate))


def _count(step: Step, flags: int) -> None:
    """Once AccECN is agreed on, AE, CWR and ECE are a counter, and none of them means ECN-Echo."""
    mine, theirs = step.mine, step.theirs
    counter = (flags & AE) // AE << 2 | (flags & CWR) // CWR << 1 | (flags & ECE) // ECE
    if theirs.state is State.SYN_RECEIVED:  # the ACK of its SYN-ACK
        marked = int(counter == _SYNACK_MARKED)
    else:
        marked = (counter - _START) % 8
    if marked != mine.marked:
        mine.marked = marked
        step.found.append(notes.EcnCounter(marked))
