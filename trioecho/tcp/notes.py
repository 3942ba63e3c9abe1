"""What can be said of a segment: a closed set of facts, each with the numbers that make it one.

A note's ``kind`` is the name of tshark's field where it has one: ``duplicate-ack`` for
``tcp.analysis.duplicate_ack``, ``connection-syn`` for ``tcp.connection.syn``. A note holds no
sentence: ``explain.py`` turns it into words. Numbers of rungs count from 1; times and durations
are nanoseconds; lengths are bytes.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from trioecho.model import End


class Fact(Struct, frozen=True, tag_field="kind", gc=False):
    """What every note has: a kind."""

    @property
    def kind(self) -> str:
        """The note's name, as it stands in JSON and in a ladder."""
        return str(self.__struct_config__.tag)


# ---- opening -------------------------------------------------------------------------------------


class ConnectionSyn(Fact, frozen=True, tag="connection-syn"):
    """A SYN opens a connection.

    ``simultaneous``: the other end has sent one as well, and neither answers the other.
    """

    simultaneous: bool = False


class ConnectionSynack(Fact, frozen=True, tag="connection-synack"):
    """A SYN that acknowledges the other end's SYN."""


class TfoRequest(Fact, frozen=True, tag="tfo-request"):
    """A SYN that asks for a Fast Open cookie."""


class TfoCookie(Fact, frozen=True, tag="tfo-cookie"):
    """A SYN-ACK that gives a Fast Open cookie of ``length`` bytes."""

    length: int


class TfoSyn(Fact, frozen=True, tag="tfo-syn"):
    """A SYN with a Fast Open cookie; ``length`` bytes of data came with it."""

    length: int


class TfoAck(Fact, frozen=True, tag="tfo-ack"):
    """A SYN-ACK that takes ``length`` bytes of the SYN's data."""

    length: int


class TfoIgnored(Fact, frozen=True, tag="tfo-ignored"):
    """A SYN-ACK that takes none of the SYN's ``length`` bytes of data."""

    length: int


class HandshakeComplete(Fact, frozen=True, tag="handshake-complete"):
    """The ACK of the SYN-ACK. ``duration``: since the first SYN, None when that was not seen."""

    duration: int | None


# ---- data ----------------------------------------------------------------------------------------


class Data(Fact, frozen=True, tag="data"):
    """New data.

    ``in_flight``: bytes sent and not acknowledged after it, None where that is not known.
    ``missing``: how much of the payload the capture cut off.
    """

    length: int
    in_flight: int | None = None
    missing: int = 0


class Ack(Fact, frozen=True, tag="ack"):
    """It acknowledges ``length`` new bytes, the last of them sent by rung ``of``.

    ``pure``: it carries nothing else; otherwise the acknowledgment rides on data or on a FIN.
    ``rtt``: since the acknowledged segment was sent, where exactly one was.
    """

    length: int
    pure: bool
    of: int | None = None
    rtt: int | None = None


# ---- closing -------------------------------------------------------------------------------------


class ConnectionFin(Fact, frozen=True, tag="connection-fin"):
    """A FIN ends one direction.

    ``step``: 1 for the end that closes first, 3 for the other (of the close's four steps).
    ``acknowledges``: it also carries the ACK of the other's FIN, which is step 2.
    ``simultaneous``: both FINs were sent before either arrived.
    """

    step: Literal[1, 3]
    acknowledges: bool = False
    simultaneous: bool = False


class FinAck(Fact, frozen=True, tag="fin-ack"):
    """An ACK of a FIN: step 2 or step 4 of the close. ``time_wait``: its sender now waits."""

    step: Literal[2, 4]
    time_wait: bool = False


ResetCause = Literal[
    "refused",
    "unread-data",
    "aborted",
    "after-close",
    "half-open",
    "no-answer",
    "time-wait-assassination",
    "out-of-window",
]


class ConnectionRst(Fact, frozen=True, tag="connection-rst"):
    """A RST ends the connection at once.

    ``cause``, as far as the wire tells:

    - ``refused``: an answer to a SYN: nothing listens there;
    - ``unread-data``: a server that resets instead of answering: it closed without having read;
    - ``aborted``: its sender closed with SO_LINGER 0, or with data unread, or died so;
    - ``after-close``: something came for a socket that was closed already;
    - ``half-open``: its sender knows nothing of this connection;
    - ``no-answer``: its sender asked by keep-alives whether anybody is there, and nobody was;
    - ``time-wait-assassination``: it ends the peer's TIME-WAIT early (RFC 1337);
    - ``out-of-window``: it does not carry the next number, and its receiver does not take it.
    """

    cause: ResetCause


# ---- loss and recovery ---------------------------------------------------------------------------


class Retransmission(Fact, frozen=True, tag="retransmission"):
    """It repeats what rung ``of`` sent, ``after`` nanoseconds later.

    ``cause``, None where it cannot be told: ``timeout``; ``tail-loss-probe``: the last segment, too
    soon for a timeout (RFC 8985 §7); ``recovery``: while an earlier loss is repaired, an ACK shows
    that this is missing too; ``same-packet``: by its IP identification it is the very packet of
    rung ``of``, seen twice.
    """

    of: int | None = None
    after: int | None = None
    cause: Literal["timeout", "tail-loss-probe", "recovery", "same-packet"] | None = None


class FastRetransmission(Fact, frozen=True, tag="fast-retransmission"):
    """A retransmission asked for by ``duplicates`` ACKs, or if below 2 by SACK blocks alone."""

    of: int | None = None
    after: int | None = None
    duplicates: int = 0


class SpuriousRetransmission(Fact, frozen=True, tag="spurious-retransmission"):
    """It repeats what has been acknowledged already."""

    of: int | None = None
    after: int | None = None


class OutOfOrder(Fact, frozen=True, tag="out-of-order"):
    """Overtaken: sent before what was seen before it. ``of``: the very same packet, if seen."""

    behind: int
    of: int | None = None


class LostSegment(Fact, frozen=True, tag="lost-segment"):
    """``missing`` bytes before this segment have not been seen."""

    missing: int


class AckLostSegment(Fact, frozen=True, tag="ack-lost-segment"):
    """It acknowledges ``missing`` bytes that have not been seen: the capture missed them."""

    missing: int


class DuplicateAck(Fact, frozen=True, tag="duplicate-ack"):
    """The ``count``-th repetition of the ACK in rung ``of``.

    ``ended``: it is the ACK of a FIN, behind which there is no byte to wait for.
    """

    count: int
    of: int | None = None
    ended: bool = False


class Sack(Fact, frozen=True, tag="sack"):
    """It has ``blocks`` (first, end) beyond the gap, in relative numbers of the peer's stream."""

    blocks: tuple[tuple[int, int], ...]


class Dsack(Fact, frozen=True, tag="dsack"):
    """It got the bytes from ``first`` to ``end`` twice: proof that a retransmission was spurious.

    ``of``: the rung that repeated them.
    """

    first: int
    end: int
    of: int | None = None


class SegmentOverlapConflict(Fact, frozen=True, tag="segment-overlap-conflict"):
    """It repeats bytes that rung ``of`` sent with other values, from ``at`` on."""

    of: int
    at: int


class ChallengeAck(Fact, frozen=True, tag="challenge-ack"):
    """It answers a ``reset`` or ``syn`` that cannot be meant, or is still ``half-open`` itself."""

    asked: str


class Paws(Fact, frozen=True, tag="paws"):
    """Its timestamp is ``behind`` the newest: an old duplicate, which the receiver drops."""

    behind: int


class SequenceWrap(Fact, frozen=True, tag="sequence-wrap"):
    """The raw sequence number runs over 2**32 in this segment."""


# ---- window and timers ---------------------------------------------------------------------------


class KeepAlive(Fact, frozen=True, tag="keep-alive"):
    """A segment one byte before the next: is anybody there?"""


class KeepAliveAck(Fact, frozen=True, tag="keep-alive-ack"):
    """The answer to a keep-alive."""


class ZeroWindow(Fact, frozen=True, tag="zero-window"):
    """Its sender has no room left."""


class ZeroWindowProbe(Fact, frozen=True, tag="zero-window-probe"):
    """One byte beyond a closed window: is there room again?"""


class ZeroWindowProbeAck(Fact, frozen=True, tag="zero-window-probe-ack"):
    """The answer to a probe: still no room."""


class WindowUpdate(Fact, frozen=True, tag="window-update"):
    """It acknowledges nothing new and only tells the new window, ``window`` bytes."""

    window: int


class WindowFull(Fact, frozen=True, tag="window-full"):
    """It fills the receiver's window to the last byte: no more may be sent."""


class NagleDelayedAck(Fact, frozen=True, tag="nagle-delayed-ack"):
    """A small segment that waited ``waited`` nanoseconds for the ACK of another small one."""

    waited: int


class Urgent(Fact, frozen=True, tag="urgent"):
    """Urgent data up to ``pointer`` bytes from its first sequence number."""

    pointer: int


class EcnSetup(Fact, frozen=True, tag="ecn-setup"):
    """Its SYN offers or agrees to Explicit Congestion Notification; ``accurate``: AccECN."""

    accurate: bool = False


class CongestionExperienced(Fact, frozen=True, tag="congestion-experienced"):
    """A router on the way marked it instead of dropping it (ECN field CE)."""


class EcnEcho(Fact, frozen=True, tag="ecn-echo"):
    """It tells the peer that marked segments have arrived (ECE)."""


class Cwr(Fact, frozen=True, tag="cwr"):
    """It tells the peer that it has slowed down (CWR)."""


class Mptcp(Fact, frozen=True, tag="mptcp"):
    """A Multipath TCP option. ``subtype``: such as MP_CAPABLE."""

    subtype: str


class ReusedPorts(Fact, frozen=True, tag="reused-ports"):
    """A new connection between the endpoints of connection ``of``."""

    of: int


# ---- the tap's own view --------------------------------------------------------------------------


class SegmentationOffload(Fact, frozen=True, tag="segmentation-offload"):
    """``length`` bytes of payload in one segment, more than ``mss``, an Ethernet frame's worth."""

    length: int
    mss: int


class ChecksumOffload(Fact, frozen=True, tag="checksum-offload"):
    """Its checksum is not filled in: the device, or nobody on loopback, would do that."""

    sender: End


Note = (
    ConnectionSyn
    | ConnectionSynack
    | TfoRequest
    | TfoCookie
    | TfoSyn
    | TfoAck
    | TfoIgnored
    | HandshakeComplete
    | Data
    | Ack
    | ConnectionFin
    | FinAck
    | ConnectionRst
    | Retransmission
    | FastRetransmission
    | SpuriousRetransmission
    | OutOfOrder
    | LostSegment
    | AckLostSegment
    | DuplicateAck
    | Sack
    | Dsack
    | SegmentOverlapConflict
    | ChallengeAck
    | Paws
    | SequenceWrap
    | NagleDelayedAck
    | Urgent
    | EcnSetup
    | CongestionExperienced
    | EcnEcho
    | Cwr
    | Mptcp
    | KeepAlive
    | KeepAliveAck
    | ZeroWindow
    | ZeroWindowProbe
    | ZeroWindowProbeAck
    | WindowUpdate
    | WindowFull
    | ReusedPorts
    | SegmentationOffload
    | ChecksumOffload
)

#: The notes that mean trouble: something was lost, repeated, refused or stalled.
TROUBLE = (
    Retransmission,
    FastRetransmission,
    SpuriousRetransmission,
    OutOfOrder,
    LostSegment,
    AckLostSegment,
    DuplicateAck,
    SegmentOverlapConflict,
    ChallengeAck,
    Paws,
    ZeroWindow,
    WindowFull,
    NagleDelayedAck,
    ConnectionRst,
)
#: Those that say that a segment carries what had been sent before.
AGAIN = (Retransmission, FastRetransmission, SpuriousRetransmission)
