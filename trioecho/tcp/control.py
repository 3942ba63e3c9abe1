"""SYN and FIN: how a connection opens and closes."""

from __future__ import annotations

from typing import Literal

from trioecho.model import State
from trioecho.tcp import knowledge, notes
from trioecho.tcp.half import Half
from trioecho.tcp.states import Event
from trioecho.tcp.step import Step


def syn(step: Step) -> None:
    """A SYN or a SYN-ACK leaves its sender."""
    segment, mine, first = step.segment, step.mine, step.ack is None
    if first:
        mine.passive = False
        mine.syn_data, mine.cookie = segment.length, bool(segment.options.fast_open)
    else:
        mine.answered = True
    mine.meet(Event.SEND_SYN if first else Event.SEND_SYN_ACK, step.time)
    mine.syn_seen = True
    mine.mss = segment.options.mss
    mine.scale = segment.options.window_scale
    if not step.again:
        theirs = step.theirs
        if first:
            # A SYN-ACK that was seen too early answers this one, and crosses nothing.
            crossed = theirs.syn_seen and not theirs.passive
            step.found.append(notes.ConnectionSyn(crossed))
        elif knowledge.acceptable(step.ack or 0, theirs):
            step.found.append(notes.ConnectionSynack(simultaneous(mine, theirs)))
    _fast_open(step)


def simultaneous(one: Half, other: Half) -> bool:
    """Whether both ends have sent a SYN without an ACK: neither has opened passively."""
    return not one.passive and not other.passive and one.syn_seen and other.syn_seen


def fin(step: Step, first_fin: Half | None) -> bool:
    """A FIN leaves its sender.

    Args:
        step: the segment.
        first_fin: the half that closed first, if one has.

    Returns:
        Whether it crosses the peer's: that was sent too, and this does not acknowledge it.
    """
    mine, theirs = step.mine, step.theirs
    crossed = theirs.fin is not None and (step.ack is None or step.ack <= theirs.fin)
    if not step.again:
        which, answers = _fin_step(step, first_fin)
        step.found.append(notes.ConnectionFin(which, answers, crossed))
    between = mine.state is State.CLOSE_WAIT and crossed
    mine.meet(Event.SEND_FIN_BEFORE_THEIRS if between else Event.SEND_FIN, step.time)
    return crossed


def _fast_open(step: Step) -> None:
    """Note what a SYN or a SYN-ACK says of Fast Open: its cookie, data on the SYN (RFC 7413)."""
    cookie = step.segment.options.fast_open
    if step.ack is None:
        if cookie is not None:
            length = step.segment.length
            step.found.append(notes.TfoSyn(length) if cookie else notes.TfoRequest())
        return
    if cookie:
        step.found.append(notes.TfoCookie(len(cookie)))
    if sent := step.theirs.syn_data:
        taken = min(step.ack - 1, sent)
        shown = step.theirs.cookie
        took = notes.TfoAck(taken, shown) if taken > 0 else notes.TfoIgnored(sent, shown)
        step.found.append(took)


def _fin_step(step: Step, first_fin: Half | None) -> tuple[Literal[1, 3], bool]:
    """Which step of the close a FIN is, and whether it carries the ACK of the peer's FIN too."""
    if first_fin is None or first_fin is step.mine:
        return 1, False
    fin, acked = step.theirs.fin, step.mine.ack
    if step.ack is None or fin is None or step.ack <= fin:
        return 3, False
    return 3, acked is None or acked <= fin
