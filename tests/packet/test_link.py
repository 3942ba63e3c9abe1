"""Where IP starts: the bounds and the rarer ways."""

from __future__ import annotations

import pytest

from trioecho.model import Frame
from trioecho.packet.link import ETHERNET
from trioecho.packet.network import Packet, innermost

IP = b"\x45" + bytes(19)
ETHER = bytes(12)


def start(data: bytes, header: int = 20) -> int | None:
    """Where the IP header starts that is in an Ethernet frame."""
    packet = innermost(Frame(1, 0, data, ETHERNET, len(data)))
    return packet.at - header if isinstance(packet, Packet) else None


@pytest.mark.parametrize(
    ("number", "found"), [(b"\x05\xdc", 22), (b"\x05\xdd", None), (b"\x00\x00", 22)]
)
def test_up_to_1500_it_is_a_length(number: bytes, found: int | None) -> None:
    assert start(ETHER + number + b"\xaa\xaa\x03\0\0\0\x08\x00" + IP) == found


@pytest.mark.parametrize(("tags", "found"), [(31, 14 + 31 * 4), (32, None)])
def test_so_many_tags_are_deeper_than_any_honest_frame(tags: int, found: int | None) -> None:
    data = ETHER + b"\x81\x00" + b"\0\1\x81\x00" * (tags - 1) + b"\0\1\x08\x00" + IP
    assert start(data) == found


def label(number: int, bottom: bool) -> bytes:
    return (number << 12 | bottom << 8 | 1).to_bytes(4, "big")  # a time to live of 1


@pytest.mark.parametrize("version", [4, 6])
def test_ip_lies_behind_the_label_at_the_bottom(version: int) -> None:
    data = ETHER + b"\x88\x47" + label(16, False) + label(17, True)
    header = 20 if version == 4 else 40
    assert start(data + bytes([version << 4 | 5]) + b"\0" * 5 + b"\xfd" + bytes(33), header) == 22


def test_a_whole_frame_lies_behind_a_control_word() -> None:
    data = ETHER + b"\x88\x47" + label(16, True) + bytes(4) + ETHER + b"\x08\x00" + IP
    assert start(data) == 18 + 4 + 14
