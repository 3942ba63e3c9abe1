"""How a connection opens: the handshake and Fast Open."""

from __future__ import annotations

from trioecho.model import SYN, Fact, Rung, State
from trioecho.model.option_words import offer
from trioecho.tcp.rules.words import ends, passed
from trioecho.tcp.states import OPENING
from trioecho.tcp.step import Seen
from trioecho.text import bytes_of, seconds


class ConnectionSyn(Fact, frozen=True, tag="connection-syn"):
    """A SYN opens a connection.

    ``simultaneous``: the other end has sent one as well, and neither answers the other.
    """

    simultaneous: bool = False

    implied = True
    source = "RFC 9293 §3.5"

    def text(self, rung: Rung) -> str:
        mine = rung.sender
        if self.simultaneous:
            return f"the {mine} opens too, before the other's SYN has arrived: a simultaneous open"
        return f"1 of 3: the {mine} opens, and offers {offer(rung.segment.options)}"


class LateSyn(ConnectionSyn, frozen=True):
    """A SYN that the capture has behind what answers it."""

    late: bool = True

    def text(self, rung: Rung) -> str:
        offered = offer(rung.segment.options)
        return f"1 of 3, captured late: the {rung.sender} had opened, and offered {offered}"


def connection_syn(seen: Seen) -> ConnectionSyn | None:
    """It is a SYN without an ACK, at the ISN and for the first time."""
    if seen.ack is not None or seen.again:
        return None
    # A SYN-ACK that was seen too early answers this one, and crosses nothing.
    crosses = seen.theirs.syn_seen and not seen.theirs.passive
    return LateSyn() if seen.mine.acked and not crosses else ConnectionSyn(crosses)


class ConnectionSynack(Fact, frozen=True, tag="connection-synack"):
    """A SYN that acknowledges the other end's SYN.

    ``simultaneous``: its sender has sent its SYN before, and repeats it with the ACK.
    """

    simultaneous: bool = False

    implied = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.5, figure 7" if self.simultaneous else "RFC 9293 §3.5"

    def text(self, rung: Rung) -> str:
        mine = rung.sender
        if self.simultaneous:
            return f"the {mine} acknowledges the SYN that crossed its own, and sends its own again"
        return f"2 of 3: the {mine} agrees and opens its direction with" + (
            f" {offer(rung.segment.options)}"
        )


def connection_synack(seen: Seen) -> ConnectionSynack | None:
    """It is a SYN with an ACK of what the peer has sent, for the first time."""
    if seen.ack is None or seen.again or not seen.theirs.accepts(seen.ack):
        return None
    return ConnectionSynack(simultaneous(seen))


class StraySynack(Fact, frozen=True, tag="stray-synack"):
    """A SYN-ACK that its receiver does not take.

    ``established``: it has another ISN than the one that was acknowledged; if not, it does not
    acknowledge the SYN.
    """

    established: bool = False

    trouble = True

    @property
    def source(self) -> str:
        return "RFC 5961 §4" if self.established else "RFC 9293 §3.10.7.3"

    def text(self, rung: Rung) -> str:
        theirs = ends(rung)[1]
        if self.established:
            return (
                f"a SYN-ACK with another ISN, while the {theirs} has a connection with the first:"
                " it does not take this one, and may answer with an ACK"
            )
        return (
            f"a SYN-ACK that does not acknowledge the {theirs}'s SYN: the {theirs} does not take"
            " it, and may answer with a RST"
        )


def stray_synack(seen: Seen) -> StraySynack | None:
    """It is a SYN-ACK that does not stand at the ISN of its sender, or does not acknowledge the SYN
    of a peer in SYN-SENT."""
    theirs = seen.theirs
    if seen.ack is None:
        return None
    if seen.seq:
        return StraySynack(established=True) if theirs.state not in OPENING else None
    if theirs.state is State.SYN_SENT and theirs.syn_seen and seen.ack <= 0:
        return StraySynack()
    return None


def simultaneous(seen: Seen) -> bool:
    """Whether both ends have sent a SYN without an ACK: neither has opened passively."""
    one, other = seen.mine, seen.theirs
    return not one.passive and not other.passive and one.syn_seen and other.syn_seen


class TfoRequest(Fact, frozen=True, tag="tfo-request"):
    """A SYN that asks for a Fast Open cookie."""

    source = "RFC 7413 §4.2.1"

    def text(self, rung: Rung) -> str:
        mine = rung.sender
        return f"Fast Open: the {mine} asks for a cookie, to send data with its SYN next time"


def tfo_request(seen: Seen) -> TfoRequest | None:
    """It is a SYN with an empty Fast Open option."""
    return TfoRequest() if seen.ack is None and seen.segment.options.fast_open == b"" else None


class TfoSyn(Fact, frozen=True, tag="tfo-syn"):
    """A SYN with a Fast Open cookie; ``length`` bytes of data came with it."""

    length: int

    source = "RFC 7413 §4.2.2"

    def text(self, rung: Rung) -> str:
        sends = f"sends {bytes_of(self.length)} with the SYN"
        return f"Fast Open: the {rung.sender} presents its cookie and {sends}"


def tfo_syn(seen: Seen) -> TfoSyn | None:
    """It is a SYN with a Fast Open cookie."""
    if seen.ack is None and seen.segment.options.fast_open:
        return TfoSyn(seen.segment.length)
    return None


class TfoCookie(Fact, frozen=True, tag="tfo-cookie"):
    """A SYN-ACK that gives a Fast Open cookie of ``length`` bytes."""

    length: int

    source = "RFC 7413 §4.2.1"

    def text(self, rung: Rung) -> str:
        size = bytes_of(self.length)
        return f"Fast Open: the {rung.sender} gives a cookie of {size} for the next time"


def tfo_cookie(seen: Seen) -> TfoCookie | None:
    """It is a SYN-ACK with a Fast Open cookie."""
    cookie = seen.segment.options.fast_open
    return TfoCookie(len(cookie)) if seen.ack is not None and cookie else None


class TfoAck(Fact, frozen=True, tag="tfo-ack"):
    """A SYN-ACK that takes ``length`` bytes of the SYN's data; ``cookie``: that showed one."""

    length: int
    cookie: bool = True

    @property
    def source(self) -> str:
        return "RFC 7413 §4.2.2" if self.cookie else "RFC 9293 §3.10.7.2"

    def text(self, rung: Rung) -> str:
        takes = f"the {rung.sender} accepts {bytes_of(self.length)} that came with the SYN"
        return f"Fast Open: {takes}" if self.cookie else f"{takes}, without a Fast Open cookie"


def tfo_ack(seen: Seen) -> TfoAck | None:
    """It is a SYN-ACK that acknowledges a byte or more of the data on the peer's SYN."""
    sent = seen.theirs.syn_data
    if not sent or seen.ack is None or seen.ack <= 1:
        return None
    return TfoAck(min(seen.ack - 1, sent), seen.theirs.syn_cookie)


class TfoIgnored(Fact, frozen=True, tag="tfo-ignored"):
    """A SYN-ACK that takes none of the SYN's ``length`` bytes; ``cookie``: as in ``TfoAck``."""

    length: int
    cookie: bool = True

    source = "RFC 7413 §4.2.2"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        size = bytes_of(self.length)
        if self.cookie:
            return f"Fast Open not accepted: the {theirs} must send the SYN's {size} again"
        return (
            f"the {mine} does not accept the SYN's {size}, which came without a Fast"
            f" Open cookie: the {theirs} must send them again"
        )


def tfo_ignored(seen: Seen) -> TfoIgnored | None:
    """It is a SYN-ACK that acknowledges the peer's SYN but none of the data on it."""
    sent = seen.theirs.syn_data
    if not sent or seen.ack is None or seen.ack > 1:
        return None
    return TfoIgnored(sent, seen.theirs.syn_cookie)


class HandshakeComplete(Fact, frozen=True, tag="handshake-complete"):
    """The ACK of the SYN-ACK.

    ``duration``: since the first SYN, None when that was not seen, or the capture's clock was set.

    ``simultaneous``: both ends have sent a SYN without an ACK first, and this is no third step.
    """

    duration: int | None
    simultaneous: bool = False

    implied = True
    source = "RFC 9293 §3.5"

    def text(self, rung: Rung) -> str:
        took = "" if self.duration is None else f"; the handshake took {seconds(self.duration)}"
        step = "" if self.simultaneous else "3 of 3: "
        return f"{step}both ends know{took}"

    def learn(self, seen: Seen) -> None:
        history = seen.history
        history.underway = False
        history.handshake_time = self.duration
        if self.duration is not None:
            history.initial_rtt = passed(history.last_syn, seen.arrival)
        if seen.theirs.next == 1:
            seen.mine.tap_rtt = passed(seen.theirs.next_time, seen.time) or 0


def handshake_complete(seen: Seen) -> HandshakeComplete | None:
    """It is the first ACK to arrive with which both ends are synchronized, and no SYN, unless both
    ends have sent one without an ACK."""
    if not seen.opens or seen.mine.state in OPENING or seen.theirs.state in OPENING:
        return None
    both = simultaneous(seen)
    if seen.segment.flags & SYN and not both:
        return None  # the second step, whatever came with the first
    first = seen.history.first_syn
    return HandshakeComplete(None if first is None else passed(first, seen.arrival), both)


class LateSynack(Fact, frozen=True, tag="late-synack"):
    """A SYN-ACK for a client that has given up."""

    trouble = True
    source = "RFC 9293 §3.10.7.1"

    def text(self, rung: Rung) -> str:
        return f"too late: the {ends(rung)[1]} has given up, and has no such connection any more"


def late_synack(seen: Seen) -> LateSynack | None:
    """It is a SYN-ACK, and its receiver is known to have given up, by a call or by its kernel."""
    answers = seen.segment.flags & SYN and seen.ack is not None
    told = seen.history.told
    return LateSynack() if answers and told is not None and told.gave_up else None


class ReusedPorts(Fact, frozen=True, tag="reused-ports"):
    """A new connection between the endpoints of connection ``of``."""

    of: int

    source = "RFC 9293 §3.4.1"

    def text(self, rung: Rung) -> str:
        return f"the ports of connection {self.of} are used again for a new one"

    def learn(self, seen: Seen) -> None:
        seen.history.reuses = None


def reused_ports(seen: Seen) -> ReusedPorts | None:
    """It is a SYN with another ISN than the one before it on these ports, or behind a close of both
    directions."""
    return None if seen.history.reuses is None else ReusedPorts(seen.history.reuses)
