"""What a capture holds that is not TCP: how many frames of what, and on which UDP ports."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from struct import Struct as Layout
from struct import error as TooShort  # noqa: N812

from trioecho.model import Frame
from trioecho.packet import layers
from trioecho.packet.layers import Layer
from trioecho.packet.link import ETHERNET
from trioecho.packet.linktypes import link_name
from trioecho.packet.network import FRAGMENT, TCP, Packet
from trioecho.packet.tunnels import UDP, tunnel_ports

# https://www.iana.org/assignments/protocol-numbers
_PROTOCOLS = {
    1: "ICMP",
    2: "IGMP",
    UDP: "UDP",
    33: "DCCP",
    41: "IPv6 in IP",
    46: "RSVP",
    47: "GRE",
    50: "ESP",
    58: "ICMPv6",
    59: "IPv6 without a payload",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    115: "L2TP",
    132: "SCTP",
    136: "UDP-Lite",
    FRAGMENT: "IP fragments",
    TCP: "TCP cut off in its header",
}
_ETHERTYPES = {
    0x0806: "ARP",
    0x8035: "RARP",
    0x8100: "VLAN",
    0x8809: "LACP",
    0x880B: "PPP",
    0x8847: "MPLS",
    0x8848: "MPLS",
    0x8863: "PPPoE discovery",
    0x8864: "PPPoE",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88E5: "MACsec",
    0x88F7: "PTP",
    layers.IP4: "malformed IP",
    layers.IP6: "malformed IP",
    layers.IP: "malformed IP",
    layers.LLC: "LLC",
}
_WIRELESS = ("802.11 management", "802.11 control", "802.11 data", "802.11 extension")
_PROTECTED, _DATA = 0x40, 2
#: Ports of which a count is kept: what comes after so many is not what a file is full of.
MOST_PORTS = 4_096

_PLAIN_IP4 = b"\x08\0\x45"

_ports = Layout("!HH").unpack_from
# From Ethernet's 20th byte on: IPv4's fragment field and protocol, and both ports.
_plain = Layout("!HxB10xHH").unpack_from
_PLAIN_SIZE = 38


class Census:
    """Counts frames in which there is no TCP segment.

    Attributes:
        frames: how many there were.
        kinds: how many of each kind, by its name.
        ports: of UDP, how many of each port, the lower of a datagram's two: services have the
            lower one more often than not.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.kinds: Counter[str] = Counter()
        self.ports: Counter[int] = Counter()

    def glance(self, frame: Frame) -> bool:
        """Count a frame that is UDP at a glance, which saves the time that a closer look takes.

        Returns:
            Whether it was: UDP in IPv4 without options on Ethernet, and in no tunnel.
        """
        data = frame.data
        if frame.link != ETHERNET or data[12:15] != _PLAIN_IP4 or len(data) < _PLAIN_SIZE:
            return False
        fragment, protocol, source, destination = _plain(data, 20)
        if protocol != UDP or fragment & 0x3FFF or tunnel_ports(data, 34):
            return False
        self.frames += 1
        self.kinds["UDP"] += 1
        self._count_port(min(source, destination))
        return True

    def add(self, frame: Frame, found: Packet | Layer | str | None) -> None:
        """Count a frame.

        Args:
            frame: one in which there is no segment.
            found: the last that could be read of it, as ``innermost`` gives it, or a word for it.
        """
        self.frames += 1
        self.kinds[self._kind(frame, found)] += 1

    @property
    def port(self) -> int | None:
        """The port that more than half of all UDP datagrams have, if there is one."""
        for port, count in self.ports.most_common(1):
            if count * 2 > self.kinds["UDP"]:
                return port
        return None

    def _kind(self, frame: Frame, found: Packet | Layer | str | None) -> str:
        if isinstance(found, str):
            return found
        if found is None:
            return link_name(frame.link) or f"link type {frame.link}"
        if isinstance(found, Layer):
            return _layer(frame.data, found)
        if found.protocol == UDP:
            with suppress(TooShort):
                self._count_port(min(_ports(found.data, found.at)))
        return _PROTOCOLS.get(found.protocol) or f"IP protocol {found.protocol}"

    def _count_port(self, port: int) -> None:
        if port in self.ports or len(self.ports) < MOST_PORTS:
            self.ports[port] += 1


def _layer(data: bytes, layer: Layer) -> str:
    """What a layer is behind which nothing was found."""
    if layer.kind in (layers.WIRELESS, layers.WIRELESS_PADDED):
        first, second = data[layer.at], data[layer.at + 1]
        kind = first >> 2 & 3
        return "encrypted 802.11" if kind == _DATA and second & _PROTECTED else _WIRELESS[kind]
    return _ETHERTYPES.get(layer.kind) or f"EtherType 0x{layer.kind:04x}"
