"""Every link type and every tunnel: whole, cut, padded, nested, and beside tshark."""

# covers: packet/tunnels, packet/wireless

from __future__ import annotations

from pathlib import Path
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shark import shark
from wrapped import (
    ETHERNET,
    OUTER4,
    RADIOTAP,
    TEREDO,
    TUNNELS,
    Crafted,
    aggregate,
    crafted,
    ethernet,
    gtp,
    ip4,
    ip6,
    labels,
    nested,
    nflog,
    pcap,
    ppp,
    snap,
    udp,
    wireless,
)

from trioecho.model import ACK, PSH, Endpoint, Frame, Segment
from trioecho.packet.build import ip_packet
from trioecho.packet.decode import decode, decode_all
from trioecho.packet.fragments import Fragments
from trioecho.packet.layers import MOST_LAYERS
from trioecho.packet.link import LINKS, MANY, RAW

ALL = list(crafted())
NAMES = [one.name for one in ALL]
EVERY = pytest.mark.parametrize("one", ALL, ids=NAMES)
LINK_TYPES = sorted(LINKS)


def read(data: bytes, link: int = ETHERNET, length: int | None = None) -> Segment | None:
    return decode(Frame(1, 0, data, link, len(data) if length is None else length))


def carried(protocol: int, payload: bytes) -> bytes:
    """An Ethernet frame with an IPv4 packet of the tunnel's ends."""
    return ethernet(ip_packet(*OUTER4, protocol, payload))


@EVERY
def test_whole(one: Crafted) -> None:
    segment = read(one.data, one.link)
    assert segment is not None
    inner6 = one.name.startswith("IPv6")
    source, destination = (
        ("2001:db8::1", "2001:db8::2") if inner6 else ("192.0.2.1", "198.51.100.2")
    )
    assert segment.source == Endpoint(source, 40000)
    assert segment.destination == Endpoint(destination, 80)
    assert (segment.seq, segment.ack, segment.flags) == (1000, 2000, PSH | ACK)
    assert (segment.length, segment.payload) == (5, b"hello")
    assert segment.tunnel == one.tunnel


@EVERY
def test_cut_at_every_length(one: Crafted) -> None:
    """Until the TCP header is whole there is nothing, and then all but the bytes cut off."""
    whole = read(one.data, one.link)
    assert whole is not None
    header = one.data.index(pack("!HHII", 40000, 80, 1000, 2000))
    for size in range(len(one.data)):
        segment = read(one.data[:size], one.link, len(one.data))
        assert (segment is not None) is (size >= header + 20), size
        if segment is not None:
            assert (segment.seq, segment.length, segment.tunnel) == (1000, 5, one.tunnel)
            assert segment.payload == one.data[header + 20 : size][:5]
        shorter = read(one.data[:size], one.link)  # and not cut, but no longer than this
        assert shorter is None or len(shorter.payload) <= shorter.length <= 5


@EVERY
def test_what_a_device_appends_is_no_payload(one: Crafted) -> None:
    segment = read(one.data + b"\xee" * 7, one.link)
    assert segment is not None
    assert (segment.length, segment.payload) == (5, b"hello")


@given(st.sampled_from(LINK_TYPES), st.binary(max_size=200), st.integers(0, 300))
def test_any_bytes_at_all(link: int, data: bytes, length: int) -> None:
    frame = Frame(1, 0, data, link, length)
    segment = decode(frame, Fragments())
    assert segment is None or len(segment.payload) <= segment.length
    assert all(isinstance(each, Segment) for each in decode_all(frame, Fragments()))


@given(st.data(), st.sampled_from(ALL))
def test_any_mutation(data: st.DataObject, one: Crafted) -> None:
    changed = bytearray(one.data)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.integers(0, len(changed)))])
    frame = Frame(1, 0, cut, one.link, len(changed))
    segment = decode(frame, Fragments())
    assert segment is None or len(segment.payload) <= segment.length
    decode_all(frame, Fragments())


# What tshark reads only with a preference, or reads otherwise: it takes NFLOG to be in the byte
# order of the file, a frame in MPLS to have no control word, and the last 4 bytes of FabricPath to
# be a check sequence.
OTHERWISE = ("big-endian", "a frame in MPLS", "FabricPath")


# Link types that tshark 4.0 does not know: pppd's, and Cisco's HDLC, frame relay with a direction,
# MPLS alone.
UNKNOWN = {166, 205, 206, 219}


@pytest.mark.parametrize("link", sorted({one.link for one in ALL} - UNKNOWN))
def test_as_tshark_reads_them(link: int, tmp_path: Path) -> None:
    ours = [
        one for one in ALL if one.link == link and not any(word in one.name for word in OTHERWISE)
    ]
    file = tmp_path / "it.pcap"
    file.write_bytes(pcap([(one.data, len(one.data)) for one in ours], link))
    fields = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport")
    told = shark(file, (*fields, "tcp.seq_raw", "tcp.len"), -1)
    for one, row in zip(ours, told, strict=True):
        source4, destination4, source6, destination6, *rest = row
        segment = read(one.data, one.link)
        assert segment is not None
        inner6 = one.name.startswith("IPv6")
        assert (segment.source.ip, segment.destination.ip) == (
            (source6, destination6) if inner6 else (source4, destination4)
        ), one.name
        assert rest == [
            str(number)
            for number in (
                *(segment.source.port, segment.destination.port),
                *(segment.seq, segment.length),
            )
        ], one.name


@pytest.mark.parametrize(
    ("names", "tunnel"),
    [
        (("VXLAN", "VXLAN"), "VXLAN 42 / VXLAN 42"),
        (("IP in IP", "GENEVE", "GTP-U"), "GTP-U / GENEVE 42"),
        (("NVGRE", "MPLS in UDP", "VXLAN-GPE"), f"VXLAN 42 / NVGRE {0x12345}"),
        (("ERSPAN II", "GRE in UDP"), "ERSPAN 100"),
        (("PPTP", "PPTP"), ""),
    ],
)
def test_nested(names: tuple[str, ...], tunnel: str) -> None:
    """The innermost is named first, the tunnel's outermost part too."""
    for packet in (ip4(), ip6()):
        segment = read(ethernet(nested(*names, packet=packet)))
        assert segment is not None
        assert (segment.payload, segment.tunnel) == (b"hello", tunnel)


@pytest.mark.parametrize("name", [*TUNNELS, "VLAN", "MPLS"])
def test_the_layers_of_a_frame_are_bounded(name: str) -> None:
    """A frame that is one tunnel in another, as often as 64 KiB allow, is given up."""
    if name == "VLAN":
        data = ethernet(b"\0\5\x81\0" * 16_000 + ip4(), b"\x81\0")
    elif name == "MPLS":
        data = ethernet(labels(ip4(), *[1] * 16_000), b"\x88\x47")
    else:
        packet = ip4()
        while len(packet) < 60_000:
            protocol, payload, _ = TUNNELS[name](packet)
            packet = ip_packet(*OUTER4, protocol, payload)
        data = ethernet(packet)
    assert read(data) is None


def test_as_many_layers_as_are_allowed() -> None:
    def deep(count: int) -> Segment | None:  # the last IP is a layer too
        return read(ethernet(nested(*["IP in IP"] * (count - 1))))

    assert deep(MOST_LAYERS) is not None
    assert deep(MOST_LAYERS + 1) is None


def shortened(packet: bytes, by: int) -> bytes:
    """An IPv4 packet that tells a length smaller than it has."""
    return packet[:2] + pack("!H", len(packet) - by) + packet[4:]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("802.3", ethernet(snap(ip4()), pack("!H", 8 + 42))),
        ("PPPoE", ethernet(pack("!HHH", 0x1100, 7, 44) + ppp(ip4()), b"\x88\x64")),
        ("IP in IP", ethernet(shortened(ip_packet(*OUTER4, 4, ip4()), 3))),
        ("GRE", ethernet(shortened(ip_packet(*OUTER4, 47, pack("!I", 0x0800) + ip4()), 3))),
        ("PPTP", carried(47, pack("!HHHH", 0x2001, 0x880B, 44, 5) + ppp(ip4()))),
        ("MPLS", ethernet(shortened(ip_packet(*OUTER4, 137, labels(ip4(), 9)), 3))),
        ("an A-MSDU", b""),
    ],
)
def test_no_layer_reaches_beyond_the_one_around_it(name: str, data: bytes) -> None:
    link = ETHERNET
    if name == "an A-MSDU":
        data, link = aggregate(ip4()).replace(pack("!H", 53), pack("!H", 50)), 105
    segment = read(data, link)
    assert segment is not None
    assert (segment.length, segment.payload) == (2, b"he")


def test_an_http_answer_within_pppoe_that_is_shorter() -> None:
    """PPPoE tells 42 bytes, IP 46: what IP has beyond is padding."""
    packet = ip4(bytes(6))
    segment = read(ethernet(pack("!HHH", 0x1100, 7, 42) + ppp(packet), b"\x88\x64"))
    assert segment is not None
    assert (segment.length, segment.payload) == (0, b"")


GOOD = ethernet(ip4())
VXLAN = pack("!II", 0x08000000, 42 << 8)


@pytest.mark.parametrize(
    ("name", "port", "payload"),
    [
        ("nothing", 4789, b""),
        ("VXLAN without I", 4789, bytes(8) + GOOD),
        ("VXLAN with an unknown flag", 4789, b"\x18" + VXLAN[1:] + GOOD),
        ("VXLAN with reserved bits", 4789, b"\x08\0\0\1" + VXLAN[4:] + GOOD),
        ("VXLAN with a last reserved byte", 4789, VXLAN[:7] + b"\1" + GOOD),
        ("VXLAN-GPE without I", 4790, b"\x04\0\0\1" + VXLAN[4:] + ip4()),
        ("VXLAN-GPE with reserved bits", 4790, b"\x0c\0\1\1" + VXLAN[4:] + ip4()),
        ("VXLAN-GPE of version 1", 4790, b"\x1c\0\0\1" + VXLAN[4:] + ip4()),
        ("VXLAN-GPE for its maintenance", 4790, b"\x0d\0\0\1" + VXLAN[4:] + ip4()),
        ("VXLAN-GPE of an unknown kind", 4790, b"\x0c\0\0\x09" + VXLAN[4:] + ip4()),
        ("GENEVE of version 1", 6081, pack("!BBHI", 0x40, 0, 0x800, 42 << 8) + ip4()),
        ("GENEVE for control", 6081, pack("!BBHI", 0, 0x80, 0x800, 42 << 8) + ip4()),
        ("GENEVE with reserved bits", 6081, pack("!BBHI", 0, 1, 0x800, 42 << 8) + ip4()),
        (
            "GENEVE, an option longer than all",
            6081,
            pack("!BBHI", 1, 0, 0x800, 42 << 8) + b"\0\0\0\2" + bytes(8) + ip4(),
        ),
        ("GTP-U of version 2", 2152, gtp(ip4(), 0x50)),
        ("GTP'", 2152, gtp(ip4(), 0x20)),
        ("GTP-U with its spare bit", 2152, gtp(ip4(), 0x38)),
        ("a GTP-U echo", 2152, gtp(ip4()).replace(b"\x30\xff", b"\x30\1", 1)),
        ("GTP-U longer than UDP", 2152, gtp(ip4() + b"\0")[:-1]),
        ("GTP-U, an extension of no length", 2152, gtp(ip4(), 0x34, b"\0\0\0\x85" + bytes(4))),
        ("Teredo of IPv4", 3544, ip4()),
        ("IPv6 longer than UDP", 3544, ip6()[:-1]),
        ("IPv6 shorter than UDP", 3544, ip6() + b"\0"),
        ("GRE in UDP of version 2", 4754, b"\0\2\x08\0" + ip4()),
        ("MPLS without a bottom", 6635, pack("!I", 5 << 12 | 64) * 40 + ip4()),
        ("MPLS of what is no IP", 6635, labels(b"\x55" + ip4(), 5)),
        ("an IP longer than UDP", 4789, VXLAN + GOOD[:-1]),
        ("an IP header too short", 2152, gtp(b"\x44" + ip4()[1:])),
        ("IP shorter than its header", 2152, gtp(shortened(ip4(), 30))),
        ("IP with a wrong checksum, padded", 4789, VXLAN + GOOD[:24] + b"\1\1" + GOOD[26:] + b"\0"),
        ("DNS", 4789, bytes.fromhex("08000100000100000000000003777777076578616d706c6503636f6d")),
        ("QUIC", 3544, b"\x60" + bytes(80)),
    ],
)
def test_a_port_alone_makes_no_tunnel(name: str, port: int, payload: bytes) -> None:
    assert read(carried(17, udp(port, payload))) is None


@given(st.sampled_from([2152, 3544, 4754, 4789, 4790, 6081, 6635, 8472]), st.binary(max_size=120))
def test_no_ordinary_udp_is_told_as_tcp(port: int, payload: bytes) -> None:
    assert read(carried(17, udp(port, payload))) is None


@pytest.mark.parametrize("length", [0, 7, 9])
def test_the_length_that_udp_tells(length: int) -> None:
    """0 is one that was left to the device, or a jumbogram; less than a header is none."""
    packet = udp(4789, VXLAN + GOOD)
    segment = read(carried(17, packet[:4] + pack("!H", length) + packet[6:]))
    assert (segment is not None) is (length == 0)


@pytest.mark.parametrize("checked", ["right", "left to the device"])
def test_a_short_packet_padded_by_ethernet_within_vxlan(checked: str) -> None:
    packet = ip4(b"")
    if checked != "right":
        packet = packet[:10] + b"\0\0" + packet[12:]
    segment = read(carried(17, udp(4789, VXLAN + ethernet(packet).ljust(60, b"\0"))))
    assert segment is not None
    assert (segment.length, segment.payload) == (0, b"")


def test_sport_makes_no_vxlan() -> None:
    assert read(carried(17, udp(50_000, VXLAN + GOOD, 4789))) is None


def test_flows_of_nvgre_are_one_tenant() -> None:
    """The key's last 8 bits differ by direction (RFC 7637 §3.2)."""
    names = set()
    for flow in (1, 200):
        head = pack("!HHI", 0x2000, 0x6558, 0x12345 << 8 | flow)
        segment = read(carried(47, head + GOOD))
        assert segment is not None
        names.add(segment.tunnel)
    assert names == {f"NVGRE {0x12345}"}


def test_fragments_of_two_tenants_are_kept_apart() -> None:
    """The same addresses and identification, in two networks: neither completes the other."""
    packet = ip4(b"0123456789ab")
    first = packet[:6] + b"\x20\0" + packet[8:44]
    second = packet[:6] + b"\0\3" + packet[8:20] + packet[44:]

    def frame(piece: bytes, network: int) -> Frame:
        piece = shortened(piece, 0)
        piece = piece[:10] + b"\0\0" + piece[12:]
        head = pack("!II", 0x08000000, network << 8)
        data = carried(17, udp(4789, head + ethernet(piece)))
        return Frame(1, 0, data, ETHERNET, len(data))

    fragments = Fragments()
    assert decode(frame(first, 1), fragments) is None
    assert decode(frame(second, 2), fragments) is None
    segment = decode(frame(second, 1), fragments)
    assert segment is not None
    assert (segment.payload, segment.tunnel) == (b"0123456789ab", "VXLAN 1")


def test_an_outer_packet_in_fragments() -> None:
    """Four of them, of 24 bytes and more."""
    whole = udp(4789, VXLAN + GOOD)
    fragments = Fragments()
    found = []
    for at in range(0, len(whole), 24):
        piece = ip_packet(*OUTER4, 17, whole[at : at + 24])
        more = 0x2000 if at + 24 < len(whole) else 0
        piece = piece[:6] + pack("!H", more | at // 8) + piece[8:]
        data = ethernet(piece)
        found.append(decode(Frame(1, 0, data, ETHERNET, len(data)), fragments))
    *before, segment = found
    assert before == [None] * len(before)
    assert segment is not None
    assert (segment.payload, segment.tunnel) == (b"hello", "VXLAN 42")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("management", wireless(ip4(), 0x0080)),
        ("control", wireless(ip4(), 0x00D4)),
        ("version 1", wireless(ip4(), 0x0109)),
        ("null", wireless(ip4(), 0x0148)),
        ("QoS null", wireless(ip4(), 0x01C8, more=b"\0\0")),
        ("encrypted", wireless(ip4(), 0x4108)),
        ("a first fragment", wireless(ip4(), 0x0508)),
        ("a later fragment", wireless(ip4(), sequence=1)),
        ("another LLC", wireless(b"", body=b"\x42\x42\x03" + bytes(40))),
        ("an empty A-MSDU", aggregate()),
    ],
)
def test_frames_of_802_11_that_tell_nothing(name: str, data: bytes) -> None:
    frame = Frame(1, 0, data, 105, len(data))
    assert decode(frame) is None
    assert decode_all(frame) == []


@pytest.mark.parametrize("link", [105, 127])
def test_several_segments_in_one_frame(link: int) -> None:
    head = RADIOTAP if link == 127 else b""
    packets = [ip4(b"one"), ip6(b"two!"), ip4(b"three")]
    data = head + aggregate(*packets)
    frame = Frame(1, 0, data, link, len(data))
    assert [segment.payload for segment in decode_all(frame)] == [b"one", b"two!", b"three"]
    first = decode(frame)
    assert first is not None
    assert first.payload == b"one"
    assert link in MANY
    last = data.index(b"three")
    cut = Frame(1, 0, data[: last - 21], link, len(data))
    assert [segment.payload for segment in decode_all(cut)] == [b"one", b"two!"]


def test_one_segment_at_most_in_all_others() -> None:
    for one in ALL:
        frame = Frame(1, 0, one.data, one.link, len(one.data))
        assert decode_all(frame) == [decode(frame)], one.name


@pytest.mark.parametrize("packet", [ip4(b"hello world"), ip6(b"hello world")], ids=["4", "6"])
def test_nflog_that_was_cut_tells_the_length_of_ip(packet: bytes) -> None:
    segment = read(nflog(packet[:-6]), 239)
    assert segment is not None
    assert (segment.length, segment.payload) == (11, b"hello")


def test_a_link_type_within_itself_is_no_loop() -> None:
    head = pack("<BBHI", 0, 0, 8, 192)
    assert read(head * 1000 + ip4(), 192) is None
    two = head + pack("<III", 108, 1, 1).ljust(108, b"\0")
    assert read(two.replace(pack("<I", 192), pack("<I", 258), 1) + GOOD, 192) is not None


def test_ipv4_and_ipv6_by_their_version_whatever_the_ethertype() -> None:
    segment = read(ethernet(ip6(), b"\x08\0"))
    assert segment is not None
    assert segment.source.ip == "2001:db8::1"


def test_teredo_is_for_ipv6() -> None:
    for build in TEREDO.values():
        protocol, payload, _ = build(ip4())
        assert read(carried(protocol, payload)) is None


@pytest.mark.parametrize("link", LINK_TYPES)
def test_no_link_type_stumbles_over_nothing(link: int) -> None:
    assert read(b"", link) is None
    assert read(b"", link, 100) is None


def test_raw_packets_within_each_other() -> None:
    segment = read(nested("GRE", "IP in IP"), RAW)
    assert segment is not None
    assert segment.payload == b"hello"
