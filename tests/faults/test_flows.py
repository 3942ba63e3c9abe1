"""How much of each connection is remembered, met and missed by one."""

from __future__ import annotations

import frames
import pytest

from trioecho.faults.fate import Packet
from trioecho.faults.fates import Fates
from trioecho.faults.faults import parse
from trioecho.faults.flows import Flow, Flows
from trioecho.model import ACK, SYN, Frame, Segment
from trioecho.packet.decode import decode


def segment(flags: int, seq: int, payload: bytes = b"", port: int = 0) -> Segment:
    data = frames.tcp("client", flags, seq, 1, payload, port=port)
    found = decode(Frame(1, 0, data, frames.RAW, len(data)))
    assert found is not None
    return found


@pytest.mark.parametrize(("count", "known"), [(4_096, True), (4_097, False)])
def test_so_many_items_of_data_are_known_again(count: int, known: bool) -> None:
    flow = Flow(1)
    for at in range(count):
        flow.see("client", segment(ACK, 1000 + at, b"x"), True)
    kinds = [sight.kind for sight in flow.see("client", segment(ACK, 1000, b"x"), True)]
    assert ("data" in kinds) is known


@pytest.mark.parametrize(("count", "known"), [(64, True), (65, False)])
def test_so_many_syns_are_known_again(count: int, known: bool) -> None:
    flow = Flow(1)
    for at in range(count):
        flow.see("client", segment(SYN, 1000 + at), False)
    (_, sight) = flow.see("client", segment(SYN, 1000 + count - 1), False)
    assert (sight.transmission == 2) is known


def test_so_many_items_are_known_over_all_connections() -> None:
    flows = Flows()
    packed = 4_000
    first = segment(ACK, 1000, b"x")
    for port in range(50):
        for at in range(packed):
            flow, _ = flows.see("client", segment(ACK, 1000 + at, b"x", port), True)
    assert flows.see("client", first, True)[0].number == 1
    flow, _ = flows.see("client", segment(ACK, 1000 + packed, b"x", 49), True)
    assert flow.number == 50
    assert flows.see("client", segment(ACK, 1000, b"x", 1), True)[0].number == 51


@pytest.mark.parametrize(("others", "kept"), [(999, True), (1_000, False)])
def test_so_many_segments_are_held(others: int, kept: bool) -> None:
    fates = Fates([parse("reorder client data 1 2")])

    def send(number: int, seq: int, port: int) -> int:
        data = frames.tcp("client", ACK, seq, 1, b"x", port=port)
        found = decode(Frame(1, 0, data, frames.RAW, len(data)))
        return len(fates.decide(Packet(number, "client", number, data, found)).deliveries)

    for port in range(others + 1):
        assert send(port + 1, 1000, port) == 1
    assert send(others + 2, 1001, 0) == 1 + kept
