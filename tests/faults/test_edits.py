"""Segments that the wire changes on the way: bits, options and checksums."""

# covers: packet/edit

from __future__ import annotations

import frames
import pytest
from fated import MS, Wire, good_checksums, over_ipv6, segment_in, with_checksum
from hypothesis import given
from hypothesis import strategies as st

from trioecho.model import ACK, SYN, Options
from trioecho.packet.edit import clamped, marked, without

OFFERED = (
    b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(range(8)) + b"\x01\x03\x03\x07"
)  # mss 1460, SACK, timestamps, NOP, wscale 7


def syn(six: bool, options: bytes = OFFERED, end: str = "client") -> bytes:
    data = frames.tcp("client" if end == "client" else "server", SYN, 1000, options=options)
    return with_checksum(over_ipv6(data) if six else data)


def with_ecn(six: bool, ecn: int) -> bytes:
    data = frames.tcp("client", ACK, 1001, 1, b"hello")
    data = over_ipv6(data) if six else data
    at = bytes((data[0], data[1] | (ecn << 4 if six else ecn)))
    return with_checksum(at + data[2:])


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize(("ecn", "becomes"), [(0, 0), (1, 3), (2, 3), (3, 3)])
def test_only_what_was_sent_with_ecn_is_marked(six: bool, ecn: int, becomes: int) -> None:
    data = with_ecn(six, ecn)
    wire = Wire("mark client data", "duplicate client data")
    decision = wire.send("client", data)
    original, copy = decision.deliveries
    segment = segment_in(original.data)
    assert segment is not None
    assert segment.ecn == becomes
    assert good_checksums(original.data)
    assert copy.data == original.data
    assert (decision.edited, decision.lost) == ("marked CE" if ecn else "", False)
    assert decision.data == (original.data if ecn else b"")
    assert decision.fault == "mark client data, duplicate client data"[0 if ecn else 18 :]
    why = "what it chose was sent without ECN (Not-ECT), and is never marked"
    assert wire.fates.unmatched() == (() if ecn else (f"'mark client data' never matched: {why}",))
    changed = [one ^ other for one, other in zip(data[:2], original.data[:2], strict=True)]
    assert changed == [0, (becomes ^ ecn) << (4 if six else 0)]


def test_what_was_never_sent_is_told_apart() -> None:
    wire = Wire("mark client data 2")
    wire.send("client", with_ecn(False, 2))
    (why,) = wire.fates.unmatched()
    assert why.endswith("never matched: the client sent 1 segment of data")


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize(
    ("option", "left"),
    [
        ("mss", {"mss": None}),
        ("sackok", {"sack_permitted": False}),
        ("timestamps", {"timestamps": None}),
        ("wscale", {"window_scale": None}),
    ],
)
def test_an_option_is_stripped(six: bool, option: str, left: dict[str, object]) -> None:
    data = syn(six)
    decision = Wire(f"strip {option}").send("client", data)
    segment = segment_in(decision.deliveries[0].data)
    assert segment is not None
    every = {
        "mss": 1460,
        "window_scale": 7,
        "sack_permitted": True,
        "timestamps": (0x10203, 0x4050607),
    }
    assert segment.options == Options(**(every | left))  # type: ignore[arg-type]
    assert good_checksums(decision.data)
    assert len(decision.data) == len(data)
    name = "sackOK" if option == "sackok" else option
    assert (decision.edited, decision.fault) == (f"{name} stripped", f"strip {option}")


def test_sack_blocks_are_stripped() -> None:
    blocks = b"\x01\x01\x05\x0a" + bytes(8)
    data = with_checksum(frames.tcp("client", ACK, 1001, 1, options=blocks))
    decision = Wire("strip sack").send("client", data)
    assert decision.data[40:52] == b"\x01" * 12
    assert good_checksums(decision.data)


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize(("size", "edited"), [(1459, True), (1460, False), (1461, False)])
def test_only_a_larger_mss_is_lowered(six: bool, size: int, edited: bool) -> None:
    wire = Wire(f"clamp mss {size}")
    decision = wire.send("client", syn(six))
    segment = segment_in(decision.deliveries[0].data)
    assert segment is not None
    assert segment.options.mss == min(size, 1460)
    assert good_checksums(decision.deliveries[0].data)
    assert decision.edited == (f"mss lowered from 1460 to {size}" if edited else "")
    why = f"'clamp mss {size}' never matched: none of 1 segment had a larger mss"
    assert wire.fates.unmatched() == (() if edited else (why,))


def test_several_edits_are_all_told() -> None:
    wire = Wire("clamp mss 1200", "strip sackok", "delay syn 1ms", "strip mss", "corrupt syn")
    decision = wire.send("client", syn(False))
    assert decision.edited == "sackOK stripped, mss stripped"
    assert decision.fault == "strip sackok, delay syn 1ms, strip mss, corrupt syn"
    assert decision.broken
    assert good_checksums(decision.data)
    assert not good_checksums(decision.deliveries[0].data)
    assert decision.deliveries[0].at == wire.time + MS


@pytest.mark.parametrize("fault", ["strip client sackok", "clamp client mss 1200"])
def test_one_direction_is_edited(fault: str) -> None:
    wire = Wire(fault)
    assert not wire.send("server", syn(False, end="server")).edited
    (why,) = wire.fates.unmatched()
    assert "none of 0 segments had " in why
    assert wire.send("client", syn(False)).edited
    assert wire.fates.unmatched() == ()


@pytest.mark.parametrize("fault", ["strip sackok", "clamp mss 1200", "mark syn"])
def test_what_is_lost_is_as_it_was_sent(fault: str) -> None:
    wire = Wire(fault, "drop syn")
    decision = wire.send("client", syn(False))
    assert (decision.edited, decision.data, decision.fault) == ("", b"", "drop syn")


@pytest.mark.parametrize("fault", ["strip sackok", "clamp mss 1200", "mark syn"])
def test_what_is_in_a_tunnel_is_left_alone(fault: str) -> None:
    inner = syn(False)
    outer = bytes((0x45, 2, 0, 20 + len(inner), 0, 0, 0, 0, 64, 4, 0, 0)) + inner[12:20]
    wire = Wire(fault)
    decision = wire.send("client", outer + inner)
    assert decision.deliveries[0].data == outer + inner
    assert not decision.edited


@given(st.binary(max_size=40), st.sampled_from([2, 3, 4, 5, 8]), st.booleans(), st.integers(0, 3))
def test_any_options_keep_their_length_and_a_right_checksum(
    options: bytes, kind: int, six: bool, ecn: int
) -> None:
    options += bytes(-len(options) % 4)
    at = 40 if six else 20
    data = syn(six, options[:40])
    edited = [without(data, at, kind), (clamped(data, at, 536) or (None,))[0], marked(data)]
    for one in edited:
        if one is not None:
            assert one != data
            assert len(one) == len(data)
            assert good_checksums(one)


@pytest.mark.parametrize("wrong", [1, 0x1234, 0xFFFE])
def test_a_wrong_checksum_stays_as_wrong(wrong: int) -> None:
    data = syn(False)
    total = int.from_bytes(data[36:38]) + wrong
    bad = data[:36] + ((total >> 16) + total & 0xFFFF).to_bytes(2) + data[38:]
    changed = without(bad, 20, 4)
    assert changed is not None
    assert not good_checksums(changed)
