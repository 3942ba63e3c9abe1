"""A note -> the sentence that says why, and where the rule comes from."""

from __future__ import annotations

from typing import NamedTuple

from trioecho.model import OTHER, End, Fact, Options, Rung, State
from trioecho.tcp import notes
from trioecho.tcp.causes import DUPLICATE_ACK, RESET_CAUSES, RETRANSMISSION
from trioecho.text import bytes_of, seconds


class Explanation(NamedTuple):
    """A sentence without a full stop, and its source."""

    text: str
    source: str


def explain(note: Fact, rung: Rung) -> Explanation:
    """Say a note in words.

    Args:
        note: one of the rung's notes.
        rung: the rung, which tells who sent it.

    Returns:
        The sentence, and the section that states the rule behind it.
    """
    mine = rung.sender
    theirs = OTHER[mine]
    match note:  # what is said most often comes first
        case notes.Data(length=length, missing=missing):
            cut = f", {bytes_of(missing)} of them cut off by the capture" if missing else ""
            return Explanation(f"the {mine} sends {bytes_of(length)}{cut}", "RFC 9293 §3.7")
        case notes.Ack(length, pure, of, rtt):
            which = f", up to rung {of}" if of is not None else ""
            after = f", {seconds(rtt)} ago" if rtt is not None else ""
            how = "a pure ACK" if pure else "piggybacked on it the ACK"
            text = f"{how}: {bytes_of(length)} arrived{which}{after}"
            return Explanation(text, "RFC 9293 §3.8")
        case notes.ConnectionSyn(simultaneous=True):
            return Explanation(
                f"the {mine} opens too, before the other's SYN has come: a simultaneous open",
                "RFC 9293 §3.5",
            )
        case notes.ConnectionSyn():
            return Explanation(
                f"1 of 3: the {mine} opens, and offers {offer(rung.segment.options)}",
                "RFC 9293 §3.5",
            )
        case notes.ConnectionSynack(simultaneous=True):
            return Explanation(
                f"the {mine} acknowledges the SYN that crossed its own, and sends that once more",
                "RFC 9293 §3.5, figure 7",
            )
        case notes.ConnectionSynack():
            return Explanation(
                f"2 of 3: the {mine} agrees and opens its direction with"
                f" {offer(rung.segment.options)}",
                "RFC 9293 §3.5",
            )
        case notes.TfoRequest():
            return Explanation(
                f"Fast Open: the {mine} asks for a cookie, to send data with its SYN next time",
                "RFC 7413 §4.2.1",
            )
        case notes.TfoCookie(length):
            return Explanation(
                f"Fast Open: the {mine} gives a cookie of {bytes_of(length)} for the next time",
                "RFC 7413 §4.2.1",
            )
        case notes.TfoSyn(length):
            return Explanation(
                f"Fast Open: the {mine} shows its cookie and sends {bytes_of(length)} with the SYN",
                "RFC 7413 §4.2.2",
            )
        case notes.TfoAck(length, cookie=False):
            return Explanation(
                f"the {mine} takes {bytes_of(length)} that came with the SYN, without a Fast Open"
                " cookie",
                "RFC 9293 §3.10.7.2",
            )
        case notes.TfoAck(length):
            return Explanation(
                f"Fast Open: the {mine} takes {bytes_of(length)} that came with the SYN",
                "RFC 7413 §4.2.2",
            )
        case notes.TfoIgnored(length, cookie=False):
            return Explanation(
                f"the {mine} does not take the SYN's {bytes_of(length)}, which came without a Fast"
                f" Open cookie: the {theirs} must send them again",
                "RFC 7413 §4.2.2",
            )
        case notes.TfoIgnored(length):
            return Explanation(
                f"Fast Open not taken: the {theirs} must send the SYN's {bytes_of(length)} again",
                "RFC 7413 §4.2.2",
            )
        case notes.HandshakeComplete(duration, simultaneous):
            took = "" if duration is None else f"; the handshake took {seconds(duration)}"
            step = "" if simultaneous else "3 of 3: "
            return Explanation(f"{step}both ends know{took}", "RFC 9293 §3.5")
        case notes.ConnectionFin(simultaneous=True):
            return Explanation(
                f"the {mine} closes too, before the other's FIN has come: a simultaneous close",
                "RFC 9293 §3.6, case 3",
            )
        case notes.ConnectionFin(step=1):
            return Explanation(
                f"1 of 4: the {mine} closes its direction: it sends no more, but still receives",
                "RFC 9293 §3.6",
            )
        case notes.ConnectionFin(acknowledges=True):
            return Explanation(
                f"2 and 3 of 4: the {mine} acknowledges that and closes its own direction too",
                "RFC 9293 §3.6",
            )
        case notes.ConnectionFin():
            return Explanation(f"3 of 4: the {mine} closes its direction too", "RFC 9293 §3.6")
        case notes.FinAck(crossed=True):
            return Explanation(
                f"the {mine} acknowledges the FIN that crossed its own: both ends will wait in"
                " TIME-WAIT",
                "RFC 9293 §3.6, case 3",
            )
        case notes.FinAck(step=2, closed=True):
            return Explanation(
                f"2 of 4: the {mine} knows the {theirs} will send no more; nor will it",
                "RFC 9293 §3.6",
            )
        case notes.FinAck(step=2):
            return Explanation(
                f"2 of 4: the {mine} knows the {theirs} will send no more; it may still send",
                "RFC 9293 §3.6",
            )
        case notes.FinAck(time_wait=True):
            return Explanation(
                f"4 of 4: closed; the {mine} waits in TIME-WAIT, in case this ACK is lost",
                "RFC 9293 §3.6",
            )
        case notes.FinAck():
            return Explanation("4 of 4: closed", "RFC 9293 §3.6")
        case notes.ConnectionRst(cause):
            text, source = RESET_CAUSES[cause]
            return Explanation(text.format(mine=mine, theirs=theirs), source)
        case notes.Retransmission(of, after, "same-packet"):
            return Explanation(
                f"the very packet{_of(of)} again{_later(after)}, by its IP identification: it"
                " passes here twice, or was doubled on its way",
                "RFC 791 §3.2",
            )
        case notes.Retransmission(of, after, cause, acked):
            text, source = RETRANSMISSION[cause]
            where = f" in rung {acked}" if acked is not None else ""
            why = text.format(mine=mine, theirs=theirs, acked=where)
            return Explanation(f"retransmission{_of(of)}{_later(after)}{why}", source)
        case notes.FastRetransmission(of, after, duplicates) if duplicates < 2:
            return Explanation(
                f"fast retransmission{_of(of)}{_later(after)}: SACK told that it is missing",
                "RFC 6675 §5",
            )
        case notes.FastRetransmission(of, after, duplicates):
            return Explanation(
                f"fast retransmission{_of(of)}{_later(after)}:"
                f" duplicate ACKs ask for it, {duplicates} so far",
                "RFC 5681 §3.2",
            )
        case notes.SpuriousRetransmission(of, after):
            return Explanation(
                f"spurious retransmission{_of(of)}{_later(after)}: it had been acknowledged",
                "RFC 3522",
            )
        case notes.OutOfOrder(behind, int() as of):
            return Explanation(
                f"out of order: the very packet of rung {of} again, by its IP identification,"
                f" {bytes_of(behind)} behind the newest",
                "RFC 791 §3.2",
            )
        case notes.OutOfOrder(acknowledged=True):
            return Explanation(
                "captured late: what acknowledges it was captured before it", "RFC 9293 §3.4"
            )
        case notes.OutOfOrder(behind):
            return Explanation(
                f"out of order: overtaken on its way, {bytes_of(behind)} behind the newest",
                "RFC 9293 §3.10.7.4",
            )
        case notes.LostSegment(missing):
            return Explanation(
                f"a gap: {bytes_of(missing)} before this {'has' if missing == 1 else 'have'} not"
                " been seen",
                "RFC 9293 §3.4",
            )
        case notes.AckLostSegment(missing) if _opens(rung, theirs):
            return Explanation(
                f"it acknowledges {bytes_of(missing)} that the {theirs} cannot have sent yet, and"
                " that changes nothing there",
                "RFC 9293 §3.10.7.3 and §3.10.7.4",
            )
        case notes.AckLostSegment(missing):
            return Explanation(
                f"it acknowledges {bytes_of(missing)} never seen here: the capture missed"
                f" {'it' if missing == 1 else 'them'}",
                "RFC 9293 §3.4",
            )
        case notes.DuplicateAck(cause="same-packet"):
            return Explanation(
                "the very packet of the last ACK again, by its IP identification: it passes here"
                " twice, or was doubled on its way",
                "RFC 791 §3.2",
            )
        case notes.DuplicateAck(count, of, cause):
            text, source = DUPLICATE_ACK[cause]
            return Explanation(f"duplicate ACK number {count}{_of(of)}: the {mine} {text}", source)
        case notes.Sack(blocks, outside=True):
            return Explanation(
                f"the {mine} says it has {_bytes(*blocks)} (SACK), but nothing near was ever sent:"
                " the numbers were rewritten on the way",
                "RFC 2018 §3",
            )
        case notes.Sack(blocks):
            return Explanation(
                f"the {mine} lacks some, but has {_bytes(*blocks)} (SACK)", "RFC 2018 §3"
            )
        case notes.Dsack(first=0, end=1):
            return Explanation(
                f"the {mine} has had the {theirs}'s SYN before (DSACK): it came twice",
                "RFC 2883 §4",
            )
        case notes.Dsack(first, end, of, copy=True):
            return Explanation(
                f"the {mine} got {_bytes((first, end))} twice (DSACK): the copy in rung {of}, too",
                "RFC 2883 §4",
            )
        case notes.Dsack(first, end, of):
            which = f"the retransmission in rung {of}" if of is not None else "a retransmission"
            return Explanation(
                f"the {mine} got {_bytes((first, end))} twice (DSACK): {which} was spurious",
                "RFC 2883 §4",
            )
        case notes.SegmentOverlapConflict(of, at):
            return Explanation(
                f"from byte {at} on it differs from what rung {of} sent: somebody tampers, or the"
                " sender is broken",
                "RFC 9293 §3.10.7.4",
            )
        case notes.ChallengeAck("half-open"):
            return Explanation(
                f"challenge ACK: for the {mine} an earlier connection of these ports is still open,"
                " and it says where that stands; a RST will end it",
                "RFC 9293 §3.5.1, figure 9",
            )
        case notes.ChallengeAck(asked):
            what = "reset" if asked == "reset" else "SYN"
            return Explanation(
                f"challenge ACK: the {mine} does not believe the {what}, and says where it stands",
                "RFC 5961 §3.2 and §4.2",
            )
        case notes.Paws(behind):
            return Explanation(
                f"its timestamp is {behind} older than the newest: an old duplicate, and whatever"
                " it says, it is dropped",
                "RFC 7323 §5.3",
            )
        case notes.SequenceWrap():
            return Explanation(
                "the raw sequence number passes 2**32 here and starts again at 0", "RFC 9293 §3.4"
            )
        case notes.NagleDelayedAck(waited):
            return Explanation(
                f"it had to wait {seconds(waited)} for the ACK of another small segment: Nagle's"
                " algorithm meets delayed ACK",
                "RFC 9293 §3.7.4, RFC 1122 §4.2.3.2",
            )
        case notes.Urgent(pointer):
            return Explanation(f"urgent data, up to {bytes_of(pointer)} on", "RFC 9293 §3.8.5")
        case notes.EcnSetup(accurate):
            kind = "accurate ECN" if accurate else "ECN"
            return Explanation(
                f"the {mine} can tell of congestion without loss ({kind})",
                "RFC 9768 §3.1" if accurate else "RFC 3168 §6.1.1",
            )
        case notes.CongestionExperienced():
            return Explanation("a router on the way marked it: congestion", "RFC 3168 §5")
        case notes.EcnEcho():
            return Explanation(
                f"the {mine} tells that marked segments arrived: slow down", "RFC 3168 §6.1.3"
            )
        case notes.EcnCounter(marked):
            return Explanation(
                f"the {mine}'s counter of marked packets: {marked} (modulo 8)", "RFC 9768 §3.2.2"
            )
        case notes.Cwr():
            return Explanation(f"the {mine} has slowed down", "RFC 3168 §6.1.2")
        case notes.Mptcp(subtype):
            return Explanation(f"Multipath TCP: {subtype}", "RFC 8684 §3")
        case notes.KeepAlive():
            return Explanation(
                f"keep-alive: the {mine} asks whether the {theirs} is still there",
                "RFC 9293 §3.8.4",
            )
        case notes.KeepAliveAck():
            return Explanation(f"the answer: the {mine} is still there", "RFC 9293 §3.8.4")
        case notes.ZeroWindow(over=True):
            return Explanation(
                f"zero window: the {mine} needs no room, since nothing more can come",
                "RFC 9293 §3.6",
            )
        case notes.ZeroWindow(still=True):
            return Explanation(f"zero window: the {mine} still has no room", "RFC 9293 §3.8.6")
        case notes.ZeroWindow():
            return Explanation(
                f"zero window: the {mine}'s receive buffer is full, its program reads too slowly",
                "RFC 9293 §3.8.6",
            )
        case notes.ZeroWindowProbe():
            return Explanation(
                f"zero-window probe: the {mine} asks whether there is room again",
                "RFC 9293 §3.8.6.1",
            )
        case notes.ZeroWindowProbeAck():
            return Explanation("the answer: still no room", "RFC 9293 §3.8.6.1")
        case notes.WindowUpdate(window):
            return Explanation(
                f"window update: the {mine} now has room for {bytes_of(window)}",
                "RFC 9293 §3.8.6.2.2",
            )
        case notes.WindowFull():
            return Explanation(
                f"window full: the {mine} may send no more until the {theirs} makes room",
                "RFC 9293 §3.8.6",
            )
        case notes.ReusedPorts(of):
            return Explanation(
                f"the ports of connection {of} are used again for a new one", "RFC 9293 §3.4.1"
            )
        case notes.SegmentationOffload(length, mss):
            return Explanation(
                f"{bytes_of(length)} in one segment, more than an Ethernet frame holds: "
                + (
                    "it is split later, or was merged before, by the device (offload); not an error"
                    if length > mss
                    else f"this interface takes up to {bytes_of(mss)} at once; not an error"
                ),
                "RFC 9293 §3.7.1",
            )
        case notes.ChecksumOffload():
            return Explanation(
                "its checksum is not filled in: that is the device's work, and loopback has none"
                " (offload); not an error",
                "RFC 9293 §3.1",
            )
        case _:
            raise AssertionError(note)


def offer(options: Options) -> str:
    """The options of a SYN in words.

    Args:
        options: the SYN's options.

    Returns:
        Such as ``mss 1460, window scale 7, SACK``.
    """
    words = []
    if options.mss is not None:
        words.append(f"mss {options.mss}")
    if options.window_scale is not None:
        words.append(f"window scale {options.window_scale}")
    if options.sack_permitted:
        words.append("SACK")
    if options.timestamps is not None:
        words.append("timestamps")
    return ", ".join(words) or "no options"


def _opens(rung: Rung, end: End) -> bool:
    """Whether an end still waits for the ACK of its SYN."""
    state = rung.client_state if end == "client" else rung.server_state
    return state is State.SYN_SENT or state is State.SYN_RECEIVED


def _of(number: int | None) -> str:
    return f" of rung {number}" if number is not None else ""


def _later(after: int | None) -> str:
    return f" after {seconds(after)}" if after is not None else ""


def _bytes(*blocks: tuple[int, int]) -> str:
    ranges = (f"{left} to {right - 1}" if right - left > 1 else f"{left}" for left, right in blocks)
    one = len(blocks) == 1 and blocks[0][1] - blocks[0][0] == 1
    return ("byte " if one else "bytes ") + ", ".join(ranges)
