"""Processes the arrival of a segment at the other end."""

from __future__ import annotations

from trioecho.model import RST, SYN, End, State
from trioecho.tcp import learn, rules
from trioecho.tcp.rules import data
from trioecho.tcp.states import OPENING, UNANSWERED, Event
from trioecho.tcp.step import Seen

_ESTABLISHED = State.ESTABLISHED


def arrive(seen: Seen, time: int) -> bool:
    """Finds what the arrival of a segment changes, in RFC 9293 §3.10.7.4's order: RST to FIN.

    Returns:
        Whether the other end takes what it carries.
    """
    mine, theirs, ack, flags = seen.mine, seen.theirs, seen.ack, seen.segment.flags
    if not seen.expected and any(fact.dropped for fact in seen.found):
        if mine.fin is not None and not rules.overlap.was_garbled(seen):
            learn.late(seen, mine.fin)
        return False
    if ack is not None:
        mine.ack_time = time
    if flags & RST:
        reset(seen, time)
        return False
    if ack is not None:
        if theirs.state is not _ESTABLISHED:
            forgot = theirs.state in UNANSWERED and seen.history.reset_by == "wire"
            if forgot or not theirs.accepts(ack, mine):
                return False
            _acknowledged(seen, ack, time)
            if theirs.state is State.SYN_SENT:  # it takes nothing but a SYN
                return False
        if theirs.acked is None or ack > theirs.acked:
            seen.arrival = time
            seen.opens = seen.history.underway and theirs.acked is None
            learn.acknowledge(seen, ack)
            if seen.told and (fact := data.ack(seen)) is not None:
                seen.found.append(fact)
            if theirs.fin is not None or seen.opens:
                _changed(seen)
        elif ack < theirs.acked:
            _changed(seen)
    elif flags & SYN:
        theirs.meet(Event.RECEIVE_SYN, time)
        mine.asked_time = time
        if theirs.state in UNANSWERED:  # its answer will tell what it takes
            return True
    # Each SYN of this connection has number 0; another one has no place in its stream.
    if seen.end > seen.seq and not (flags & SYN and seen.seq):
        received = theirs.received
        if seen.seq == received.up_to and not received.islands:
            received.up_to = seen.end
        else:
            received.add(seen.seq, seen.end)
    if mine.fin is not None:
        learn.late(seen, mine.fin)
        learn.take_fin(theirs, mine, time)
        if mine.fin_received and theirs.fin_received and seen.history.closed_by is None:
            seen.history.closed_by = "fin"
    return True


def reset(seen: Seen, time: int) -> None:
    """A RST arrives."""
    mine, theirs, history = seen.mine, seen.theirs, seen.history
    if not theirs.takes_reset(seen.seq, seen.ack, sack=history.sack):
        return
    if history.closed_by is None or theirs.state is not State.CLOSED:
        by: End = "client" if mine is history.client else "server"
        history.reset_by = history.reset_by or ("wire" if seen.forged else by)
    listens = theirs.passive and theirs.state in (*UNANSWERED, State.SYN_RECEIVED)
    theirs.meet(Event.RECEIVE_RST_PASSIVE if listens else Event.RECEIVE_RST, time)
    history.closed_by = history.closed_by or "rst"
    if listens:
        theirs.begin_again(mine)


def _acknowledged(seen: Seen, ack: int, time: int) -> None:
    """An ACK arrives at an end that waits for the ACK of its SYN or FIN."""
    theirs = seen.theirs
    if theirs.state is State.SYN_RECEIVED:
        theirs.meet(Event.RECEIVE_ACK_OF_SYN, time)
    elif theirs.state in UNANSWERED and seen.mine.state not in OPENING:  # its SYN-ACK was not seen
        theirs.meet(Event.RECEIVE_ACK_OF_SYN, time)
        theirs.received.advance(1)
    if seen.segment.flags & SYN:
        theirs.meet(Event.RECEIVE_SYN_ACK, time)
    if theirs.fin is not None and ack > theirs.fin:
        theirs.meet(Event.RECEIVE_ACK_OF_FIN, time)


def _changed(seen: Seen) -> None:
    """Its ACK may complete the handshake or the close, or is older than one that arrived before."""
    before = len(seen.found)
    rules.every(rules.ARRIVAL, seen)
    for fact in seen.found[before:]:
        fact.learn(seen)
        seen.expected = False
