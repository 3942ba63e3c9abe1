"""Updates what is known of both ends after a segment."""

from __future__ import annotations

from trioecho.model import ACK, ECN, FIN, RST, SYN, Segment, State
from trioecho.model.ranges import take
from trioecho.model.sequence import MASK, distance
from trioecho.model.spread import Spread
from trioecho.tcp.flight import MOST_LATEST, Sent
from trioecho.tcp.half import UNSCALED, Asked, Brought, Half, Heard, HeldAck, Unheard
from trioecho.tcp.rules.data import small
from trioecho.tcp.rules.loss import far_sack, sack_blocks
from trioecho.tcp.rules.marks import ecn_agreed, outdated
from trioecho.tcp.states import UNANSWERED, Event
from trioecho.tcp.step import CONTROL, Seen

# How much later than the quickest an ACK must be for its receiver to have held it back. Linux waits
# 40 ms, others up to 200 (RFC 1122 §4.2.3.2).
DELAYED = 30_000_000
# Segments remembered of those that are taken to be dropped.
MOST_DOUBTED = 8
# Segments remembered that have arrived and are not acknowledged.
MOST_BROUGHT = 1_000


# ---- before the rules ----------------------------------------------------------------------------


def isn(segment: Segment, mine: Half, theirs: Half) -> None:
    """Takes the ISN of each end from its first segment, or guesses it.

    Where the SYN was not seen, the first number seen becomes 1, as if a SYN had come before it.
    """
    if mine.isn is not None and mine.drops(segment):
        return
    if mine.isn is None:
        mine.isn = segment.seq if segment.flags & SYN else segment.seq - 1
    elif segment.flags & SYN and mine.isn & MASK != segment.seq and not mine.synchronized:
        believed = mine.believed  # a forged SYN that it answers now
        mine.begin_again(theirs)  # what was guessed before was wrong, or that attempt is over
        mine.believed = believed
        mine.isn = segment.seq
    if theirs.isn is None and segment.ack is not None:
        theirs.isn = segment.ack - 1


def evidence(seen: Seen, ack: int) -> None:
    """Treats what an end acknowledges as arrived there, seen or not."""
    mine, theirs = seen.mine, seen.theirs
    if not theirs.accepts(ack, mine):
        return
    if not seen.segment.flags & (SYN | RST):
        if mine.state in UNANSWERED:
            mine.meet(Event.SEND_SYN_ACK, seen.time)  # which was not seen
        if mine.state is State.SYN_SENT and ack >= 1:
            mine.meet(Event.RECEIVE_SYN_ACK, seen.time)
        elif mine.state is State.SYN_RECEIVED and ack > 1 + theirs.syn_data:
            mine.meet(Event.RECEIVE_ACK_OF_SYN, seen.time)  # which came before what it has now
    mine.received.advance(ack)
    if theirs.fin is not None:
        take_fin(mine, theirs, seen.time)


def late(seen: Seen, fin: int) -> None:
    """Notes whether what comes behind the FIN is old: its receiver drops it, and sends an ACK."""
    if seen.theirs.fin_received:
        seen.theirs.late = seen.number if seen.end <= fin else None


def take_fin(mine: Half, theirs: Half, time: int) -> None:
    """Processes the peer's FIN once everything before it has arrived (RFC 9293 §3.10.7.4)."""
    if theirs.fin is None or mine.fin_received:
        return
    received = mine.received.up_to
    if received is not None and received > theirs.fin:
        mine.fin_received = True
        mine.meet(Event.RECEIVE_FIN, time)


def timestamp(seen: Seen) -> None:
    """Updates TS.Recent, but only by a segment with its receiver's next number.

    So a merely overtaken segment does not count as an old duplicate (RFC 7323 §4.3).
    """
    stamps, mine = seen.segment.options.timestamps, seen.mine
    if stamps is None or seen.segment.flags & RST:
        return
    had, recent = seen.theirs.received.up_to, mine.ts_recent
    fills = had is None or seen.seq <= had
    if recent is None or (fills and (distance(stamps[0], recent) > 0 or outdated(seen))):
        mine.ts_recent = stamps[0]


def syn(seen: Seen) -> None:
    """Records what a SYN or a SYN-ACK says about its sender."""
    segment, mine = seen.segment, seen.mine
    if seen.ack is None:
        mine.passive = False
        mine.syn_data, mine.syn_cookie = segment.length, bool(segment.options.fast_open)
    else:
        mine.answered = True
    if mine.syn_seen or mine.acked is None:  # else it was captured behind its answer
        mine.meet(Event.SEND_SYN if seen.ack is None else Event.SEND_SYN_ACK, seen.time)
    mine.syn_seen = True
    if not mine.verified and not seen.wired:
        mine.verified = segment.sound()
    if segment.options.mss is not None:  # sent again, it may have fewer options
        mine.mss = segment.options.mss
    _scale(seen)
    _agreed(seen)


def tried(seen: Seen) -> None:
    """Notes whether data have a right checksum, longer ones than were looked at before."""
    mine, segment = seen.mine, seen.segment
    mine.tried = segment.length
    if segment.sound():
        mine.whole = segment.length


def _scale(seen: Seen) -> None:
    """Finds by how much each end's window is shifted: both must offer it (RFC 7323 §2.2).

    A SYN-ACK offers it only to a SYN that did, seen or not. What the capture cut is unknown.
    """
    mine, theirs, options = seen.mine, seen.theirs, seen.segment.options
    if options.window_scale is not None:
        mine.scale = options.window_scale
    elif mine.scale is None and not options.cut:
        mine.scale = UNSCALED
    answer, asked = (theirs, mine) if seen.ack is None else (mine, theirs)
    on = _offers(answer) and (answer.passive or _offers(asked))
    off = not on and UNSCALED in (answer.scale, asked.scale)
    for end in (mine, theirs):
        end.shift = end.scale or 0 if on and _offers(end) else 0
        end.shift_known = off or (on and _offers(end))


def _offers(end: Half) -> bool:
    """Whether it was seen to offer a window scale."""
    return end.scale is not None and end.scale != UNSCALED


def _agreed(seen: Seen) -> None:
    """Finds whether both ends may have offered timestamps and SACK, as a SYN-ACK proves.

    Each is in use only where both ends offer it (RFC 7323 §3.2, RFC 2018 §2).
    """
    history, options = seen.history, seen.segment.options
    opens = seen.ack is None and not seen.theirs.syn_seen
    proves = opens or seen.mine.passive
    denies = not options.cut and (opens or seen.ack is not None)
    if options.timestamps is not None or denies:
        history.timestamps = options.timestamps is not None and (proves or history.timestamps)
    if options.sack_permitted or denies:
        history.sack = options.sack_permitted and (proves or history.sack)


def window(segment: Segment, mine: Half) -> int:
    """The window as an end tells it: that of a SYN is not scaled (RFC 7323 §2.2), and rounds up."""
    return -(-segment.window >> mine.shift) if segment.flags & SYN else segment.window


def sack(seen: Seen) -> None:
    """Turns SACK blocks into relative numbers, and keeps them where they can be true."""
    ack, theirs = seen.ack, seen.theirs
    if ack is None:
        return
    seen.sack = sack_blocks(seen, ack)
    if not far_sack(seen) and (seen.mine.ack is None or ack >= seen.mine.ack):
        seen.mine.sack = seen.sack
        theirs.doubt(ack, max(right for _, right in seen.sack))


def ecn(seen: Seen) -> None:
    """Remembers what a SYN offers; a SYN-ACK decides whether both ends count marks (AccECN)."""
    flags = seen.segment.flags
    if flags & ACK:
        accurate = ecn_agreed(seen) == "accurate"
        seen.mine.ce_counted = seen.theirs.ce_counted = 0 if accurate else None
    else:
        seen.mine.syn_ecn = flags & ECN


def ecn_cleared(seen: Seen) -> None:
    """Trusts no counter of marks that is zero in the first segment behind the SYN.

    No end sends that: a device on the path clears the bits (RFC 9768 §3.2.2.4).
    """
    if not seen.segment.flags & ECN:
        seen.mine.ce_counted = None


# ---- after the rules -----------------------------------------------------------------------------


def consequences(seen: Seen) -> None:
    """Records what an unusual segment means for the ones after it."""
    segment, mine, theirs = seen.segment, seen.mine, seen.theirs
    if theirs.window == 0 and segment.length:
        theirs.no_room_time = seen.time
    mine.asked = _asks(seen) if segment.flags & CONTROL else None
    for fact in seen.found:
        fact.learn(seen)
    if not segment.length and seen.ack == mine.ack:
        mine.ack_packet = segment.identification
    if theirs.asked is Asked.ZERO_WINDOW_PROBE and seen.ack == theirs.next + 1:
        # The byte of the probe was taken.
        theirs.next = seen.ack
        theirs.volume += 1
        theirs.seen.advance(seen.ack)
    if seen.history.doubted and seen.ack is not None:
        _believe(seen, seen.ack)
    remember(seen)


def doubt(seen: Seen) -> None:
    """Its receiver drops it, as far as is known: nothing of it counts until it is acknowledged."""
    mine = seen.mine
    mine.segments += 1
    if seen.end > seen.seq:
        original = mine.flight.original(seen.seq)
        if original is not None and original.end == seen.end:
            mine.flight.repeats.append(_whole(seen))
        seen.history.doubted = (*seen.history.doubted[1 - MOST_DOUBTED :], seen)


def _believe(seen: Seen, ack: int) -> None:
    """Takes what seemed to be an old duplicate, once its receiver acknowledges it."""
    mine, theirs, history = seen.mine, seen.theirs, seen.history
    for one in history.doubted:
        stamps = one.segment.options.timestamps
        if one.mine is not theirs or one.end > ack or theirs.next >= one.end:
            continue
        if stamps is not None:
            theirs.ts_recent = stamps[0]
        remember(one)
        if one.segment.flags & FIN:
            theirs.fin, history.first_fin = one.end - 1, history.first_fin or theirs
            theirs.meet(Event.SEND_FIN, one.time)
            take_fin(mine, theirs, seen.time)
    history.doubted = tuple(one for one in history.doubted if one.mine is mine or one.end > ack)


def _asks(seen: Seen) -> Asked | None:
    """The answer that a segment's control bits ask for."""
    flags = seen.segment.flags
    if flags & RST:
        return Asked.RESET
    if not flags & SYN:
        return None
    if seen.ack is not None and seen.again:
        return Asked.REPEATED_SYN_ACK
    if seen.mine.state is State.ESTABLISHED:
        return Asked.SYN
    if seen.ack is None and seen.again and not seen.copied:
        return Asked.REPEATED_SYN
    return None


def remember(seen: Seen) -> None:
    """Adds an unusual segment to what its sender has sent."""
    segment, mine, theirs, begin, end = seen.segment, seen.mine, seen.theirs, seen.seq, seen.end
    open_from = max(begin, mine.acked or begin)
    if not seen.copied and open_from < min(end, mine.next):
        mine.doubt(begin, mine.next)
    if seen.again:
        mine.flight.repeats.append(_whole(seen))
    if segment.flags & RST or not seen.plausible:
        return
    if end > begin and (mine.acked is None or end > mine.acked):
        mine.flight.insert(begin, end, seen.number, seen.time, segment)
    if segment.flags & (SYN | FIN) and (end > mine.next or not seen.again):
        mine.flight.ends = (*mine.flight.ends[-1:], _kept(seen))
    if mine.asked is Asked.ZERO_WINDOW_PROBE:
        mine.doubt(begin, end)  # sent until it is accepted
        for one in mine.flight.within(begin, end):
            if one.time < theirs.ack_time and one.number != seen.number:  # its answer refused it
                one.instead = seen.number
        return
    closes = segment.flags & FIN  # whose number is no byte
    if mine.seen.up_to is None and begin > 1:  # its peer has told where its stream was before
        mine.unseen = (*mine.unseen, (1, begin))
    new = mine.seen.add(begin, end - closes)
    if len(mine.unseen) > 1 or (begin < 1 and not mine.syn_seen):
        left, late = take(mine.unseen, begin, end)
        mine.unseen, new = left[-MOST_LATEST:], new + late
    mine.volume += min(segment.length, new)
    if closes:
        mine.seen.add(end - 1, end)
    if end > mine.next:
        mine.next, mine.next_time = end, seen.time


def _kept(seen: Seen) -> Sent:
    """As it is kept in flight, if it is whole there and has no payload; that saves memory."""
    sent = seen.mine.flight.sent
    if sent and not seen.copied:
        last = sent[-1]
        if (last.number, last.seq, last.end) == (seen.number, seen.seq, seen.end):
            return last if last.segment is None else _whole(seen)
    return _whole(seen)


def _whole(seen: Seen) -> Sent:
    packet = seen.segment.identification
    return Sent(seen.seq, seen.end, seen.number, seen.time, packet, copied=seen.copied)


# ---- on a wire that knows what arrived ----------------------------------------------------------


def unheard(seen: Seen) -> None:
    """Notes an ACK in flight, which the peer does not know until it arrives."""
    heard, ack = seen.mine.heard, seen.ack
    if heard is not None and ack is not None and (heard.ack is None or ack > heard.ack):
        heard.unheard = (*heard.unheard[1 - MOST_LATEST :], Unheard(seen.number, ack))


def hear(seen: Seen) -> None:
    """Notes that an ACK has arrived, so the peer knows it."""
    heard, ack, told = seen.mine.heard, seen.ack, window(seen.segment, seen.mine)
    if heard is None or ack is None:
        return
    heard.ack_time = seen.mine.ack_time
    had = heard.ack
    if had is not None and ack < had:
        return
    if ack != had:
        heard.ack, heard.ack_rung, heard.duplicates = ack, seen.number, 0
        for one in heard.unheard:
            if one.ack <= ack and one.number < seen.number and not one.lost:
                heard.overtaken[one.number] = seen.number
        while len(heard.overtaken) > MOST_LATEST:
            del heard.overtaken[next(iter(heard.overtaken))]
        heard.unheard = tuple(one for one in heard.unheard if one.ack > ack)
    elif _asks_again(seen, ack) and 0 < told == heard.window:
        heard.duplicates += 1
    heard.window = told
    seen.sack = sack_blocks(seen, ack)
    heard.sack = () if far_sack(seen) else seen.sack


def _asks_again(seen: Seen, ack: int) -> bool:
    """Whether an ACK that comes again may ask for data: some are outstanding (RFC 5681 §2)."""
    empty = seen.end == seen.seq and not seen.segment.flags & RST
    return empty and seen.theirs.next > ack


def brought(seen: Seen) -> None:
    """Notes the arrival of what takes sequence space, unless its receiver has no room for it."""
    heard = seen.mine.heard
    if heard is not None and seen.theirs.window != 0:
        heard.brought.append(Brought(seen.seq, seen.end, seen.number))
        del heard.brought[:-MOST_BROUGHT]


def _credit(seen: Seen, heard: Heard, ack: int) -> None:
    """Finds what brought the last byte that is acknowledged: whatever brought it first."""
    last = (one.number for one in heard.brought if one.seq < ack <= one.end)
    seen.brought_by = next(last, None)
    heard.brought = [one for one in heard.brought if one.end > ack]


# ---- as it arrives -------------------------------------------------------------------------------


def acknowledge(seen: Seen, ack: int) -> None:
    """Drops what is acknowledged for the first time, and measures the round trip where possible.

    Only an ACK of exactly one segment, sent once, measures it (Karn's algorithm, RFC 6298 §3).
    """
    segment, mine, theirs = seen.segment, seen.mine, seen.theirs
    before = theirs.acked
    theirs.acked, theirs.acked_rung = ack, seen.number
    mine.ack_packet = segment.identification
    seen.last = last = theirs.flight.acknowledged(ack)
    if theirs.heard is not None:
        _credit(seen, theirs.heard, ack)
    fin = theirs.fin
    seen.newly = (ack if fin is None or ack <= fin else fin) - (before if before else 1)
    if seen.newly <= 0 or last is None:
        return
    if last.end != ack or theirs.doubt_from < ack <= theirs.doubt_to:
        return
    rtt = seen.arrival - last.time
    if rtt < 0:  # the capture's clock was set
        return
    seen.rtt = rtt
    if theirs.rtt is None:
        theirs.rtt = Spread()
    theirs.rtt.add(rtt)
    quickest = min(theirs.rtt.least, seen.history.initial_rtt or rtt)
    pure = not segment.length and not segment.flags & (SYN | FIN)
    if rtt - quickest >= DELAYED and pure and not theirs.flight.sent:
        waited = small(last.end - last.seq, segment, mine)
        theirs.held = HeldAck(rtt, seen.arrival) if waited else None
