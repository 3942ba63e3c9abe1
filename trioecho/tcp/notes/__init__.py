"""What can be said of a segment: a closed set of facts, each with the numbers that make it one.

A note's ``kind`` is the name of tshark's field where it has one: ``duplicate-ack`` for
``tcp.analysis.duplicate_ack``, ``connection-syn`` for ``tcp.connection.syn``. A note holds no
sentence: ``explain.py`` turns it into words. Numbers of rungs count from 1; times and durations
are nanoseconds; lengths are bytes.
"""

from __future__ import annotations

from trioecho.model import Fact
from trioecho.tcp.notes.course import (
    Ack,
    ConnectionFin,
    ConnectionRst,
    ConnectionSyn,
    ConnectionSynack,
    Data,
    FinAck,
    HandshakeComplete,
    ResetCause,
    TfoAck,
    TfoCookie,
    TfoIgnored,
    TfoRequest,
    TfoSyn,
)
from trioecho.tcp.notes.loss import (
    AckLostSegment,
    ChallengeAck,
    Dsack,
    DuplicateAck,
    DuplicateAckCause,
    FastRetransmission,
    LostSegment,
    OutOfOrder,
    Paws,
    Retransmission,
    RetransmissionCause,
    Sack,
    SegmentOverlapConflict,
    SequenceWrap,
    SpuriousRetransmission,
)
from trioecho.tcp.notes.signs import (
    ChecksumOffload,
    CongestionExperienced,
    Cwr,
    EcnCounter,
    EcnEcho,
    EcnSetup,
    KeepAlive,
    KeepAliveAck,
    Mptcp,
    NagleDelayedAck,
    ReusedPorts,
    SegmentationOffload,
    Urgent,
    WindowFull,
    WindowUpdate,
    ZeroWindow,
    ZeroWindowProbe,
    ZeroWindowProbeAck,
)

__all__ = [
    "AGAIN",
    "TROUBLE",
    "Ack",
    "AckLostSegment",
    "ChallengeAck",
    "ChecksumOffload",
    "CongestionExperienced",
    "ConnectionFin",
    "ConnectionRst",
    "ConnectionSyn",
    "ConnectionSynack",
    "Cwr",
    "Data",
    "Dsack",
    "DuplicateAck",
    "DuplicateAckCause",
    "EcnCounter",
    "EcnEcho",
    "EcnSetup",
    "Fact",
    "FastRetransmission",
    "FinAck",
    "HandshakeComplete",
    "KeepAlive",
    "KeepAliveAck",
    "LostSegment",
    "Mptcp",
    "NagleDelayedAck",
    "Note",
    "OutOfOrder",
    "Paws",
    "ResetCause",
    "Retransmission",
    "RetransmissionCause",
    "ReusedPorts",
    "Sack",
    "SegmentOverlapConflict",
    "SegmentationOffload",
    "SequenceWrap",
    "SpuriousRetransmission",
    "TfoAck",
    "TfoCookie",
    "TfoIgnored",
    "TfoRequest",
    "TfoSyn",
    "Urgent",
    "WindowFull",
    "WindowUpdate",
    "ZeroWindow",
    "ZeroWindowProbe",
    "ZeroWindowProbeAck",
]

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
    | EcnCounter
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
