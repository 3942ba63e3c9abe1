"""What a kernel that is older, or has no memory left, says to a capture."""

from __future__ import annotations

import errno
import mmap
import os
import socket
from typing import cast

import pytest
from wiring import packet_socket

from trioecho.capture import packet_socket as packet
from trioecho.capture.filters import ETHERNET
from trioecho.capture.packet_socket import LOOPBACK, bind, prepare
from trioecho.capture.ring import Ring, allocate
from trioecho.errors import TrioechoError
from trioecho.hosts.host import open_host


class Refusing:
    """A packet socket on which each call fails."""

    def __init__(self, number: int) -> None:
        self.error = OSError(number, os.strerror(number))

    def setsockopt(self, *_: object) -> None:
        raise self.error

    def bind(self, *_: object) -> None:
        raise self.error


def refusing(number: int) -> socket.socket:
    return cast("socket.socket", Refusing(number))


def test_a_loopback_on_an_old_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet, "hardware_of", lambda *_: LOOPBACK)
    with pytest.raises(TrioechoError, match="PACKET_IGNORE_OUTGOING: Protocol not") as caught:
        prepare(refusing(errno.ENOPROTOOPT), "lo", None)
    assert "Linux 4.20" in caught.value.hint


def test_no_memory_for_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet, "hardware_of", lambda *_: ETHERNET)
    with pytest.raises(TrioechoError, match="the filter: Cannot allocate") as caught:
        prepare(refusing(errno.ENOMEM), "eth0", 7)
    assert "optmem_max" in caught.value.hint


def test_an_interface_that_has_just_gone() -> None:
    with pytest.raises(TrioechoError, match="to capture on eth0: No such device"):
        bind(refusing(errno.ENODEV), "eth0")


def test_no_ring_of_this_version() -> None:
    with pytest.raises(TrioechoError, match="a ring of version 3: Invalid") as caught:
        allocate(refusing(errno.EINVAL), 1 << 20, 1 << 17, 4)
    assert caught.value.hint == "It takes Linux 3.2; --sniffer scapy captures without one"


@pytest.mark.usefixtures("namespaces")
async def test_a_ring_that_cannot_be_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    async with open_host() as host:
        sock = await packet_socket(host)
        monkeypatch.setattr(mmap, "mmap", refuse)
        with pytest.raises(TrioechoError, match="to map the ring into memory: Cannot allocate"):
            Ring(sock)
        assert sock.fileno() == -1
