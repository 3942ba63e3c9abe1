"""UDP datagrams, wherever they are."""

from __future__ import annotations

import pytest
from crafted import MACS, as_ip6
from frames import RAW, tcp
from hypothesis import given
from hypothesis import strategies as st
from tapes import udp

from trioecho.model import Datagram, Endpoint, Frame
from trioecho.packet.datagrams import datagram_of
from trioecho.packet.decoder import Decoder
from trioecho.packet.link import ETHERNET

PACKET = udp((1, 4000), (2, 53), b"hello")


def frame(data: bytes, link: int = RAW) -> Frame:
    return Frame(1, 0, data, link, len(data))


@pytest.mark.parametrize(
    ("data", "link"),
    [
        (PACKET, RAW),
        (MACS + b"\x08\0" + PACKET, ETHERNET),
        (MACS + b"\x08\0" + PACKET + b"\0\0", 1),
    ],
)
def test_a_datagram(data: bytes, link: int) -> None:
    told = frame(data, link)
    ends = Endpoint("10.0.0.1", 4000), Endpoint("10.0.0.2", 53)
    assert datagram_of(told) == Datagram(told, *ends, b"hello")


def test_one_over_ipv6() -> None:
    data = bytearray(as_ip6(PACKET))
    data[6] = 17
    found = datagram_of(frame(bytes(data)))
    assert found is not None
    assert (str(found.source), found.payload) == ("[2001:db8::a00:1]:4000", b"hello")


@pytest.mark.parametrize(
    "data",
    [
        tcp("client", 2, 1),
        PACKET[:27],
        b"",
        PACKET[:24] + b"\0\7" + PACKET[26:],  # shorter than its header
        PACKET[:7] + b"\1" + PACKET[8:],  # a later fragment
    ],
)
def test_what_is_none(data: bytes) -> None:
    assert datagram_of(frame(data)) is None


@given(st.binary(max_size=100), st.sampled_from([RAW, ETHERNET, 0, 113, 127, 9999]))
def test_any_bytes(data: bytes, link: int) -> None:
    datagram_of(frame(data, link))


def test_a_decoder_tells_of_each_before_and_behind_the_first_segment() -> None:
    told: list[Datagram] = []
    frames = [frame(PACKET), frame(tcp("client", 2, 1)), frame(PACKET), frame(b"\0")]
    assert len(list(Decoder(told.append).segments(frames))) == 1
    assert [one.frame for one in told] == [frames[0], frames[2]]
    assert len(list(Decoder().segments(frames))) == 1
