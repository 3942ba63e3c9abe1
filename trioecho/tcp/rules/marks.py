"""What a segment's options and bits say beyond sequence and window; each is rare."""

from __future__ import annotations

from typing import Literal

from trioecho.model import ACK, AE, CWR, ECE, ECN, RST, SYN, URG, End, Fact, Rung, State
from trioecho.model.sequence import SPACE, distance
from trioecho.tcp.history import LATE
from trioecho.tcp.rules.overtaking import older_ack
from trioecho.tcp.step import Seen
from trioecho.text import bytes_of, seconds

# What an Ethernet frame of 1500 bytes has room for, and what a jumbo frame of 9000 has.
ETHERNET_MSS, JUMBO_MSS = 1460, 8960

_CONGESTION_EXPERIENCED = 3
# AccECN's counter of marked packets starts at 5, so that no marks are not mistaken for no counter,
# and has three bits; on the ACK of a SYN-ACK it tells instead how that arrived: 6 is marked
# (RFC 9768 §3.2.2).
_START, _COUNTER, _SYNACK_MARKED = 5, 8, 6
# Linux takes a timestamp one tick behind (TCP_PAWS_WINDOW); RFC 7323 §5.3 would drop it.
_TICKS = 1
# A timestamp that is older says nothing any more (RFC 7323 §5.5).
_LASTS = 24 * 86_400 * 1_000_000_000


class Paws(Fact, frozen=True, tag="paws"):
    """Its timestamp is ``behind`` the newest: an old duplicate, which the receiver drops."""

    behind: int

    trouble = dropped = True
    source = "RFC 7323 §5.3"

    def text(self, rung: Rung) -> str:
        return (
            f"its timestamp is {self.behind} older than the newest: an old duplicate, dropped"
            " whatever it carries"
        )


def paws(seen: Seen) -> Paws | None:
    """Its timestamp is two ticks or more older than the newest that arrived in order, which came in
    the last 24 days; timestamps may have been agreed on; and it is no SYN or RST (RFC 7323 §5.3,
    §5.5). Nor is it an ACK that was merely overtaken."""
    mine, stamps, recent = seen.mine, seen.segment.options.timestamps, seen.mine.ts_recent
    if stamps is None or recent is None or seen.segment.flags & (SYN | RST):
        return None
    behind = -distance(stamps[0], recent)
    if behind <= _TICKS or not seen.history.timestamps or outdated(seen) or older_ack(seen):
        return None
    told = seen.theirs.ack
    if seen.seq < 1 and not mine.syn_seen and (told is None or told < seen.end):
        return None  # it may be what came before the first that was seen
    return Paws(behind)


def outdated(seen: Seen) -> bool:
    """Whether its sender was silent for so long that its last timestamp counts no more."""
    mine = seen.mine
    return seen.time - (mine.ack_time or mine.next_time) > _LASTS


class PawsOverruled(Fact, frozen=True, tag="paws-overruled"):
    """It acknowledges rung ``of``, which seemed to be an old duplicate."""

    of: int

    source = "RFC 7323 §5.3"

    def text(self, rung: Rung) -> str:
        return (
            f"the {rung.sender} has taken rung {self.of} all the same: it does not drop what has an"
            " old timestamp"
        )


def paws_overruled(seen: Seen) -> PawsOverruled | None:
    """It acknowledges, beyond all that was seen, no more than what seemed to be dropped."""
    one = overruled(seen)
    return None if one is None else PawsOverruled(one.number)


def overruled(seen: Seen) -> Seen | None:
    """The last of the segments that seemed to be dropped, and without which its ACK cannot be."""
    theirs, ack = seen.theirs, seen.acknowledges
    known = theirs.seen.up_to or 0
    one: Seen
    for one in seen.history.doubted:
        if one.mine is theirs and one.seq <= known < one.end:
            known = one.end
            if ack <= known:
                return one
    return None


class Urgent(Fact, frozen=True, tag="urgent"):
    """Urgent data up to ``pointer`` bytes from its first sequence number."""

    pointer: int

    source = "RFC 9293 §3.8.5"

    def text(self, rung: Rung) -> str:
        return f"urgent data, up to {bytes_of(self.pointer)} on"


def urgent(seen: Seen) -> Urgent | None:
    """The URG bit is set."""
    return Urgent(seen.segment.urgent) if seen.segment.flags & URG else None


# ---- congestion ----------------------------------------------------------------------------------


class CongestionExperienced(Fact, frozen=True, tag="congestion-experienced"):
    """A router on the way marked it instead of dropping it (ECN field CE)."""

    source = "RFC 3168 §5"

    def text(self, rung: Rung) -> str:
        return "a router on the way marked it: congestion"


def congestion_experienced(seen: Seen) -> CongestionExperienced | None:
    """The ECN field of its IP header is 3."""
    return CongestionExperienced() if seen.segment.ecn == _CONGESTION_EXPERIENCED else None


class EcnSetup(Fact, frozen=True, tag="ecn-setup"):
    """Its SYN offers or agrees to Explicit Congestion Notification; ``accurate``: AccECN."""

    accurate: bool = False

    implied = True

    @property
    def source(self) -> str:
        return "RFC 9768 §3.1" if self.accurate else "RFC 3168 §6.1.1"

    def text(self, rung: Rung) -> str:
        kind = "accurate ECN" if self.accurate else "ECN"
        return f"the {rung.sender} can signal congestion without loss ({kind})"


def ecn_offer(seen: Seen) -> EcnSetup | None:
    """It is a SYN with the bits ECE and CWR, or for accurate ECN with AE, too."""
    bits = seen.segment.flags & ECN
    if not seen.segment.flags & SYN or seen.segment.flags & ACK:
        return None
    return EcnSetup(accurate=bits == ECN) if bits in (ECE | CWR, ECN) else None


def ecn_agreement(seen: Seen) -> EcnSetup | None:
    """It is a SYN-ACK with bits that agree to what the peer's SYN offered."""
    agreed = ecn_agreed(seen)
    return EcnSetup(accurate=agreed == "accurate") if agreed else None


def ecn_agreed(seen: Seen) -> Literal["accurate", "classic", ""]:
    """What a SYN-ACK agrees to. One that mirrors the SYN's bits agrees to nothing.

    ECE with or without AE (once a nonce) is RFC 3168's answer. The table is RFC 9768's table 2.
    """
    flags = seen.segment.flags
    if not (flags & SYN and flags & ACK):
        return ""
    bits, known = flags & ECN, seen.theirs.syn_seen
    offer = seen.theirs.syn_ecn if known else ECN
    if offer == ECN and (bits in (CWR, AE, AE | CWR) or (known and bits == CWR | ECE)):
        return "accurate"
    return "classic" if offer in (ECE | CWR, ECN) and bits in (ECE, ECE | AE) else ""


class EcnEcho(Fact, frozen=True, tag="ecn-echo"):
    """It tells the peer that marked segments have arrived (ECE)."""

    source = "RFC 3168 §6.1.3"

    def text(self, rung: Rung) -> str:
        return f"the {rung.sender} reports that marked segments arrived: slow down"


def ecn_echo(seen: Seen) -> EcnEcho | None:
    """The ECE bit is set, it is no SYN, and accurate ECN was not agreed on."""
    flags = seen.segment.flags
    return EcnEcho() if flags & ECE and not flags & SYN and seen.mine.ce_counted is None else None


class Cwr(Fact, frozen=True, tag="cwr"):
    """It tells the peer that it has slowed down (CWR)."""

    source = "RFC 3168 §6.1.2"

    def text(self, rung: Rung) -> str:
        return f"the {rung.sender} has slowed down"


def cwr(seen: Seen) -> Cwr | None:
    """The CWR bit is set, it is no SYN, and accurate ECN was not agreed on."""
    flags = seen.segment.flags
    return Cwr() if flags & CWR and not flags & SYN and seen.mine.ce_counted is None else None


class EcnCounter(Fact, frozen=True, tag="ecn-counter"):
    """It has counted ``marked`` packets with CE so far, modulo 8 (the ACE field of AccECN)."""

    marked: int

    source = "RFC 9768 §3.2.2"

    def text(self, rung: Rung) -> str:
        return f"the {rung.sender}'s counter of marked packets: {self.marked} (modulo 8)"

    def learn(self, seen: Seen) -> None:
        seen.mine.ce_counted = self.marked


def ecn_counter(seen: Seen) -> EcnCounter | None:
    """Accurate ECN was agreed on, and the counter in AE, CWR and ECE has changed."""
    mine, flags = seen.mine, seen.segment.flags
    if mine.ce_counted is None or flags & SYN:
        return None
    counter = (flags & AE) // AE << 2 | (flags & CWR) // CWR << 1 | (flags & ECE) // ECE
    if seen.theirs.state is State.SYN_RECEIVED:  # the ACK of its SYN-ACK
        marked = int(counter == _SYNACK_MARKED)
    else:
        marked = (counter - _START) % _COUNTER
    return None if marked == mine.ce_counted else EcnCounter(marked)


# ---- other options, and the tap's own view -------------------------------------------------------


class Mptcp(Fact, frozen=True, tag="mptcp"):
    """A Multipath TCP option. ``subtype``: such as MP_CAPABLE."""

    subtype: str

    implied = True
    source = "RFC 8684 §3"

    def text(self, rung: Rung) -> str:
        return f"Multipath TCP: {self.subtype}"

    def learn(self, seen: Seen) -> None:
        seen.history.said |= {self.subtype}


def mptcp(seen: Seen) -> Mptcp | None:
    """It has a Multipath TCP option; of DSS, which all data have, only the first."""
    subtype = seen.subtype
    if not subtype or (subtype == "DSS" and "DSS" in seen.history.said):
        return None
    fact = Mptcp(subtype)
    return None if subtype == "DSS" and fact in seen.found else fact


class SequenceWrap(Fact, frozen=True, tag="sequence-wrap"):
    """The raw sequence number runs over 2**32 in this segment."""

    implied = True
    source = "RFC 9293 §3.4"

    def text(self, rung: Rung) -> str:
        return "the raw sequence number passes 2**32 here and starts again at 0"


def sequence_wrap(seen: Seen) -> SequenceWrap | None:
    """Its first number is below 2**32, and its last is not."""
    return SequenceWrap() if seen.segment.seq + seen.segment.space > SPACE else None


class SegmentationOffload(Fact, frozen=True, tag="segmentation-offload"):
    """``length`` bytes of payload in one segment, more than ``mss``, an Ethernet frame's worth."""

    length: int
    mss: int

    implied = True
    source = "RFC 9293 §3.7.1"

    def text(self, rung: Rung) -> str:
        much = f"{bytes_of(self.length)} in one segment, more than an Ethernet frame holds: "
        if self.length > self.mss:
            return much + (
                "it is split later, or was merged before, by the device (offload); not an error"
            )
        return f"{much}this interface takes up to {bytes_of(self.mss)} at once; not an error"

    def learn(self, seen: Seen) -> None:
        seen.history.said |= {self.kind}


def segmentation_offload(seen: Seen) -> SegmentationOffload | None:
    """It is longer than the peer's MSS, or a jumbo frame's, and an Ethernet frame's: the first of
    its connection."""
    length = seen.segment.length
    if length <= ETHERNET_MSS or "segmentation-offload" in seen.history.said:
        return None
    mss = seen.theirs.mss or ETHERNET_MSS
    return SegmentationOffload(length, mss) if length > min(mss, JUMBO_MSS) else None


class ClockStep(Fact, frozen=True, tag="clock-step"):
    """The capture's clock steps back by ``by`` nanoseconds before it."""

    by: int

    source = "RFC 2330 §10.1"

    def text(self, rung: Rung) -> str:
        return (
            f"the capture's clock steps back by {seconds(self.by)} here: it was set, or the frames"
            " are not in order of time"
        )

    def learn(self, seen: Seen) -> None:
        seen.history.said |= {self.kind}


def clock_step(seen: Seen) -> ClockStep | None:
    """Its time is 3 ms or more before that of its connection's last segment: the first such one."""
    by = seen.history.end - seen.time
    if by < LATE or "clock-step" in seen.history.said:
        return None
    return ClockStep(by)


class ChecksumOffload(Fact, frozen=True, tag="checksum-offload"):
    """Its checksum is not filled in: the device, or nobody on loopback, would do that."""

    sender: End

    implied = True
    source = "RFC 9293 §3.1"

    def text(self, rung: Rung) -> str:
        return (
            "its checksum is not filled in: that is the device's work, and loopback has none"
            " (offload); not an error"
        )

    def learn(self, seen: Seen) -> None:
        seen.history.said |= {self.kind}


def checksum_offload(seen: Seen) -> ChecksumOffload | None:
    """Its checksum is that of the pseudo header alone, and wrong; that of its sender's SYN was not
    right: the first of its connection."""
    if "checksum-offload" in seen.history.said or seen.mine.verified:
        return None
    if not seen.segment.unfilled():
        return None
    from_client = seen.segment.source == seen.history.client.endpoint
    return ChecksumOffload("client" if from_client else "server")
