"""Endpoints, control bits and the space that a segment takes."""

from __future__ import annotations

import pytest

from trioecho.model.packet import (
    ACK,
    AE,
    FIN,
    FLAG_NAMES,
    SYN,
    URG,
    Endpoint,
    Frame,
    Options,
    Segment,
    flag_names,
    unmapped,
)


@pytest.mark.parametrize(
    ("flags", "names"),
    [(0, []), (SYN | ACK, ["SYN", "ACK"]), (AE | URG | FIN, ["FIN", "URG", "AE"])],
)
def test_control_bits_have_their_names(flags: int, names: list[str]) -> None:
    assert flag_names(flags) == names


def test_the_bits_stand_where_rfc_9293_and_rfc_9768_put_them() -> None:
    assert [flag_names(1 << bit) for bit in range(9)] == [[name] for name in FLAG_NAMES]
    assert (FIN, SYN, ACK, URG, AE) == (0x001, 0x002, 0x010, 0x020, 0x100)


@pytest.mark.parametrize(
    ("ip", "text"), [("10.0.0.1", "10.0.0.1:7"), ("fd00::1", "[fd00::1]:7"), ("::", "[::]:7")]
)
def test_only_an_ipv6_address_has_brackets(ip: str, text: str) -> None:
    assert str(Endpoint(ip, 7)) == text


@pytest.mark.parametrize(
    ("ip", "wire"),
    [("::ffff:10.0.0.1", "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("::ffff:1", "::ffff:1")],
)
def test_only_what_maps_an_ipv4_address_becomes_one(ip: str, wire: str) -> None:
    assert unmapped(ip) == wire


@pytest.mark.parametrize(("flags", "more"), [(ACK, 0), (SYN, 1), (FIN | ACK, 1), (SYN | FIN, 2)])
def test_syn_and_fin_take_a_number_each(flags: int, more: int) -> None:
    here, there = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 7)
    frame = Frame(1, 0, b"", 101, 0)
    segment = Segment(frame, here, there, 1, 1, flags, 1000, Options(), 5, b"x")
    assert segment.space == 5 + more
