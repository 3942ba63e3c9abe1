"""Windows and timers, what bits and options say, and what only the tap sees."""

from __future__ import annotations

from trioecho.model import End, Fact


class KeepAlive(Fact, frozen=True, tag="keep-alive"):
    """A segment one byte before the next: is anybody there?"""


class KeepAliveAck(Fact, frozen=True, tag="keep-alive-ack"):
    """The answer to a keep-alive."""


class ZeroWindow(Fact, frozen=True, tag="zero-window"):
    """Its sender has no room left, ``still`` as before; ``over``: nor needs any, behind a FIN."""

    still: bool = False
    over: bool = False


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


class EcnCounter(Fact, frozen=True, tag="ecn-counter"):
    """It has counted ``marked`` packets with CE so far, modulo 8 (the ACE field of AccECN)."""

    marked: int


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
