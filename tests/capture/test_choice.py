from __future__ import annotations

import sys

import pytest
from wiring import packet_socket

from trioecho.capture import SnifferName, open_capture
from trioecho.capture.packet_socket import open_packet_socket
from trioecho.capture.ring import Ring
from trioecho.errors import TrioechoError
from trioecho.hosts.host import open_host


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("sniffer", ["auto", "ring"])
async def test_linux_has_the_ring(sniffer: SnifferName) -> None:
    async with open_host() as host:
        with open_capture(sniffer, sock=await packet_socket(host), first=3) as capture:
            assert isinstance(capture, Ring)
            assert (capture.interface, capture.link, capture.number) == ("lo", 1, 3)


def test_other_systems_are_told_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(TrioechoError, match=r"only on Linux\. Use --sniffer scapy"):
        open_capture("ring")
    with pytest.raises(TrioechoError, match=r"only on Linux\. Use --sniffer scapy"):
        open_packet_socket()
