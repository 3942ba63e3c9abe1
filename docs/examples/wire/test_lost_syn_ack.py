"""A client must survive a lost SYN-ACK."""

import socket

import pytest


def hasty(address):
    return socket.create_connection(address, timeout=0.5)


def patient(address):
    return socket.create_connection(address, timeout=5)


@pytest.mark.parametrize("connect", [patient, hasty])
def test_the_client_survives_a_lost_syn_ack(wire, connect):
    wire.server.listen(7000)
    wire.fault("drop syn-ack")
    with wire.client.inside():
        connect((wire.server.address, 7000)).close()
    assert wire.connection().handshake_complete
    assert wire.connection().retransmissions > 0
