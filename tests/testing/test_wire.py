"""What the fixture says of what was on the wire."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest
import quiet
import trio
from needs import need_wires

from trioecho.errors import TrioechoError
from trioecho.model import FIN, State
from trioecho.render.script import write
from trioecho.testing import Wire, open_wire
from trioecho.view import read


def talk(wire: Wire, data: bytes = b"hello", port: int = 7) -> None:
    """A client sends, a server reads to the end, both close."""
    with closing(wire.server.listen(port)) as listener:
        with wire.client.connect((wire.server.address, port)) as client:
            client.sendall(data)
        peer, _ = listener.accept()
        with peer:
            while peer.recv(65536):
                pass


def test_a_connection_from_its_first_segment_to_its_last(wire: Wire) -> None:
    assert (wire.connections, wire.rungs) == ((), ())
    with pytest.raises(AssertionError, match="There is no connection"):
        wire.connection()
    talk(wire)
    wire.settle()
    connection = wire.connection()
    assert connection.handshake_complete
    assert connection.handshake_time is not None
    assert connection.closed_by == "fin"
    assert (connection.client_state, connection.server_state) == (State.TIME_WAIT, State.CLOSED)
    assert (connection.client_bytes, connection.server_bytes) == (5, 0)
    assert connection.retransmissions == connection.resets == 0
    assert connection.client.ip == wire.client.address
    assert (connection.server.ip, connection.server.port) == (wire.server.address, 7)
    assert connection.rungs == wire.rungs
    assert connection.client_segments + connection.server_segments == len(wire.rungs)
    assert len(connection.notes("connection-fin")) == 2
    assert (connection.notes("retransmission"), connection.lost) == ((), ())
    assert repr(connection) == (
        f"<connection 1: {connection.client} TIME-WAIT to 10.0.0.2:7 CLOSED; handshake complete;"
        " closed by fin; client 5 bytes, server 0 bytes; 0 retransmissions; 0 resets>"
    )


def test_a_quiet_wire_sees_no_segment_twice() -> None:
    """`make quiet` does it a thousand times beside busy processes."""
    need_wires()
    assert quiet.main(tests=20, busy=0) == 0


def test_a_probe_is_counted_apart(wire: Wire) -> None:
    wire.client.sysctl("net.ipv4.tcp_early_retrans", 3)
    wire.fault("delay 10ms", "drop client data 4-5")
    with wire.server.listen(7) as listening, wire.client.connect((wire.server.address, 7)) as ours:
        theirs, _ = listening.accept()
        with theirs:
            ours.sendall(b"one")
            assert theirs.recv(16) == b"one"
            ours.sendall(bytes(4 * 1448))
            assert len(theirs.recv(4 * 1448, socket.MSG_WAITALL)) == 4 * 1448
            connection = wire.connection()
    assert (connection.retransmissions, connection.probes) == (1, 1), str(connection)
    assert connection.count("retransmission") == 2
    assert connection.count("retransmission", without="tail-loss-probe") == 1


def test_a_connection_is_a_picture_of_its_moment(wire: Wire) -> None:
    wire.server.listen(7)
    client = wire.client.connect((wire.server.address, 7))
    before = wire.connection()
    client.sendall(b"hello")
    assert before.client_bytes == 0
    assert wire.connection().client_bytes == 5
    assert len(wire.connection().rungs) > len(before.rungs)


def test_a_note_that_does_not_exist(wire: Wire) -> None:
    talk(wire)
    with pytest.raises(
        TrioechoError, match=r"no kind of fact 'retransmit'\. Did you mean .* There are .*ack"
    ):
        wire.connection().notes("retransmit")


def test_several_connections(wire: Wire) -> None:
    talk(wire, port=7)
    talk(wire, b"more", port=8)
    wire.settle()
    assert [one.server.port for one in wire.connections] == [7, 8]
    assert wire.connection(2).client_bytes == 4
    assert {rung.connection for rung in wire.connection(2).rungs} == {2}
    with pytest.raises(AssertionError, match=r"Which of the 2 connections\?\n  <connection 1: "):
        wire.connection()
    for number in (0, 3):
        with pytest.raises(AssertionError, match=f"There is no connection {number}, only"):
            wire.connection(number)


def test_faults(wire: Wire) -> None:
    wire.fault("Drop client DATA 1", "drop client data 7")
    talk(wire)
    wire.settle()
    assert wire.faults == ["Drop client DATA 1", "drop client data 7"]
    assert wire.connection().retransmissions == 1
    (lost,) = wire.connection().lost
    assert lost.fault == "Drop client DATA 1"
    (sentence,) = wire.unmatched
    assert sentence.startswith("'drop client data 7' never matched: the client sent 1 segment")
    with pytest.raises(TrioechoError, match="'break'"):
        wire.fault("break syn")
    with pytest.raises(TrioechoError, match="comes too late"):
        wire.fault("mtu 576")
    assert len(wire.faults) == 2


def use(strict: bool, error: Exception | None = None) -> None:
    """A wire on which a fault matches, and another one does not."""
    with open_wire(["drop fin", "delay syn 1ms"]) as wire:
        wire.strict()
        wire.strict(strict)
        wire.server.listen(7)
        wire.client.connect((wire.server.address, 7))
        if error is not None:
            raise error


def test_a_strict_wire_fails_at_its_end() -> None:
    need_wires()
    with pytest.raises(
        AssertionError, match=r"^The wire is strict, and 'drop fin' never matched: "
    ):
        use(strict=True)
    use(strict=False)
    with pytest.raises(LookupError):
        use(strict=True, error=LookupError())


def test_it_can_be_written_in_each_format(wire: Wire, tmp_path: Path) -> None:
    wire.fault("corrupt client data", "duplicate client data 2")
    talk(wire)
    wire.settle()
    (tmp_path / "it.pcapng").write_bytes(wire.render())
    again = read(tmp_path / "it.pcapng")
    assert write(again.rungs) == write(wire.rungs)
    assert write(again.rungs) in wire.render("ladder").decode()
    assert "broken on the wire" in wire.render("terminal").decode()
    assert wire.render("svg").startswith(b"<svg ")
    assert wire.render("json").count(b"\n") == len(wire.rungs) + 1
    with pytest.raises(TrioechoError, match=r"no format 'pcap'\. There are terminal, json"):
        wire.render("pcap")


@pytest.mark.wire("mtu 576", "delay 5ms")
def test_faults_from_the_beginning(wire: Wire) -> None:
    talk(wire, b"x" * 5000)
    wire.settle()
    assert wire.faults == ["mtu 576", "delay 5ms"]
    assert max(rung.segment.frame.length for rung in wire.rungs) == 576


@pytest.mark.wire("delay 3600s")
def test_what_is_under_way_is_seen_and_not_lost(wire: Wire) -> None:
    with wire.client.inside(), socket.socket() as client:
        client.setblocking(False)
        assert client.connect_ex((wire.server.address, 7)) != 0
        (rung,) = wire.rungs
        assert (rung.lost, rung.arrived) == (False, None)
        assert wire.connection().rungs == (rung,)
        with pytest.raises(AssertionError, match="has ended after 0 s:\n  <connection 1: "):
            wire.settle(0)
    assert "lost" not in wire.ladder()


def test_match(wire: Wire) -> None:
    wire.fault("drop client data 1")
    talk(wire)
    wire.settle()
    ladder = """
        >  S  0:0(0)          | SYN-SENT     LISTEN
        <  S. 0:0(0) ack 1
        >  .  1:1(0) ack 1
        >  P. 1:6(5) ack 1 lost
        >  F. 6:6(0) ack 1
    """
    with pytest.raises(AssertionError) as caught:
        wire.match(ladder)
    text = str(caught.value)
    assert text.startswith("The wire carried other segments (+) than expected (-):\n  > S 0:0(0)")
    assert "\n- " not in text
    assert "retransmission of 4" in text
    wire.match(write(wire.rungs))
    with pytest.raises(TrioechoError, match="line 1: expected > or <, not 'over'"):
        wire.match("over")


def test_who_listens(wire: Wire) -> None:
    """Its kernel tells, whoever has made the socket."""
    for listens in (False, True, False):
        listener = wire.server.listen(7) if listens else None
        if listener is None:
            with pytest.raises(ConnectionRefusedError):
                wire.client.connect((wire.server.address, 7))
        else:
            wire.client.connect((wire.server.address, 7)).close()
            listener.close()
        syn = wire.connection(len(wire.connections)).rungs[0]
        assert syn.server_state is (State.LISTEN if listens else State.UNKNOWN)


def test_settle_says_what_is_still_open(wire: Wire) -> None:
    wire.settle(0)
    wire.server.listen(7)
    wire.client.connect((wire.server.address, 7))
    with pytest.raises(AssertionError) as caught:
        wire.settle(0)
    assert "ESTABLISHED" in str(caught.value)
    assert "loop" not in str(caught.value)


async def test_settle_in_a_task_says_how_to_let_the_loop_go_on(wire: Wire) -> None:
    wire.server.listen(7)
    client = wire.client.connect((wire.server.address, 7))
    with pytest.raises(AssertionError, match=r"trio\.to_thread\.run_sync\(wire\.settle\)"):
        wire.settle(0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    await trio.to_thread.run_sync(wire.settle)
    assert wire.connection().closed_by == "rst"


def test_the_ladder_that_is_shown_is_bounded(wire: Wire) -> None:
    listener = wire.server.listen(7)
    client = wire.client.connect((wire.server.address, 7))
    peer, _ = listener.accept()
    with peer:
        for _ in range(300):
            client.sendall(b"x")
            assert peer.recv(1) == b"x"
    lines = wire.ladder().splitlines()
    assert len(lines) == 401
    assert lines[0] == "private wire"
    assert lines[200].endswith("lines left out; wire.rungs has all …")
    assert len(wire.rungs) > 200


CLOSED = 7  # TCP_CLOSE in Linux's tcp_states.h


@pytest.mark.parametrize("fin", [False, True], ids=["CLOSE-WAIT", "CLOSING"])
def test_a_server_that_closes_before_the_data_come(wire: Wire, fin: bool) -> None:
    """Its RST has the number of its FIN, and the client's kernel takes it."""
    wire.fault("delay client data 150ms")
    with closing(wire.server.listen(7)) as listener:
        client = wire.client.connect((wire.server.address, 7))
        peer, _ = listener.accept()
        client.sendall(b"ping")
        if fin:
            client.shutdown(socket.SHUT_WR)
        peer.close()
        wire.settle()
    connection = wire.connection()
    (reset,) = connection.notes("connection-rst")[:1]
    assert fin or connection.closed_by == "rst"
    assert connection.client_state is State.CLOSED
    rst = next(rung for rung in connection.rungs if rung.notes and reset in rung.notes)
    theirs = [rung for rung in connection.rungs if rung.sender == "server"]
    number = next(rung for rung in theirs if rung.segment.flags & FIN).seq
    assert rst.seq in ({number, number + 1} if fin else {number})
    assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == CLOSED


def test_a_server_that_closes_with_data_unread(wire: Wire) -> None:
    with closing(wire.server.listen(7)) as listener:
        client = wire.client.connect((wire.server.address, 7))
        client.sendall(b"ping")
        client.shutdown(socket.SHUT_WR)
        peer, _ = listener.accept()
        assert peer.recv(4, socket.MSG_PEEK) == b"ping"
        peer.close()
        wire.settle()
    assert wire.connection().closed_by == "rst"
    assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == CLOSED
