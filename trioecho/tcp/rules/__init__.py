"""The rules, in the order in which they are asked.

Theory of operation
===================
A rule compares one segment with what was seen of its connection before, never with what comes
after. It is a function of one ``Seen`` that returns a fact or None; its docstring is the condition.
The fact's class stands beside it, with its sentence, its source, and what it teaches.

Most segments do just what is expected, and ``ordinary`` tells those at a glance. Of the others each
question below is asked in turn; the first rule of a question that fits answers it, or, where a
question says ``every``, each rule that fits. The names are tshark's where it has one, and so is the
order, so that the same segment is called the same here and there.
"""

from __future__ import annotations

from typing import NamedTuple

from trioecho.model import Fact
from trioecho.tcp.rules import (
    challenges,
    closing,
    data,
    forgeries,
    loss,
    marks,
    opening,
    overlap,
    overtaking,
    refusals,
    repetition,
    resets,
    timers,
    windows,
)
from trioecho.tcp.step import CONTROL, Rule, Seen


class Question(NamedTuple):
    """A question, and the rules that may answer it, in order.

    Args:
        asks: the question in words.
        rules: those that may answer it.
        every: whether each rule that fits answers, and not the first alone.
    """

    asks: str
    rules: tuple[Rule, ...]
    every: bool = False


PROBE = Question(
    "Is it a probe, or the answer to a probe or a keep-alive?",
    (windows.zero_window_probe, windows.keep_alive_ack, windows.zero_window_probe_ack),
)
WINDOWS = Question(
    "If not: does it leave a gap, or say something of a window?",
    (
        windows.zero_window,
        loss.lost_segment,
        windows.old_number_probe,
        windows.keep_alive,
        windows.window_update,
        windows.window_opened,
        windows.window_full,
    ),
    every=True,
)
DUPLICATE = Question(
    "Does it repeat its sender's last ACK, with the same window?",
    (
        loss.copied_ack,
        loss.answers_old,
        loss.ack_of_fin_again,
        loss.ack_of_syn_again,
        loss.nothing_missing,
        loss.duplicate_ack,
    ),
)
LATE_ACK = Question(
    "Does it only acknowledge, with a number that was used since?",
    (loss.copied_ack, overtaking.overtaken_ack),
)
CHALLENGE = Question(
    "Does it answer what its sender does not believe?",
    (
        challenges.challenges_peer,
        challenges.challenges_forger,
        challenges.earlier_connection_stands,
    ),
)
UNSEEN = Question(
    "Does it acknowledge what was never seen?",
    (
        windows.probe_taken,
        windows.first_keep_alive_ack,
        overlap.checksum_overruled,
        marks.paws_overruled,
        loss.ack_of_unsent,
        loss.ack_lost_segment,
    ),
)
ACKNOWLEDGED = Question(
    "Was all of it acknowledged before? Then why is it here?",
    (
        overtaking.captured_late,
        overtaking.same_packet,
        timers.ack_unheard,
        repetition.spurious_retransmission,
    ),
)
REPEATED = Question(
    "Does it begin with a number that was used before? Then why is it here?",
    (
        overtaking.overtaken_copy,
        overtaking.same_packet,
        timers.answered_already,
        timers.timer_again,
        repetition.smaller,
        repetition.fast_retransmission,
        repetition.no_room,
        repetition.recovery,
        repetition.told_by_sack,
        overtaking.out_of_order,
        repetition.repeated_syn,
        repetition.refused_syn,
        repetition.syn_after_answer,
        timers.ack_lost,
        repetition.fills_gap,
        timers.late_probe,
        timers.timeout,
        repetition.rack,
        timers.tail_loss_probe,
        repetition.retransmission,
    ),
)
GARBLED = Question("Is its checksum wrong?", (overlap.garbled,))
BYTES = Question(
    "If it repeats bytes, are they the same?",
    (overlap.bad_checksum, overlap.segment_overlap_conflict),
)
TIMESTAMP = Question("Is it an old duplicate?", (marks.paws,))
RESET = Question(
    "If it is a RST: why was it sent?",
    (
        refusals.unacceptable_ack,
        refusals.earlier_connection,
        refusals.refused,
        refusals.no_ack_of_syn,
        refusals.answers_old_ack,
        refusals.number_zero,
        refusals.challenged,
        refusals.out_of_window,
        refusals.not_next,
        refusals.gave_up,
        resets.ended_by_wire,
        resets.time_wait_assassination,
        resets.same_reason,
        resets.ack_after_reset,
        resets.after_reset,
        resets.unprompted_by_closed,
        resets.after_close,
        resets.program_stopped,
        resets.question_unanswered,
        resets.synack_unanswered,
        resets.repeated_in_vain,
        resets.unprompted_answer,
        resets.after_handshake,
        resets.no_connection,
        resets.half_open,
        resets.first_of_all,
        resets.not_accepted_yet,
        resets.unread_data,
        resets.aborted,
    ),
)
SYN = Question(
    "If it is a SYN: what does it open?",
    (
        opening.connection_syn,
        opening.connection_synack,
        opening.tfo_request,
        opening.tfo_syn,
        opening.tfo_cookie,
        opening.tfo_ack,
        opening.tfo_ignored,
    ),
    every=True,
)
FORGED = Question(
    "When a RST arrives that our wire forged: what does its receiver make of it?",
    (
        refusals.forged_in_vain,
        refusals.no_ack_of_syn,
        refusals.forged_taken,
        refusals.challenged,
        refusals.out_of_window,
        refusals.not_next,
    ),
)
FORGED_SYN = Question(
    "When a SYN arrives that our wire forged: what does its receiver make of it?",
    (forgeries.forged_syn, forgeries.forged_syn_believed, forgeries.forged_syn_late),
)
BELIEVED = Question(
    "Does it belong to what an end believes since our wire forged a SYN?",
    (forgeries.answers_forged, forgeries.resets_believer, forgeries.resets_forged),
)
MISLED = Question(
    "When it arrives at an end that believes a SYN which our wire forged: is it taken?",
    (forgeries.misled,),
)
STRAY = Question("If it is a SYN-ACK: is it one that is not taken?", (opening.stray_synack,))
FIN = Question(
    "If it is a FIN that was not sent before: which step of the close is it?",
    (closing.crossing_fin, closing.first_fin, closing.fin_with_ack, closing.second_fin),
)
DATA = Question("Does it carry data?", (data.data, data.nagle_delayed_ack), every=True)
MARKS = Question(
    "What else do its options and bits say?",
    (
        loss.rewritten_sack,
        loss.dsack,
        loss.sack,
        marks.urgent,
        marks.congestion_experienced,
        marks.ecn_offer,
        marks.ecn_agreement,
        marks.ecn_echo,
        marks.cwr,
        marks.ecn_counter,
        marks.mptcp,
        marks.sequence_wrap,
    ),
    every=True,
)
OFFLOAD = Question(
    "Does it leave work to a device?",
    (marks.segmentation_offload, marks.checksum_offload),
    every=True,
)
CLOCK = Question("Is its time before that of what came before it?", (marks.clock_step,))
PORTS = Question("Were its ports used before?", (opening.reused_ports,))
NEWLY = Question("When it arrives: are bytes acknowledged for the first time?", (data.ack,))
ARRIVAL = Question(
    "When it arrives: what else does its ACK change, or why does it change nothing?",
    (closing.fin_ack, opening.handshake_complete, opening.late_synack, overtaking.older_ack),
    every=True,
)

#: All questions, in the order in which they are asked.
QUESTIONS = (
    *(
        CLOCK,
        GARBLED,
        BELIEVED,
        PROBE,
        WINDOWS,
        DUPLICATE,
        LATE_ACK,
        CHALLENGE,
        UNSEEN,
        ACKNOWLEDGED,
        REPEATED,
        BYTES,
        TIMESTAMP,
    ),
    *(
        RESET,
        FORGED,
        FORGED_SYN,
        MISLED,
        STRAY,
        SYN,
        FIN,
        DATA,
        MARKS,
        OFFLOAD,
        PORTS,
        NEWLY,
        ARRIVAL,
    ),
)


def ordinary(seen: Seen) -> bool:
    """Whether a segment does just what is expected, so that ``judge`` would find nothing.

    It is on the path of every segment, hence one row of comparisons: in order, no control bit, no
    window closed, it acknowledges what was seen, it brings something new, and it leaves room.
    """
    segment, mine, theirs, ack = seen.segment, seen.mine, seen.theirs, seen.ack
    if (
        seen.seq != mine.next
        or segment.flags & CONTROL
        or ack is None
        or not segment.window
        or not theirs.window
        or (known := theirs.seen.up_to) is None
        or ack > known
    ):
        return False
    if not segment.length:
        return ack != mine.ack and mine.window != 0
    told = theirs.ack
    return (
        told is not None
        and seen.end > told
        and mine.window != 0
        and not (theirs.shift_known and seen.end == told + (theirs.window << theirs.shift))
    )


def judge(seen: Seen) -> None:
    """Find what is out of the ordinary in a segment's numbers; both halves are as before it.

    A question is passed over where one look tells that none of its rules can fit: every fifth
    segment comes here on a bad path.

    Source: RFC 9293 §3.8, RFC 5681 §3.2, RFC 1122 §4.2.3.6; the names are tshark's.
    """
    segment, mine, theirs, ack = seen.segment, seen.mine, seen.theirs, seen.ack
    length, window, following = segment.length, segment.window, mine.next
    plain = ack is not None and not segment.flags & CONTROL
    seen.pure = plain and not length and seen.seq == following
    seen.same_ack = seen.pure and ack == mine.ack
    asked = theirs.asked is not None
    if (not asked and seen.heard.window) or one(PROBE, seen) is None:
        same_window = window == mine.window
        if length or not window or seen.seq != following or not same_window:
            every(WINDOWS, seen)
        if seen.same_ack and window and same_window:
            one(DUPLICATE, seen)
        if plain and not length and seen.seq < following:
            one(LATE_ACK, seen)
        if plain and (asked or mine.ack is None or theirs.forged is not None):
            one(CHALLENGE, seen)
    known = theirs.seen.up_to
    if ack is not None and known is not None and ack > known:
        one(UNSEEN, seen)
    for fact in seen.found:
        if fact.again:
            seen.again = True
    if seen.end > seen.seq and not seen.again:
        _judge_repetition(seen)
    if seen.again:
        one(BYTES, seen)


def _judge_repetition(seen: Seen) -> None:
    garbled = overlap.garbled_before(seen) if seen.history.doubted else None
    if repetition.acknowledged_before(seen):
        question = ACKNOWLEDGED
    elif garbled is not None or repetition.used_before(seen):
        question = REPEATED
    else:
        return
    seen.original = seen.mine.flight.original(seen.seq) or garbled
    fact = one(question, seen)
    if fact is not None:
        seen.again = fact.again
        seen.copied = isinstance(fact, overtaking.COPIES)


def one(question: Question, seen: Seen) -> Fact | None:
    """Add the first answer to what was found, and return it."""
    for rule in question.rules:
        fact = rule(seen)
        if fact is not None:
            seen.found.append(fact)
            return fact
    return None


def every(question: Question, seen: Seen) -> None:
    """Add each answer to what was found."""
    for rule in question.rules:
        fact = rule(seen)
        if fact is not None:
            seen.found.append(fact)
