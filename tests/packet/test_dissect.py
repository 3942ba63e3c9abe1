"""Frame -> layers and fields, by scapy."""

from __future__ import annotations

import pytest
from frames import tcp
from wrapped import LINKS, ethernet, ip4

from trioecho.model import ACK, PSH, Frame
from trioecho.packet import link
from trioecho.packet.dissect import details, dissect

IP4 = tcp("client", PSH | ACK, 1000, 2000, b"hello")


@pytest.mark.parametrize(
    ("number", "header", "name"),
    [
        (link.ETHERNET, bytes(12) + b"\x08\x00", "Ethernet"),
        (link.LINUX_SLL, bytes(14) + b"\x08\x00", "cooked linux"),
        (link.LINUX_SLL2, b"\x08\x00" + bytes(18), "cooked linux v2"),
        (link.NULL, b"\x02\0\0\0", "Loopback"),
        (link.LOOP, b"\x02\0\0\0", "Loopback"),
        (link.RAW, b"", ""),
        (147, b"", ""),
    ],
)
def test_layers_lie_one_behind_the_other(number: int, header: bytes, name: str) -> None:
    data = header + IP4
    layers = dissect(Frame(1, 0, data, number, len(data)))
    names = [layer.name for layer in layers]
    assert names == [*([name] if name else []), "IP", "TCP", "Raw"]
    assert [layer.end for layer in layers[:-1]] == [layer.start for layer in layers[1:]]
    assert data[layers[-1].start : layers[-1].end] == b"hello"
    (port,) = [field for field in layers[-2].fields if field.name == "dport"]
    assert data[port.start : port.end] == b"\x00\x07"


@pytest.mark.parametrize("number", sorted(link.LINKS))
def test_every_link_type_has_a_first_layer(number: int) -> None:
    data = next((build(ip4()) for known, build in LINKS.values() if known == number), b"")
    data = data or (ethernet(ip4()) if number == link.ETHERNET else ip4())
    (first, *_) = dissect(Frame(1, 0, data, number, len(data)))
    assert (first.name == "Raw") is (link.LINKS[number].layer == "packet.Raw")


def test_details_end_with_a_dump() -> None:
    lines = details(Frame(1, 0, IP4, link.RAW, len(IP4)))
    assert lines[0] == "IP, bytes 0 to 19"
    assert lines[-1].split() == ["0000", "68", "65", "6c", "6c", "6f", "hello"]
