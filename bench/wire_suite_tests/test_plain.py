"""Ordinary tests, which block."""

from __future__ import annotations

import socket
import sys
from subprocess import PIPE
from urllib.request import ProxyHandler, build_opener

import pytest
from talk import PORT, ask, echo_server

from trioecho.testing import Wire


def test_an_echo(wire: Wire) -> None:
    with echo_server(wire), wire.client.inside():
        assert ask(wire.server.address) == b"hello"
    wire.settle()
    assert wire.connection().closed_by == "fin"
    assert wire.connection().client_bytes == wire.connection().server_bytes == 5


def test_nothing_is_sent_twice(wire: Wire) -> None:
    with echo_server(wire), wire.client.inside():
        ask(wire.server.address, bytes(10_000))
    wire.settle()
    assert wire.connection().retransmissions == wire.connection().probes == 0


def test_ipv6(wire: Wire) -> None:
    with echo_server(wire, socket.AF_INET6), wire.client.inside():
        assert ask(wire.server.address6) == b"hello"
    assert wire.connection().client.ip == wire.client.address6


@pytest.mark.parametrize(
    "fault", ["drop syn-ack", "drop client data", "drop server data", "corrupt client data"]
)
def test_a_loss_is_repaired(wire: Wire, fault: str) -> None:
    wire.strict()
    wire.fault(fault)
    with echo_server(wire), wire.client.inside():
        assert ask(wire.server.address) == b"hello"
    (lost,) = wire.connection().lost
    assert lost.fault == fault
    assert wire.connection().retransmissions > 0


@pytest.mark.wire("mtu 576", "delay 10ms")
def test_a_wire_that_is_slow_and_narrow(wire: Wire) -> None:
    with echo_server(wire), wire.client.inside():
        assert len(ask(wire.server.address, bytes(5_000))) == 5_000
    assert max(len(rung.segment.frame.data) for rung in wire.rungs) == 576
    assert (wire.connection().handshake_time or 0) >= 20_000_000


def test_data_unread(wire: Wire) -> None:
    listener = wire.server.listen(PORT)
    client = wire.client.connect((wire.server.address, PORT))
    client.sendall(b"hello")
    server, _ = listener.accept()
    assert server.recv(5, socket.MSG_PEEK) == b"hello"
    server.close()
    wire.settle()
    assert wire.connection().closed_by == "rst"


def test_two_programs(wire: Wire) -> None:
    serve = "import socket as s; c, _ = s.create_server(('', 7000)).accept(); print(c.recv(5))"
    server = wire.server.popen([sys.executable, "-c", serve], stdout=PIPE)
    wire.server.wait_listening(PORT, timeout=60)
    send = "import socket as s; s.create_connection(('10.0.0.2', 7000)).sendall(b'hello')"
    wire.client.run([sys.executable, "-c", send], check=True)
    assert server.stdout is not None
    assert server.stdout.read() == b"b'hello'\n"


def test_a_library(wire: Wire) -> None:
    wire.server.popen([sys.executable, "-m", "http.server", str(PORT)], stderr=PIPE)
    wire.server.wait_listening(PORT, timeout=60)
    with wire.client.inside():
        opener = build_opener(ProxyHandler({}))
        with opener.open(f"http://{wire.server.address}:{PORT}/", timeout=60) as answer:
            assert answer.status == 200


def test_a_ladder(wire: Wire) -> None:
    wire.server.listen(PORT)
    wire.client.connect((wire.server.address, PORT)).sendall(b"hello")
    wire.match("""
        > S  0:0(0)
        < S. 0:0(0) ack 1
        > .  1:1(0) ack 1
        > P. 1:6(5) ack 1
        < .  1:1(0) ack 6
    """)


def test_a_setting(wire: Wire) -> None:
    wire.client.sysctl("net.ipv4.tcp_syn_retries", 1)
    wire.strict()
    wire.fault("cut")
    client = wire.client.socket()
    with pytest.raises(TimeoutError):
        client.connect((wire.server.address, PORT))
    assert {rung.sender for rung in wire.rungs} == {"client"}
