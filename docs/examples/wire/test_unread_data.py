"""A server must not reset a client with data unread."""

import sys
from pathlib import Path

import pytest

SERVER = str(Path(__file__).with_name("unread_server.py"))


@pytest.mark.parametrize("options", [["--drain"], []], ids=["drain", "close"])
def test_the_server_does_not_reset_its_client(wire, options):
    wire.server.popen([sys.executable, SERVER, "7000", *options])
    wire.server.wait_listening(7000)
    client = wire.client.connect((wire.server.address, 7000))
    client.sendall(b"x" * 1000)
    answer = client.recv(100)
    client.close()
    wire.settle()
    assert answer == b"200 fine\r\n"
    assert wire.connection().closed_by == "fin"
