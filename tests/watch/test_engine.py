from __future__ import annotations

from collections.abc import Iterator

import pytest
from frames import RAW, tcp

from trioecho.model import ACK, FIN, SYN, Frame, Process
from trioecho.watch import Wanted
from trioecho.watch.engine import Engine

START = 1_700_000_000_000_000_000


class Wire:
    """Frames, one microsecond after the other."""

    def __init__(self) -> None:
        self.number = 0

    def frame(self, data: bytes, interface: int = 0) -> Frame:
        self.number += 1
        time = START + self.number * 1000
        return Frame(self.number, time, data, RAW, len(data), interface)

    def connection(self, port: int) -> Iterator[Frame]:
        """One that opens and closes."""
        for sender, flags, seq, ack in (
            ("client", SYN, 0, 0),
            ("server", SYN | ACK, 0, 1),
            ("client", ACK, 1, 1),
            ("client", FIN | ACK, 1, 1),
            ("server", FIN | ACK, 1, 2),
            ("client", ACK, 2, 2),
        ):
            yield self.frame(tcp(sender, flags, seq, ack, port=port))

    def opening(self, port: int) -> Iterator[Frame]:
        """One that opens and stays."""
        yield self.frame(tcp("client", SYN, 0, port=port))
        yield self.frame(tcp("server", SYN | ACK, 0, 1, port=port))
        yield self.frame(tcp("client", ACK, 1, 1, port=port))


def test_a_connection_that_is_forgotten_has_no_account_any_more() -> None:
    engine, wire = Engine(several=False, most=10, accounted=True), Wire()
    for port in range(20):
        engine.rungs(wire.connection(port))
    assert engine.accounts is not None
    known = [one.number for one in engine.tracker.connections]
    assert len(known) <= 10
    assert [account.connection for account in engine.accounts.end()] == known


def test_connections_are_kept_to_a_bound_and_keep_their_numbers() -> None:
    engine, wire = Engine(several=True, most=100), Wire()
    for port in range(1000):
        (*_, last) = engine.rungs(wire.connection(port))
        assert last.connection == port + 1
        assert len(engine.tracker.connections) <= 100
    numbers = [one.number for one in engine.tracker.connections]
    assert numbers == list(range(numbers[0], 1001))
    assert len(engine.tracker._by_flow) == 2 * len(numbers)
    assert len(engine._sights) == 2 * len(numbers)
    summary = engine.summary(["lo"], 0)
    assert [one.number for one in summary.connections] == numbers
    assert summary.forgotten == 1000 - len(numbers)
    assert engine.tracker.count == 1000


def test_open_connections_outlive_closed_ones() -> None:
    engine, wire = Engine(several=False, most=100), Wire()
    engine.rungs(wire.opening(0))
    for port in range(1, 500):
        engine.rungs(wire.connection(port))
    assert engine.tracker.connections[0].number == 1
    assert engine.open() == 1
    (rung,) = engine.rungs([wire.frame(tcp("client", FIN | ACK, 1, 1))])
    assert (rung.connection, rung.seq) == (1, 1)


def test_of_open_connections_the_longest_idle_go() -> None:
    engine, wire = Engine(several=False, most=100), Wire()
    for port in range(500):
        engine.rungs(wire.opening(port))
        engine.rungs([wire.frame(tcp("client", ACK, 1, 1))])  # the first is never idle
    numbers = [one.number for one in engine.tracker.connections]
    assert numbers[0] == 1
    assert numbers[1] > 350
    assert numbers[-1] == 500


def test_a_late_segment_of_a_forgotten_connection_begins_in_the_middle() -> None:
    engine, wire = Engine(several=False, most=10), Wire()
    for port in range(20):
        engine.rungs(wire.connection(port))
    (rung,) = engine.rungs([wire.frame(tcp("client", ACK, 2, 2))])
    assert rung.connection == 21
    assert not engine.tracker.connections[-1].opening


def test_the_second_sight_of_a_frame_is_no_retransmission() -> None:
    engine, wire = Engine(several=True), Wire()
    rungs = []
    for frame in wire.connection(0):
        # Each end's segments are seen on its own interface first.
        places = (1, 2) if frame.data[22:24] == b"\x00\x07" else (2, 1)
        for place in places:
            rungs += engine.rungs([wire.frame(frame.data, place)])
    assert len(rungs) == engine.frames == engine.copies == 6
    assert not any(note.kind == "retransmission" for rung in rungs for note in rung.notes)
    assert engine.interfaces == {1, 2}
    names = ["lo", "left", "right"]
    assert engine.summary(names, 0).capture.interface == "left, right"


def test_a_repetition_on_the_same_interface_is_one() -> None:
    engine, wire = Engine(several=True), Wire()
    syn = tcp("client", SYN, 0)
    _, again = engine.rungs([wire.frame(syn, 1), wire.frame(syn, 1)])
    assert "retransmission" in [note.kind for note in again.notes]
    assert engine.copies == 0


def test_ports_that_are_used_again_on_another_interface_are_another_connection() -> None:
    engine, wire = Engine(several=True), Wire()
    engine.rungs([wire.frame(frame.data, 1) for frame in wire.connection(0)])
    rungs = engine.rungs(
        [
            wire.frame(tcp("client", SYN, 77777), 2),
            wire.frame(tcp("server", SYN | ACK, 5, 77778), 2),
            wire.frame(tcp("client", ACK, 77778, 6), 2),
        ]
    )
    assert [rung.connection for rung in rungs] == [2, 2, 2]
    assert engine.copies == 0


def test_what_is_sent_again_is_seen_on_another_interface_when_the_first_is_left() -> None:
    engine, wire = Engine(several=True), Wire()
    syn = tcp("client", SYN, 0)
    engine.rungs([wire.frame(syn, 1)])
    engine.leave(1)
    (again,) = engine.rungs([wire.frame(syn, 2)])
    assert "retransmission" in [note.kind for note in again.notes]


def test_no_more_rungs_than_wanted() -> None:
    engine, wire = Engine(several=False), Wire()
    assert len(engine.rungs(wire.connection(0), limit=4)) == 4
    assert engine.frames == 4


def test_what_is_no_tcp_is_passed_over() -> None:
    engine, wire = Engine(several=True), Wire()
    assert engine.rungs([wire.frame(b"\x45" + bytes(30)), wire.frame(b"")]) == []
    assert (engine.frames, engine.start, engine.interfaces) == (0, None, set())
    assert engine.summary(["lo", "eth0"], 3).capture.interface == "lo, eth0"


def test_only_what_is_wanted_is_told() -> None:
    wire = Wire()
    (syn, _) = Engine(several=True).rungs(wire.opening(2))[:2]
    wanted = Wanted(port=syn.segment.source.port)
    engine = Engine(several=True, selects=wanted.selects)
    assert engine.rungs(wire.connection(1)) == []
    assert len(engine.rungs([*wire.opening(3), *wire.connection(2)])) == 6
    assert (engine.frames, engine.tracker.count) == (6, 1)


def test_new_connections_are_told() -> None:
    engine, wire = Engine(several=False), Wire()
    engine.rungs(wire.connection(0))
    engine.rungs([*wire.connection(1), *wire.connection(2)])
    assert [one.number for one in engine.newest(1)] == [2, 3]
    assert list(engine.newest(3)) == []


def test_new_connections_that_are_forgotten_already_are_not_told() -> None:
    """Those of a port scan are closed at once, and go before the open ones."""
    engine, wire = Engine(several=False, most=100), Wire()
    for port in range(95):
        engine.rungs(wire.opening(port))
    engine.rungs([frame for port in range(95, 115) for frame in wire.connection(port)])
    assert engine.tracker.count == 115
    kept = [one.number for one in engine.tracker.connections]
    assert [one.number for one in engine.newest(95)] == [number for number in kept if number > 95]


@pytest.mark.parametrize(("number", "known"), [(0, False), (1, True), (2, False)])
def test_a_process_is_kept_with_its_connection(number: int, known: bool) -> None:
    engine, wire = Engine(several=False), Wire()
    engine.rungs(wire.opening(0))
    process = Process(START, number, "server", 7, "echod")
    assert engine.hold(process) is known
    (summary,) = engine.summary(["lo"], 0).connections
    assert summary.client_process == ""
    assert summary.server_process == ("echod (pid 7)" if known else "")


def test_processes_are_forgotten_with_their_connections() -> None:
    engine, wire = Engine(several=False, most=10), Wire()
    for port in range(100):
        engine.rungs(wire.connection(port))
        assert engine.hold(Process(START, port + 1, "client", port, "program"))
    assert len(engine._processes) == len(engine.tracker.connections)
    assert not engine.hold(Process(START, 1, "client", 1, "program"))
