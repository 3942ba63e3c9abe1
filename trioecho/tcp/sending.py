"""A segment leaves its sender: the rules are asked, and what they find is learned."""

from __future__ import annotations

from trioecho.model import FIN, MARKED, RST, SYN, Segment, State
from trioecho.model.sequence import HALF, MASK
from trioecho.tcp import learn, rules
from trioecho.tcp.half import Half
from trioecho.tcp.history import History
from trioecho.tcp.rules import closing, data, judge, ordinary
from trioecho.tcp.states import UNANSWERED, Event
from trioecho.tcp.step import CONTROL, Seen


def send(
    history: History,
    segment: Segment,
    number: int,
    mine: Half,
    theirs: Half,
    *,
    told: bool = True,
    wired: bool = False,
) -> Seen:
    """Finds what can be said of a segment when it leaves its sender, and what that teaches.

    ``wired``: whether each end knows only what has arrived there, which ``ordinary`` does not ask.
    """
    time, flags, length, ack = segment.frame.time, segment.flags, segment.length, segment.ack
    if mine.isn is None or theirs.isn is None or flags & SYN:
        _begin(history, segment, mine, theirs)
    # ``sequence.relative`` written out: this is on the path of every segment, twice.
    near, isn = mine.next, mine.isn or 0
    seq = near + ((segment.seq - isn - near + HALF) & MASK) - HALF
    if ack is not None:
        near = theirs.next or mine.ack or 0
        ack = near + ((ack - (theirs.isn or 0) - near + HALF) & MASK) - HALF
    end = seq + length + (flags >> 1 & 1) + (flags & 1)
    seen = Seen(segment, number, time, seq, ack, end, mine, theirs, history, [], told)
    if (mine.believed or theirs.believed or theirs.forged) is not None and _believed(seen):
        return seen
    back = time < history.end
    plain = not (back or wired or history.doubted) and ordinary(seen)
    if back:
        _set_back(seen)
    if mine.verified and mine.drops(segment):
        rules.one(rules.GARBLED, seen)
        history.end = time
        learn.doubt(seen)
        return seen
    if plain:
        seen.expected = True
    else:
        judge(seen)
    history.end = time
    stamps = segment.options.timestamps
    if stamps is not None:
        if seen.expected and mine.ts_recent is not None and stamps[0] >= mine.ts_recent:
            mine.ts_recent = stamps[0]
        elif _old(seen) and not seen.again:
            learn.doubt(seen)
            return seen
    if ack is not None and ((had := mine.received.up_to) is None or ack > had):
        learn.evidence(seen, ack)
    if flags & CONTROL:
        _control(seen)
    if length and not flags & RST and (not seen.again or end > mine.next):
        if told and (fact := data.data(seen)) is not None:
            seen.found.append(fact)
        if mine.held is not None:
            _waited(seen)
        if length > mine.tried and mine.verified:
            learn.tried(seen)
    # An older ACK, overtaken by a newer one, changes nothing (RFC 9293 §3.10.7.4).
    newest = mine.ack
    older = newest is not None and ack is not None and ack < newest and seen.older
    if mine.sack and not older:
        mine.sack = ()
    if segment.rare or mine.ce_counted is not None:  # a counter of marks may be all zeros
        _marked(seen)
    if not seen.expected:
        if history.reuses is not None:
            rules.one(rules.PORTS, seen)
        learn.consequences(seen)
    else:
        # In order: the general case of ``consequences``, without its questions.
        mine.asked = None
        if length:
            mine.flight.keep(seq, end, number, time, segment)
            mine.volume += length
            if mine.seen.up_to == seq:
                mine.seen.up_to = end
            else:
                mine.seen.add(seq, end)
            mine.next, mine.next_time = end, time
    mine.segments += 1
    if older:
        return seen
    if ack is not None and ack != newest:
        mine.duplicates, mine.ack_rung = 0, number
        mine.ack = ack
    if not flags & RST:  # whose window is none
        mine.window = learn.window(segment, mine) if flags & SYN else segment.window
    return seen


def _begin(history: History, segment: Segment, mine: Half, theirs: Half) -> None:
    """The first segment of a connection or of an end, or a SYN."""
    learn.isn(segment, mine, theirs)
    if history.start is None:
        history.start = mine.state_since = theirs.state_since = segment.frame.time
        history.first_frame = segment.frame.number


def _believed(seen: Seen) -> bool:
    """Whether it belongs to what an end believes since a wire forged a SYN; numbered from that."""
    mine, theirs, flags = seen.mine, seen.theirs, seen.segment.flags
    if rules.one(rules.BELIEVED, seen) is None:
        return False
    if flags & RST:
        if theirs.believed is not None:
            seen.seq = seen.end = 1
    else:
        seen.ack = 1
        if flags & SYN:
            mine.meet(Event.SEND_SYN_ACK, seen.time)
    for fact in seen.found:
        fact.learn(seen)
    mine.segments += 1
    seen.history.end = seen.time
    return True


def _set_back(seen: Seen) -> None:
    """It has an earlier time than what came before it."""
    history = seen.history
    rules.one(rules.CLOCK, seen)
    history.start = min(history.start or 0, seen.time)


def _old(seen: Seen) -> bool:
    """Whether its timestamp, which does not simply go on, is that of an old duplicate."""
    if rules.one(rules.TIMESTAMP, seen) is not None:
        seen.expected = False
        return True
    learn.timestamp(seen)
    return False


def _control(seen: Seen) -> None:
    """SYN, FIN and RST leave the sender."""
    mine, history, flags = seen.mine, seen.history, seen.segment.flags
    if flags & RST:
        rules.one(rules.RESET, seen)
        return
    if flags & SYN:
        rules.one(rules.STRAY, seen)
    if flags & SYN and not seen.seq:
        if seen.ack is None and not seen.copied:
            history.last_syn = seen.time
            if history.first_syn is None and mine.acked is None:  # else its answer came before
                history.first_syn = seen.time
        elif history.first_syn == history.last_syn and not seen.again:
            mine.tap_rtt = max(0, seen.time - history.last_syn)
        answers_none = seen.ack is not None and seen.theirs.state is State.CLOSED
        if (mine.state is State.SYN_SENT or mine.state in UNANSWERED) and not answers_none:
            history.closed_by = history.reset_by = None  # an attempt before may have been reset
        learn.syn(seen)
        rules.every(rules.SYN, seen)
    if flags & FIN and seen.plausible:
        _fin(seen)


def _fin(seen: Seen) -> None:
    mine, history, crosses = seen.mine, seen.history, closing.crosses(seen)
    if mine.fin is None or not seen.again:  # the data before it may be sent again
        rules.one(rules.FIN, seen)
    between = mine.state is State.CLOSE_WAIT and crosses
    mine.meet(Event.SEND_FIN_BEFORE_THEIRS if between else Event.SEND_FIN, seen.time)
    if mine.fin is None:
        mine.fin = seen.end - 1
        history.fins_crossed = crosses
    history.first_fin = history.first_fin or mine


def _waited(seen: Seen) -> None:
    """Its sender may have waited for a delayed ACK."""
    fact = data.nagle_delayed_ack(seen)
    if fact is not None:
        seen.found.append(fact)
        seen.expected = False
    seen.mine.held = None


def _marked(seen: Seen) -> None:
    """It has options or bits that are rare, or leaves work to a device."""
    before = len(seen.found)
    if seen.segment.rare == MARKED or seen.mine.ce_counted is not None:
        options = seen.segment.options
        if options.sack:
            learn.sack(seen)
        if seen.segment.flags & SYN:
            learn.ecn(seen)
        elif seen.mine.segments == 1:
            learn.ecn_cleared(seen)
        seen.subtype, *others = options.mptcp or ("",)
        rules.every(rules.MARKS, seen)
        for seen.subtype in others:
            more = rules.marks.mptcp(seen)
            if more is not None:
                seen.found.append(more)
    rules.every(rules.OFFLOAD, seen)
    if seen.expected:  # otherwise they teach with all others
        for fact in seen.found[before:]:
            fact.learn(seen)
