"""Whose a segment is, also in tunnels, and what very many connections take."""

from __future__ import annotations

import tracemalloc

import pytest
from frames import RAW, seen, tcp
from msgspec.structs import replace

from trioecho.model import ACK, SYN, Call, End, Endpoint, Frame, Segment, State
from trioecho.packet.decode import decode
from trioecho.tcp.tracker import Tracker


def syns(many: int) -> list[Segment]:
    """So many SYNs, each from a port of its own."""
    made = []
    for number in range(1, many + 1):
        data = tcp("client", SYN, number * 7919, port=number)
        segment = decode(Frame(number, number * 1_000_000, data, RAW, len(data)))
        assert segment is not None
        made.append(segment)
    return made


def test_a_flood_of_syns_takes_little_memory() -> None:
    """A connection that never came to a second segment takes about 2 KB."""
    flood = syns(5_000)
    tracker = Tracker()
    tracemalloc.start()
    for segment in flood:
        tracker.noticed(segment)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tracker.count == len(flood)
    assert taken / len(flood) < 2_500


def within(tunnel: str, sender: str, flags: int, seq: int, ack: int = 0) -> Segment:
    """A segment of the one pair of ends, in a tunnel."""
    data = tcp(sender, flags, seq, ack)
    segment = decode(Frame(1, 0, data, RAW, len(data)))
    assert segment is not None
    return replace(segment, tunnel=tunnel)


@pytest.mark.parametrize("tunnels", [("VXLAN 1", "VXLAN 2"), ("", "VXLAN 2"), ("VXLAN 1", "")])
def test_the_same_ends_in_two_tunnels_are_two_connections(tunnels: tuple[str, str]) -> None:
    """Also where both chose the same ISN, and their segments come in turn."""
    tracker = Tracker()
    for step in (
        ("client", SYN, 100, 0),
        ("server", SYN | ACK, 500, 101),
        ("client", ACK, 101, 501),
    ):
        for tunnel in tunnels:
            tracker.seen(within(tunnel, *step))
    first, second = tracker.connections
    assert (first.tunnel, second.tunnel) == tunnels
    for one in (first, second):
        assert (one.client.segments, one.server.segments) == (2, 1)
        assert one.summary().retransmissions == 0
        assert one.handshake_time == 0


def test_in_the_middle_too() -> None:
    tracker = Tracker()
    for tunnel in ("GRE key 1", "GRE key 2", "GRE key 1"):
        tracker.noticed(within(tunnel, "client", ACK, 101, 501))
        tracker.noticed(within(tunnel, "server", ACK, 501, 101))
    assert [one.tunnel for one in tracker.connections] == ["GRE key 1", "GRE key 2"]


@pytest.mark.parametrize(("ack", "joined"), [(100, False), (101, True), (102, False)])
def test_a_tunnel_for_each_direction(ack: int, joined: bool) -> None:
    """They are of one connection when the SYN-ACK in one acknowledges the SYN in the other."""
    tracker = Tracker()
    tracker.seen(within("VXLAN 1", "client", SYN, 100))
    tracker.seen(within("VXLAN 2", "server", SYN | ACK, 500, ack))
    tracker.seen(within("VXLAN 1", "client", ACK, 101, 501))
    tracker.seen(within("VXLAN 2", "server", ACK, 501, 101))
    assert tracker.count == (1 if joined else 2)
    if joined:
        assert tracker.connections[0].tunnel == "VXLAN 1 and VXLAN 2"
        assert tracker.connections[0].server.segments == 2


def test_a_tunnel_for_each_direction_when_the_ports_are_used_again() -> None:
    tracker = Tracker()
    for isn in (100, 7_000_000):
        tracker.seen(within("VXLAN 1", "client", SYN, isn))
        tracker.seen(within("VXLAN 2", "server", SYN | ACK, isn * 2, isn + 1))
        tracker.seen(within("VXLAN 1", "client", ACK, isn + 1, isn * 2 + 1))
    assert [one.client.segments for one in tracker.connections] == [2, 2]
    assert [one.server.segments for one in tracker.connections] == [1, 1]
    tracker.forget(tracker.connections)
    tracker.seen(within("VXLAN 2", "server", SYN | ACK, 14_000_000, 7_000_001))
    assert tracker.count == 3


@pytest.mark.parametrize("first", ["VXLAN 1", "VXLAN 2"])
def test_a_syn_is_answered_in_one_tunnel(first: str) -> None:
    """Also when its answer is repeated there; the same answer in a third is not its own."""
    tracker = Tracker()
    tracker.seen(within("VXLAN 1", "client", SYN, 100))
    for tunnel in (first, first, "VXLAN 3", "VXLAN 4"):
        tracker.seen(within(tunnel, "server", SYN | ACK, 500, 101))
    whole = "VXLAN 1" if first == "VXLAN 1" else "VXLAN 1 and VXLAN 2"
    assert [one.tunnel for one in tracker.connections] == [whole, "VXLAN 3", "VXLAN 4"]
    assert [one.server.segments for one in tracker.connections] == [2, 1, 1]


def test_only_a_syn_joins_two_tunnels() -> None:
    tracker = Tracker()
    tracker.seen(within("VXLAN 1", "client", SYN, 100))
    tracker.seen(within("VXLAN 2", "server", ACK, 500, 101))
    assert [one.tunnel for one in tracker.connections] == ["VXLAN 1", "VXLAN 2"]


@pytest.mark.parametrize("first", ["client", "server"])
def test_a_call_of_either_end_is_about_its_connection(first: End) -> None:
    """Whichever comes first: who is the client, the call tells."""
    one, other = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 7)
    tracker = Tracker()
    for end in (first, "server", "client"):
        local, peer = (one, other) if end == "client" else (other, one)
        assert tracker.called(call(end, "send", local, peer)) == 1
    (connection,) = tracker.connections
    assert (connection.client.endpoint, connection.server.endpoint) == (one, other)


@pytest.mark.parametrize(
    ("end", "name", "state"),
    [
        ("client", "close", State.CLOSED),
        ("server", "close", State.SYN_SENT),
        ("client", "send", State.SYN_SENT),
    ],
)
def test_only_a_close_of_the_client_gives_up(end: End, name: str, state: State) -> None:
    one, other = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 7)
    local, peer = (one, other) if end == "client" else (other, one)
    tracker = Tracker()
    tracker.expect(one, other).client.state = State.SYN_SENT
    tracker.called(call(end, name, local, peer))
    assert tracker.connections[0].client.state is state


LISTENS = ("0.0.0.0", 7), ("::", 7), ("10.0.0.2", 7)


@pytest.mark.parametrize("order", ["before", "between"])
@pytest.mark.parametrize(("ip", "port"), [*LISTENS, ("10.0.0.2", 8), ("10.0.0.3", 7)])
def test_a_server_is_in_listen_only_where_a_call_told_so(ip: str, port: int, order: str) -> None:
    """That a SYN comes tells nothing; until its socket is closed, a listener is known to listen."""
    known = State.LISTEN if (ip, port) in LISTENS else State.UNKNOWN
    tracker, listening = Tracker(), Endpoint(ip, port)
    if order == "before":
        tracker.listens(listening, now=True)
    assert tracker.seen(first(SYN)).server_state is (known if order == "before" else State.UNKNOWN)
    for now, state in ((True, known), (False, State.UNKNOWN)):
        tracker.listens(listening, now=now)
        assert tracker.seen(first(SYN)).server_state is state
    assert tracker.seen(first(SYN | ACK)).server_state is State.SYN_RECEIVED
    for now in (True, False):  # which a connection that has begun does not feel
        tracker.listens(listening, now=now)
        assert tracker.seen(first(SYN)).server_state is State.SYN_RECEIVED
    assert "LISTEN" not in tracker.summaries()[0].server_states


def first(flags: int) -> Segment:
    """The client's SYN, or the server's answer."""
    data = tcp("server", flags, 500, 101) if flags & ACK else tcp("client", flags, 100)
    segment = decode(Frame(1, 0, data, RAW, len(data)))
    assert segment is not None
    return segment


OPEN = "+0 > S 0:0(0)\n+0 < S. 0:0(0) ack 1\n+0 > . 1:1(0) ack 1\n"


@pytest.mark.parametrize(
    ("end", "name", "ends", "number"),
    [
        ("client", "socket", True, 2),
        ("server", "socket", True, 2),
        ("client", "close", True, 1),
        ("client", "socket", False, 1),
    ],
)
def test_a_new_socket_with_the_ports_of_a_closed_connection_is_for_another(
    end: End, name: str, ends: bool, number: int
) -> None:
    text = OPEN + "+0 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 2\n+0 > . 2:2(0) ack 2\n"
    if end == "client":
        text = OPEN + "+0 < F. 1:1(0) ack 1\n+0 > F. 1:1(0) ack 2\n+0 < . 2:2(0) ack 2\n"
    tracker, rungs = seen(text if ends else OPEN)
    one, other = rungs[0].segment.source, rungs[0].segment.destination
    local, peer = (one, other) if end == "client" else (other, one)
    assert tracker.called(call(end, name, local, peer)) == number
    assert tracker.connections[-1].reuses == (1 if number == 2 else None)


def call(end: End, name: str, local: Endpoint, peer: Endpoint) -> Call:
    return Call(5, end, "connection", 3, name, local=local, peer=peer)
