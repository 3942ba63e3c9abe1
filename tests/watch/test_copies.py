"""Which interface's sight counts: frames that cross several, and flows that move to another."""

from __future__ import annotations

from frames import RAW, tcp

from trioecho.model import ACK, FIN, PSH, RST, SYN, Frame
from trioecho.packet.decode import decode
from trioecho.watch.copies import CopyFilter


class Watcher:
    """Tells of each packet whether it is taken, and not for a copy."""

    def __init__(self) -> None:
        self.filter = CopyFilter()

    def __call__(self, interface: int, *packets: bytes) -> list[bool]:
        taken = []
        for packet in packets:
            segment = decode(Frame(1, 1, packet, RAW, len(packet), interface))
            assert segment is not None
            taken.append(not self.filter.is_copy(segment))
        return taken


def connection(isn: int = 1000, peer: int = 5000) -> list[bytes]:
    """One that opens, echoes a byte and closes."""
    return [
        tcp("client", SYN, isn),
        tcp("server", SYN | ACK, peer, isn + 1),
        tcp("client", ACK, isn + 1, peer + 1),
        tcp("client", PSH | ACK, isn + 1, peer + 1, b"x"),
        tcp("server", PSH | ACK, peer + 1, isn + 2, b"x"),
        tcp("client", FIN | ACK, isn + 2, peer + 2),
        tcp("server", FIN | ACK, peer + 2, isn + 3),
        tcp("client", ACK, isn + 3, peer + 3),
    ]


def test_what_crosses_a_second_interface_is_a_copy() -> None:
    watcher = Watcher()
    for packet in connection():
        assert watcher(1, packet) == [True]
        assert watcher(2, packet) == [False]
    assert watcher.filter.interfaces == {1}
    assert len(watcher.filter) == 2


def test_copies_may_come_much_later() -> None:
    watcher = Watcher()
    assert all(watcher(1, *connection()))
    assert not any(watcher(2, *connection()))


def test_each_direction_has_its_own_interface() -> None:
    watcher = Watcher()
    assert watcher(1, tcp("client", SYN, 0)) == [True]
    assert watcher(2, tcp("client", SYN, 0), tcp("server", SYN | ACK, 9, 1)) == [False, True]
    assert watcher(1, tcp("server", SYN | ACK, 9, 1), tcp("client", ACK, 1, 10)) == [False, True]


def test_a_repetition_counts_where_its_direction_is_followed() -> None:
    watcher = Watcher()
    data = tcp("client", ACK, 1, 1, b"data")
    assert watcher(1, data, data) == [True, True]
    assert watcher(2, data, data) == [False, False]


def test_ports_that_are_used_again_begin_anew_on_any_interface() -> None:
    watcher = Watcher()
    for number, (isn, peer) in enumerate(((1000, 5000), (900, 4000), (1 << 31, 7), (3, 7))):
        here, there = number % 2, (number + 1) % 2
        for packet in connection(isn, peer):
            assert watcher(here, packet) == [True]
            assert watcher(there, packet) == [False]
    assert len(watcher.filter) == 2


def test_an_attempt_that_is_refused_again_on_another_interface() -> None:
    watcher = Watcher()
    for interface, isn in ((1, 1000), (2, 900)):
        attempt = [tcp("client", SYN, isn), tcp("server", RST | ACK, 0, isn + 1)]
        assert watcher(interface, *attempt) == [True, True]


def test_syns_that_cross_and_their_copies() -> None:
    watcher = Watcher()
    for flags, ack in ((SYN, 0), (SYN | ACK, 1)):
        pair = [tcp("client", flags, 0, ack), tcp("server", flags, 0, ack)]
        assert watcher(1, *pair) == [True, True]
        assert watcher(2, *pair) == [False, False]


def test_a_flow_goes_on_where_it_shows_more() -> None:
    """A bond fails over to another member; its data and then its ACKs come there."""
    watcher = Watcher()
    assert watcher(1, tcp("client", ACK, 1, 1, b"one")) == [True]
    assert watcher(2, tcp("client", ACK, 4, 1, b"two")) == [True]
    assert watcher(3, tcp("client", ACK, 4, 1, b"two")) == [False]
    assert watcher(1, tcp("client", ACK, 7, 1)) == [False]
    assert watcher(1, tcp("client", ACK, 7, 9)) == [True]
    assert watcher.filter.interfaces == {1, 2}


def test_numbers_wrap() -> None:
    watcher = Watcher()
    assert watcher(1, tcp("client", ACK, 0xFFFFFFFE, 0xFFFFFFFF, b"four")) == [True]
    assert watcher(2, tcp("client", ACK, 0xFFFFFFFE, 0xFFFFFFFF, b"four")) == [False]
    assert watcher(2, tcp("client", ACK, 2, 0xFFFFFFFF)) == [False]
    assert watcher(2, tcp("client", ACK, 2, 0)) == [True]


def test_what_another_interface_showed_is_repeated_elsewhere_once_it_is_left() -> None:
    watcher = Watcher()
    data = tcp("client", ACK, 1, 1, b"data")
    assert watcher(1, data) == [True]
    watcher.filter.leave(1)
    assert watcher(2, data, data) == [True, True]
    assert watcher(3, data) == [False]
    watcher.filter.leave(1)
    assert watcher(2, data) == [True]
