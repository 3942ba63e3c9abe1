"""What the faults remember, and for how long: each test fails when its number changes."""

from __future__ import annotations

import frames
import pytest

from trioecho.faults.fate import Decision, Packet
from trioecho.faults.fates import Fates
from trioecho.faults.faults import parse
from trioecho.faults.flows import Flow
from trioecho.model import ACK, FIN, RST, SYN, End, Frame, Segment
from trioecho.packet.decode import decode

SECOND = 1_000_000_000


def segment_in(data: bytes) -> Segment:
    segment = decode(Frame(1, 0, data, frames.RAW, len(data)))
    assert segment is not None
    return segment


def decided(fates: Fates, ladder: str) -> list[Decision]:
    """What becomes of a ladder's segments, each at its time."""
    decisions = []
    for line, frame in frames.frames(ladder):
        packet = Packet(frame.number, line.sender, frame.time, frame.data, segment_in(frame.data))
        decisions.append(fates.decide(packet))
    return decisions


def injected(fault: str, ladder: str) -> Segment:
    """The segment that follows a ladder's last one."""
    *_, last = decided(Fates([parse(fault)]), ladder)
    (forged,) = (one for one in last.deliveries if one.kind == "injected")
    return segment_in(forged.data)


# ---- segments that are held back for another -----------------------------------------------------

HELD = "+0 > P. 1:6(5) ack 1\n"


@pytest.mark.parametrize(("after", "given"), [(".999999999", [2, 1]), ("1", [2])])
def test_what_is_held_is_given_behind_the_other_within_a_second(
    after: str, given: list[int]
) -> None:
    """After a second it has been given already."""
    fates = Fates([parse("reorder client data 1 2")])
    first, second = decided(fates, f"{HELD}+{after} > P. 6:11(5) ack 1")
    assert [one.at - first.deliveries[0].at for one in first.deliveries] == [0]
    assert [one.number for one in second.deliveries] == given


@pytest.mark.parametrize(("many", "given"), [(1_000, [1_001, 1]), (1_001, [1_002])])
def test_a_thousand_are_held_and_the_eldest_let_go(many: int, given: list[int]) -> None:
    fates = Fates([parse("reorder client data 1 2")])
    for number in range(1, many + 1):
        data = frames.tcp("client", ACK, 1000, 1, b"x", port=number)
        fates.decide(Packet(number, "client", SECOND, data, segment_in(data)))
    data = frames.tcp("client", ACK, 1001, 1, b"x", port=1)
    last = fates.decide(Packet(many + 1, "client", SECOND, data, segment_in(data)))
    assert [one.number for one in last.deliveries] == given


# ---- forged segments ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ladder", "seq"),
    [("> S 0:0(0)", 1001), ("> . 1:1(0) ack 1", 0), ("> P. 1:6(5) ack 1", 0)],
)
def test_only_a_syn_tells_what_an_end_that_was_never_heard_expects(ladder: str, seq: int) -> None:
    assert injected("inject rst after client segment 1", ladder).seq == seq


@pytest.mark.parametrize(
    ("ladder", "ack"),
    [
        ("> S 0:0(0)", 1001),
        ("> S 0:0(0)\n> . 1:1(0) ack 1", 1001),
        ("> S 0:0(0)\n> . 1:1(0) ack 1\n> . 0:0(0) ack 1", 1001),
        ("> S 0:0(0)\n> . 1:1(0) ack 1\n> P. 1:6(5) ack 1", 1006),
        ("> S 0:0(0)\n> . 1:1(0) ack 1\n> P. 1:6(5) ack 1\n> F. 6:6(0) ack 1", 1007),
        ("> S 0:0(0)\n> . 1:1(0) ack 1\n> P. 1:6(5) ack 1\n> P. 1:4(3) ack 1", 1006),
    ],
)
def test_what_is_forged_acknowledges_the_highest_that_its_receiver_sent(
    ladder: str, ack: int
) -> None:
    number = len(ladder.splitlines())
    forged = injected(f"inject rst to client after client segment {number}", ladder)
    assert (forged.ack, forged.flags) == (ack, RST | ACK)


def test_a_reset_of_an_end_that_was_never_heard_acknowledges_nothing() -> None:
    forged = injected("inject rst after client segment 1", "> . 1:1(0) ack 1")
    assert (forged.ack, forged.flags, forged.window) == (None, RST, 0)


def test_a_forged_syn_is_far_from_what_is_expected() -> None:
    forged = injected("inject syn after client segment 1", "> S 0:0(0)")
    assert (forged.seq, forged.ack, forged.flags) == (1001 + (1 << 30), None, SYN)
    assert forged.window == 65_535


@pytest.mark.parametrize(
    ("fault", "seq"),
    [
        ("drop server ack", 1006),
        ("drop client data 1", 1001),
        ("delay client data 1 9ms", 1001),
        ("corrupt client data 1", 1001),
        ("reorder client data 1 2", 1001),
    ],
)
def test_a_forged_segment_comes_behind_what_has_arrived_by_then(fault: str, seq: int) -> None:
    fates = Fates([parse(fault), parse("inject rst after client data 1")])
    last = decided(fates, "> S 0:0(0)\n> P. 1:6(5) ack 1")[-1]
    (forged,) = (one for one in last.deliveries if one.kind == "injected")
    assert segment_in(forged.data).seq == seq


@pytest.mark.parametrize("acks", [[1, 6], [6, 1], [6, 1, 11], [11, 6]])
def test_a_forged_segment_begins_where_the_highest_ack_does(acks: list[int]) -> None:
    ladder = "".join(f"< . 1:1(0) ack {ack}\n" for ack in acks)
    forged = injected(f"inject rst to server after server segment {len(acks)}", ladder)
    assert forged.seq == 1000 + max(acks)


# ---- numbers of segments -------------------------------------------------------------------------


def sights(
    flow: Flow, end: End, flags: int, seq: int, length: int = 0
) -> list[tuple[str, int, int]]:
    segment = segment_in(frames.tcp(end, flags, seq, 1, bytes(length)))
    return [(one.kind, one.own, one.transmission) for one in flow.see(end, segment, True)]


def test_so_many_fins_are_known_when_they_come_again() -> None:
    flow = Flow(1)
    for number in range(66):
        sights(flow, "client", FIN | ACK, 1000 * number)
    assert ("fin", 64, 2) in sights(flow, "client", FIN | ACK, 63_000)
    assert ("fin", 67, 1) in sights(flow, "client", FIN | ACK, 64_000)


def test_each_segment_is_all_that_it_is() -> None:
    flow = Flow(1)
    assert sights(flow, "client", SYN, 999) == [("segment", 1, 1), ("syn", 1, 1)]
    assert sights(flow, "client", SYN, 999) == [("segment", 2, 1), ("syn", 1, 2)]
    assert sights(flow, "server", SYN | ACK, 4999) == [("segment", 1, 1), ("syn-ack", 1, 1)]
    assert sights(flow, "client", ACK, 1000) == [("segment", 3, 1), ("ack", 1, 1)]
    assert sights(flow, "client", ACK, 1000, 5) == [("segment", 4, 1), ("data", 1, 1)]
    assert sights(flow, "client", ACK, 1002, 5) == [
        ("segment", 5, 1),
        ("data", 1, 2),
        ("data", 2, 1),
    ]
    assert sights(flow, "client", ACK, 1005, 2) == [("segment", 6, 1), ("data", 2, 2)]
    assert sights(flow, "client", FIN | ACK, 1007, 3) == [
        ("segment", 7, 1),
        ("fin", 1, 1),
        ("data", 3, 1),
    ]
    assert sights(flow, "client", FIN | ACK, 1010) == [("segment", 8, 1), ("fin", 1, 2)]
    assert sights(flow, "client", RST | ACK, 1011) == [("segment", 9, 1), ("rst", 1, 1)]


def test_data_on_a_syn_stand_one_behind_it() -> None:
    flow = Flow(1)
    assert ("data", 1, 1) in sights(flow, "client", SYN, 999, 5)
    assert ("data", 1, 2) in sights(flow, "client", ACK, 1004, 1)
    assert ("data", 2, 1) in sights(flow, "client", ACK, 1005, 1)


@pytest.mark.parametrize(
    ("connections", "why"),
    [(1, "the client sent no FIN"), (2, "the client sent 1 FIN at most in any connection")],
)
def test_why_nothing_matched(connections: int, why: str) -> None:
    fates = Fates([parse("drop client fin 2" if connections == 2 else "drop client fin")])
    for number in range(connections):
        ladder = "> S 0:0(0)\n" + "> F. 1:1(0) ack 1\n" * (connections == 2)
        for line, frame in frames.frames(ladder.replace(">", f">{2 * number + 1}")):
            fates.decide(Packet(1, line.sender, frame.time, frame.data, segment_in(frame.data)))
    (sentence,) = fates.unmatched()
    assert sentence.endswith(f"never matched: {why}")


@pytest.mark.parametrize(
    ("connections", "wanted", "why"),
    [
        (1, 1, "the client sent no FIN"),
        (2, 1, "the client sent no FIN"),
        (2, 2, "the client sent no FIN"),
        (1, 2, "there was 1 connection"),
        (2, 3, "there was 2 connections"),
        (0, 1, "there was none"),
    ],
)
def test_a_connection_that_there_was_not(connections: int, wanted: int, why: str) -> None:
    fates = Fates([parse(f"drop client fin connection {wanted}")])
    decided(fates, "".join(f">{2 * number + 1} S 0:0(0)\n" for number in range(connections)))
    (sentence,) = fates.unmatched()
    assert sentence.endswith(f"never matched: {why}")
