"""What crosses the wire: endpoints, frames, segments and their options.

All are frozen ``msgspec.Struct``s: cheap to make by the hundred thousand. Every time is an ``int``
of nanoseconds since the epoch and comes from a frame or a call, never from a clock of ours.
"""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton

from msgspec import Struct

from trioecho.model.way import Way

# The number of the protocol, and an Ethernet frame's worth: what is longer is split or was merged.
_TCP, _LONGEST = 6, 1460

# Control bits (RFC 9293 §3.1; AE is RFC 9768's). Plain ints, not an IntFlag: these are tested a
# dozen times for each segment, and an IntFlag's ``&`` costs ten times an int's.
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = (1 << bit for bit in range(9))
#: Those of ECN.
ECN = ECE | CWR | AE
#: Why a segment is worth a closer look (``Segment.rare``).
OFFLOADED, MARKED = 1, 2
FLAG_NAMES = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")


def flag_names(flags: int) -> list[str]:
    """The names of the control bits set in ``flags``, lowest bit first.

    Args:
        flags: the control bits, ``SYN | ACK`` and so on.

    Returns:
        Such as ``["PSH", "ACK"]``.

    >>> flag_names(SYN | ACK)
    ['SYN', 'ACK']
    """
    return [name for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1]


class Endpoint(Struct, frozen=True, gc=False, cache_hash=True):
    """One end's address: an IP address in text form and a port."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@lru_cache(1 << 10)
def _between(source: str, destination: str) -> int:
    """The pseudo header's sum but for the length."""
    family = AF_INET6 if ":" in source else AF_INET
    return int.from_bytes(inet_pton(family, source) + inet_pton(family, destination)) + _TCP


def unmapped(ip: str) -> str:
    """An address as it is on the wire: an IPv6 socket writes ``::ffff:10.0.0.1`` for IPv4.

    Args:
        ip: the address in text form.

    Returns:
        The IPv4 address, where the address maps one (RFC 4291 §2.5.5.2).

    >>> unmapped("::ffff:10.0.0.1"), unmapped("fd00::1")
    ('10.0.0.1', 'fd00::1')
    """
    return ip.removeprefix("::ffff:") if "." in ip else ip


class Frame(Struct, frozen=True, gc=False):
    """A frame as it was captured.

    Args:
        number: its place in the capture, from 1.
        time: nanoseconds since the epoch.
        data: the bytes that were captured, from the link header on.
        link: the link type (LINKTYPE_*, as in a pcap file's header).
        length: its length on the wire in bytes; more than ``len(data)`` when it was cut.
        interface: which of the capture's interfaces saw it, from 0.
        way: what became of it, where its file was written of a wire of ours and says so.
    """

    number: int
    time: int
    data: bytes
    link: int
    length: int
    interface: int = 0
    way: Way | None = None


class Datagram(Struct, frozen=True, gc=False):
    """One UDP datagram (RFC 768).

    Args:
        frame: the frame it came in.
        source, destination: the two endpoints.
        payload: what was captured of its payload.
    """

    frame: Frame
    source: Endpoint
    destination: Endpoint
    payload: bytes


class Options(Struct, frozen=True, omit_defaults=True, gc=False):
    """The TCP options of one segment (RFC 9293 §3.2 and the RFCs named below).

    Args:
        mss: maximum segment size in bytes.
        window_scale: the shift count (RFC 7323 §2).
        sack_permitted: whether SACK is offered (RFC 2018 §2).
        timestamps: TSval and TSecr (RFC 7323 §3).
        sack: the SACK blocks as raw (left edge, right edge) pairs (RFC 2018 §3).
        fast_open: the Fast Open cookie, empty when one is asked for (RFC 7413 §2).
        mptcp: the names of the Multipath TCP subtypes, in their order (RFC 8684 §9).
        other: the kinds of all further options, in their order.
        malformed: whether a length ran past the options or was below 2.
        cut: whether the capture cut them: an option that is not here may have been there.
    """

    mss: int | None = None
    window_scale: int | None = None
    sack_permitted: bool = False
    timestamps: tuple[int, int] | None = None
    sack: tuple[tuple[int, int], ...] = ()
    fast_open: bytes | None = None
    mptcp: tuple[str, ...] = ()
    other: tuple[int, ...] = ()
    malformed: bool = False
    cut: bool = False


class Segment(Struct, frozen=True, gc=False):
    """One TCP segment, decoded from a frame.

    Args:
        frame: the frame it came in.
        source, destination: the two endpoints.
        seq: the raw 32-bit sequence number.
        ack: the raw acknowledgment number, or None when the ACK bit is off.
        flags: the control bits, ``SYN | ACK`` and so on.
        window: the 16-bit window as it stands in the header, not scaled.
        options: the TCP options.
        length: the payload's length in bytes as the IP header tells it.
        payload: the payload that was captured; shorter than ``length`` when the frame was cut.
        urgent: the urgent pointer, 0 when URG is off.
        ecn: the two ECN bits of the IP header (RFC 3168 §5).
        identification: IPv4's identification of the packet; 0 where there is none.
        checksum_unfilled: whether the checksum field holds the pseudo header's sum alone, as on a
            frame captured before the device filled it in (offload); of 65,536 right checksums one
            is the same number, which `sound` tells.
        rare: 0 for nearly all data and ACKs; ``MARKED`` for a SYN, options beside timestamps, ECN,
            urgent data, a sequence number about to wrap; ``OFFLOADED`` where it only leaves work to
            a device, as all that a host sends do where it is captured itself.
        tunnel: what names the tunnel or tenant it was in, such as ``VXLAN 42``; of tunnels within
            tunnels the outermost first, with `` / `` between them; ``""`` where nothing does.
        at: where its TCP header begins in the frame's bytes; 0 where it came in several frames.
        earlier: the frames of its packet's other fragments, in the order in which they came.
    """

    frame: Frame
    source: Endpoint
    destination: Endpoint
    seq: int
    ack: int | None
    flags: int
    window: int
    options: Options
    length: int
    payload: bytes
    urgent: int = 0
    ecn: int = 0
    identification: int = 0
    checksum_unfilled: bool = False
    rare: int = 0
    tunnel: str = ""
    at: int = 0
    earlier: tuple[Frame, ...] = ()

    @property
    def space(self) -> int:
        """The sequence space it takes: its length, and one each for SYN and FIN."""
        return self.length + (self.flags >> 1 & 1) + (self.flags & 1)

    def sound(self) -> bool | None:
        """Whether its checksum is right; it takes microseconds, so that it is asked seldom.

        Returns:
            None where the capture does not tell: it cut the segment, or took it before its device
            had split it or had filled the checksum in.

        Source: RFC 9293 §3.1.
        """
        right = self._summed_up()
        return None if self.checksum_unfilled and not right else right

    def unfilled(self) -> bool:
        """Whether its checksum is left to a device, and not right by chance as it stands.

        Returns:
            False also where the capture cut it, so that nothing tells the two apart.
        """
        return self.checksum_unfilled and self._summed_up() is False

    def _summed_up(self) -> bool | None:
        """Whether its checksum is right, whoever should have filled it in."""
        data, at = self.frame.data, self.at
        if not at or self.length > _LONGEST or len(self.payload) < self.length:
            return None
        size = self.length + (data[at + 12] >> 2 & 0x3C)
        segment = data[at : at + size]
        if len(segment) < size or segment[16:18] == b"\0\0":
            return None
        # A number modulo 65,535 is the one's complement sum of its 16-bit digits.
        total = _between(self.source.ip, self.destination.ip) + size
        total += int.from_bytes(segment) << 8 * (size % 2)
        return total % 0xFFFF == 0
