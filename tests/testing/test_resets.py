"""Resets of real kernels: the reason told is the one that the test brought about.

Elsewhere, since they need more than two sockets:

- ``program-stopped``: tests/cli/test_run_ends.py, where ``run`` stops the programs
- a reset because of Ctrl-C: tests/test_trace.py

Not here, since no kernel of ours can be brought to send it on a wire that knows:

- ``no-ack-of-syn``: an old reset counts for the connection that it was sent in, and ours forges
  each with the right ACK
- net.ipv4.tcp_abort_on_overflow: Linux 6.18 forgets the attempt that finds the queue full, and
  sends nothing
"""

# covers: tcp/rules/resets, tcp/rules/refusals

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress

import pytest

from trioecho.model import Rung, State
from trioecho.tcp.rules.refusals import NotNext
from trioecho.tcp.rules.resets import Aborted, ConnectionRst
from trioecho.testing import Wire

PORT = 7
MSS = 1448  # with timestamps
KIND = "connection-rst"
LINGER_0 = struct.pack("ii", 1, 0)


def pair(wire: Wire) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection; whoever takes them closes them."""
    with closing(wire.server.listen(PORT)) as listener:
        ours = wire.client.connect((wire.server.address, PORT))
        return ours, listener.accept()[0]


def causes(wire: Wire) -> list[str]:
    return [
        note.cause for rung in wire.rungs for note in rung.notes if isinstance(note, ConnectionRst)
    ]


def kinds(rung: Rung) -> list[str]:
    return [note.kind for note in rung.notes]


def arrived(wire: Wire, sender: str) -> list[Rung]:
    return [rung for rung in wire.rungs if rung.sender == sender and rung.arrived is not None]


def wait(happens: Callable[[], object]) -> None:
    """Wait until something is seen on the wire."""
    for _ in range(1_000):
        if happens():
            return
        time.sleep(0.01)
    raise TimeoutError


def is_reset(one: socket.socket) -> bool:
    """Whether a reset has ended its connection; otherwise it gets what the other end sends."""
    try:
        return not one.recv(1)
    except ConnectionResetError:
        return True


# ---- which ones an end takes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "sack", "taken"),
    [
        (0, True, True),  # what it waits for
        (1, True, False),
        (MSS, True, False),  # where what it has behind the hole begins
        (2 * MSS - 1, True, False),
        (2 * MSS, True, True),  # where that ends: what a peer that aborts would send
        (2 * MSS, False, False),
        (2 * MSS + 1, True, False),
    ],
)
def test_behind_a_hole(wire: Wire, offset: int, sack: bool, taken: bool) -> None:
    wire.server.sysctl("net.ipv4.tcp_sack", int(sack))
    wire.fault("drop client data 1", f"inject rst to server offset {offset} after client data 2")
    ours, theirs = pair(wire)
    with ours, theirs:
        ours.sendall(bytes(2 * MSS))
        assert is_reset(theirs) is taken
        ladder = wire.connection()
        assert (ladder.server_state is State.CLOSED) is taken, ladder
        assert causes(wire)[0] == ("forged" if taken else "challenged"), ladder


@pytest.mark.parametrize("closes", [True, False])
def test_in_fin_wait_2_it_depends_on_what_no_segment_tells(wire: Wire, closes: bool) -> None:
    """Linux keeps little of an end whose program has closed, and takes any within the window."""
    wire.fault("inject rst to client offset 1000 after server ack 1")
    ours, theirs = pair(wire)
    with ours, theirs:
        if closes:
            ours.close()
        else:
            ours.shutdown(socket.SHUT_WR)
        wait(lambda: causes(wire))
        theirs.sendall(b"more")
        if not closes:
            assert ours.recv(4) == b"more"
        else:
            assert is_reset(theirs)
        assert NotNext(closed=True) in [note for rung in wire.rungs for note in rung.notes]
        assert (wire.connection().client_state is State.CLOSED) is closes


def test_who_aborts_is_gone_though_its_reset_is_not_believed(wire: Wire) -> None:
    """The challenge ACK finds no connection, and the reset that answers it is taken."""
    wire.server.sysctl("net.ipv4.tcp_sack", 0)
    wire.fault("drop client data 1")
    ours, theirs = pair(wire)
    with theirs:
        ours.sendall(bytes(2 * MSS))
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        ours.close()
        assert is_reset(theirs)
    resets = [rung for rung in wire.rungs if rung.notes and rung.notes[0].kind == KIND]
    assert causes(wire)[:2] == ["challenged", "no-connection"]
    assert [rung.client_state for rung in resets[:2]] == [State.CLOSED, State.CLOSED]
    assert [rung.server_state for rung in resets[:2]] == [State.ESTABLISHED, State.CLOSED]


# ---- why it was sent -----------------------------------------------------------------------------


def test_nothing_listens(wire: Wire) -> None:
    with pytest.raises(ConnectionRefusedError):
        wire.client.connect((wire.server.address, PORT))
    assert causes(wire) == ["refused"]
    assert [rung.server_state for rung in wire.rungs] == [State.UNKNOWN, State.CLOSED]


def test_a_server_closes_with_data_unread(wire: Wire) -> None:
    ours, theirs = pair(wire)
    with ours:
        ours.sendall(b"never read")
        assert theirs.recv(1, socket.MSG_PEEK)
        theirs.close()
        assert is_reset(ours)
    assert causes(wire)[0] == "unread-data"


def test_a_server_dies_with_data_unread(wire: Wire) -> None:
    program = (
        "import socket; one = socket.create_server(('', 7)).accept()[0];"
        "print(one.recv(1, socket.MSG_PEEK), flush=True); one.recv(1);"
        "__import__('time').sleep(60)"
    )
    server = wire.server.popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    wire.server.wait_listening(PORT)
    with wire.client.connect((wire.server.address, PORT)) as ours:
        ours.sendall(b"ab")
        assert server.stdout is not None
        assert server.stdout.readline() == b"b'a'\n"
        server.kill()
        assert is_reset(ours)
    assert causes(wire)[0] == "unread-data"


@pytest.mark.parametrize("end", ["client", "server"])
@pytest.mark.parametrize("unread", [True, False])
def test_an_abort(wire: Wire, end: str, unread: bool) -> None:
    """Who has answered may have had enough; where nothing came, nothing can be unread."""
    ours, theirs = pair(wire)
    mine, other = (ours, theirs) if end == "client" else (theirs, ours)
    with mine, other:
        if unread:
            other.sendall(b"hello")
            assert mine.recv(5, socket.MSG_PEEK) == b"hello"
            mine.sendall(b"enough")
            assert other.recv(6) == b"enough"
        else:
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        mine.close()
        assert is_reset(other)
    fact = next(note for rung in wire.rungs for note in rung.notes if note.kind == KIND)
    assert fact == Aborted(unread=unread, accepted=unread or end == "client")


@pytest.mark.parametrize("data", [b"", b"never read"])
def test_a_connection_that_nobody_accepts(wire: Wire, data: bytes) -> None:
    """Its listening socket is closed."""
    listener = wire.server.listen(PORT)
    with listener, wire.client.connect((wire.server.address, PORT)) as ours:
        ours.sendall(data)
        wait(lambda: any(rung.ack == 1 + len(data) for rung in arrived(wire, "server")) or not data)
        wait(lambda: wire.connection().server_state is State.ESTABLISHED)
        listener.close()
        assert is_reset(ours)
    assert causes(wire)[0] == ("unread-data" if data else "aborted")
    if not data:
        (reset,) = wire.connection().notes(KIND)
        assert reset == Aborted(unread=False, accepted=False)


def test_data_come_to_an_end_that_has_closed(wire: Wire) -> None:
    ours, theirs = pair(wire)
    with theirs:
        ours.close()
        assert theirs.recv(1) == b""
        theirs.sendall(b"too late")
        assert is_reset(theirs)
    assert causes(wire)[0] == "after-close"


def test_an_ack_comes_to_an_end_that_has_aborted(wire: Wire) -> None:
    """Its second reset answers that ACK: an end aborts once."""
    wire.fault("delay client ack 2 100ms")
    ours, theirs = pair(wire)
    with ours, theirs:
        theirs.sendall(b"world")
        assert ours.recv(5) == b"world"
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        theirs.close()
        assert is_reset(ours)
        wait(lambda: len(causes(wire)) == 2)
    assert causes(wire) == ["aborted", "no-connection"]


def need_repair(wire: Wire) -> None:
    """Skips where programs on a host may not use TCP_REPAIR, as those of any user but root."""
    program = "import socket; socket.socket().setsockopt(6, 19, 1)"
    done = wire.client.run([sys.executable, "-c", program], check=False, capture_output=True)
    if b"PermissionError" in done.stderr:
        pytest.skip("TCP_REPAIR takes CAP_NET_ADMIN, which only root's programs have on a host")


def test_a_socket_that_is_gone_without_a_word(wire: Wire) -> None:
    """So TCP_REPAIR lets it be closed."""
    need_repair(wire)
    program = (
        "import socket; one = socket.create_server(('', 7)).accept()[0]; one.recv(1);"
        "one.setsockopt(6, 19, 1); one.close(); print(flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = wire.server.popen([sys.executable, "-c", program], **pipes)
    wire.server.wait_listening(PORT)
    with wire.client.connect((wire.server.address, PORT)) as ours:
        ours.sendall(b"a")
        assert server.stdout is not None
        assert server.stdout.readline() == b"\n"
        ours.sendall(b"b")
        assert is_reset(ours)
    assert causes(wire) == ["no-connection"]


def test_a_connection_that_the_other_end_never_had(wire: Wire) -> None:
    """TCP_REPAIR makes one out of nothing."""
    need_repair(wire)
    program = (
        "import socket; one = socket.socket(); one.setsockopt(6, 19, 1);"
        f"one.connect(('{wire.server.address}', {PORT})); one.setsockopt(6, 19, 0);"
        "one.sendall(b'hello'); one.recv(1)"
    )
    done = wire.client.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert b"ConnectionResetError" in done.stderr
    assert causes(wire)[0] == "half-open"


def test_a_client_that_does_not_wait_for_the_answer(wire: Wire) -> None:
    wire.fault("delay server syn-ack 500ms")
    with wire.server.listen(PORT):
        with wire.client.socket() as ours:
            ours.setblocking(False)
            assert ours.connect_ex((wire.server.address, PORT))
            wait(lambda: len(wire.rungs) == 2)
        wait(lambda: causes(wire))
    assert causes(wire)[0] == "gave-up"


def test_a_server_that_is_not_there_any_more(wire: Wire) -> None:
    """Two keep-alives without an answer."""
    for name, value in (("time", 1), ("intvl", 1), ("probes", 2)):
        wire.client.sysctl(f"net.ipv4.tcp_keepalive_{name}", value)
    wire.fault("drop server ack 1", "drop server ack 2")
    ours, theirs = pair(wire)
    with theirs, ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with pytest.raises(TimeoutError):
            ours.recv(1)
    assert causes(wire)[0] == "no-answer"


def test_a_close_long_after_the_half_close(wire: Wire) -> None:
    """Of its own accord: nothing came in between that it could answer."""
    ours, theirs = pair(wire)
    with theirs, ours:
        ours.shutdown(socket.SHUT_WR)
        assert theirs.recv(1) == b""
        time.sleep(3.2)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        ours.close()
        assert is_reset(theirs)
    assert causes(wire)[0] == "unprompted"


def test_an_old_ack_comes_to_an_end_that_has_aborted(wire: Wire) -> None:
    wire.fault("delay client ack 2 300ms")
    ours, theirs = pair(wire)
    with ours, theirs:
        for data in (b"a", b"b"):
            theirs.sendall(data)
            assert ours.recv(1) == data
        wait(lambda: any(rung.ack == 3 for rung in arrived(wire, "client")))
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        theirs.close()
        assert is_reset(ours)
        wait(lambda: len(causes(wire)) == 2)
    assert causes(wire) == ["aborted", "old-ack"]


def test_a_syn_ack_that_does_not_acknowledge_the_syn(wire: Wire) -> None:
    """It acknowledges the one that the wire has forged."""
    wire.fault("drop client syn 1", "inject syn to server after client syn 1")
    with wire.server.listen(PORT), wire.client.connect((wire.server.address, PORT)):
        assert causes(wire) == ["unacceptable-ack"]


def test_a_reset_far_outside_the_window(wire: Wire) -> None:
    wire.fault("inject rst to server offset 100000000 after client data 1")
    ours, theirs = pair(wire)
    with ours, theirs:
        for data in (b"a", b"b"):
            ours.sendall(data)
            assert theirs.recv(1) == data
        assert causes(wire) == ["out-of-window"]


def test_a_forged_reset_for_no_connection(wire: Wire) -> None:
    wire.fault("inject rst to client after server rst 1")
    with pytest.raises(ConnectionRefusedError):
        wire.client.connect((wire.server.address, PORT))
    wait(lambda: len(causes(wire)) == 2)
    assert causes(wire) == ["refused", "forged-in-vain"]


def test_an_old_reset_while_the_same_ports_open_again(wire: Wire) -> None:
    """Who waits in SYN-SENT does not take it, and sends its SYN again; the first one comes late."""
    wire.fault("delay server rst 300ms", "delay client syn connection 2 600ms")
    with wire.server.listen(PORT) as listener:
        ours = wire.client.connect((wire.server.address, PORT))
        port = ours.getsockname()[1]
        theirs, _ = listener.accept()
        for one in (theirs, ours):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
            one.close()
        with wire.client.socket() as again:
            again.bind((wire.client.address, port))
            again.connect((wire.server.address, PORT))
            wait(lambda: any("challenge-ack" in kinds(rung) for rung in wire.rungs))
            states = wire.connection(2).client_state, wire.connection(2).server_state
    assert states == (State.ESTABLISHED,) * 2
    assert causes(wire)[:2] == ["aborted", "aborted"]


@pytest.mark.parametrize("offset", [-(1 << 30) + 24])
def test_a_syn_within_the_window_of_a_server_that_opens(wire: Wire, offset: int) -> None:
    wire.fault(f"inject syn to server offset {offset} after client syn 1")
    with wire.server.listen(PORT), wire.client.socket() as ours:
        with suppress(ConnectionResetError):  # it comes a moment later, or before connect returns
            ours.connect((wire.server.address, PORT))
        wait(lambda: causes(wire))
    assert causes(wire)[0] == "forged-syn"


def test_a_client_that_a_forged_reset_has_ended(wire: Wire) -> None:
    """It answers what comes later, and has not given up."""
    wire.fault("inject rst to client after client syn 1")
    with wire.server.listen(PORT):
        with pytest.raises(ConnectionRefusedError):
            wire.client.connect((wire.server.address, PORT))
        wait(lambda: len(causes(wire)) == 2)
    assert causes(wire) == ["forged", "no-connection"]


def test_a_server_that_a_forged_reset_has_ended_while_it_opened(wire: Wire) -> None:
    """Its socket listens on, and takes no ACK of a SYN-ACK that it has forgotten."""
    wire.fault("inject rst to server after syn-ack 1")
    listener, ours = wire.server.listen(PORT), wire.client.socket()
    with listener, ours, suppress(ConnectionResetError):  # of a connect that is late to return
        ours.connect((wire.server.address, PORT))
        assert is_reset(ours)
    *_, ack, reset = wire.rungs[:5]
    assert (ack.ack, ack.server_state) == (1, State.LISTEN)
    assert "handshake-complete" not in kinds(ack)
    assert causes(wire)[:2] == ["forged", "no-connection"]
    assert reset.client_state is State.CLOSED


def test_an_old_ack_ends_time_wait(wire: Wire) -> None:
    wire.fault("duplicate client ack 2")
    ours, theirs = pair(wire)
    ours.close()
    assert theirs.recv(1) == b""
    theirs.close()
    wait(lambda: causes(wire))
    assert causes(wire) == ["time-wait-assassination"]
