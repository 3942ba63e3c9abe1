# covers: capture/scapy_import

from __future__ import annotations

import socket
import time
from textwrap import dedent

import pytest
import trio
from wiring import collecting, datagrams, packet_socket, script, upload

from trioecho.capture import open_capture
from trioecho.capture.ring import Ring
from trioecho.capture.scapy_socket import LinuxSniffer
from trioecho.errors import TrioechoError
from trioecho.hosts.host import open_host

FAMILIES = [socket.AF_INET, socket.AF_INET6]


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("family", FAMILIES)
async def test_it_sees_what_the_ring_sees(family: socket.AddressFamily) -> None:
    async with open_host() as host:
        ring = Ring(await packet_socket(host), port=7)
        sniffer = LinuxSniffer(await packet_socket(host), port=7)
        with ring, sniffer:
            async with collecting(ring) as one, collecting(sniffer) as other:
                for size in (0, 16, 100_000):
                    await upload(host, size, family=family)
                    await upload(host, size, port=8, family=family)
            assert ring.dropped() == sniffer.dropped() == 0
    assert one
    assert [f.data for f in one] == [f.data for f in other]
    assert [(f.number, f.link, f.length) for f in one] == [
        (f.number, f.link, f.length) for f in other
    ]


@pytest.mark.usefixtures("namespaces")
async def test_whole_frames_and_the_kernels_times() -> None:
    async with open_host() as host, datagrams(host, size=65_507) as wire:
        with open_capture("scapy", sock=await packet_socket(host), first=5) as sniffer:
            assert isinstance(sniffer, LinuxSniffer)
            async with collecting(sniffer) as frames:
                before = time.time_ns()
                await wire.exchange(10)
                after = time.time_ns()
            assert sniffer.dropped() == 0
    assert [frame.number for frame in frames] == list(range(5, 15))
    assert {(len(frame.data), frame.length) for frame in frames} == {(65_549, 65_549)}
    assert [frame.data[42:] for frame in frames] == wire.sent
    rounding = 500
    assert all(before - rounding < frame.time < after + rounding for frame in frames)


@pytest.mark.usefixtures("namespaces")
async def test_what_its_buffer_cannot_hold_is_counted() -> None:
    gate = trio.Event()
    async with open_host() as host, datagrams(host, size=60_000) as wire:
        sock = await packet_socket(host)
        with LinuxSniffer(sock) as sniffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 400_000)
            sniffer.backlog = 0
            async with collecting(sniffer, gate) as frames:
                await wire.exchange(2000)
                assert sniffer.dropped() > 0
                gate.set()
            assert len(frames) + sniffer.dropped() == 2000


@pytest.mark.usefixtures("namespaces")
async def test_a_vlan_tag_that_the_kernel_took_out_is_put_back() -> None:
    tagged = bytes(12) + bytes.fromhex("8100 a07b 88b5") + b"behind the tag"
    async with open_host() as host:
        sender = trio.socket.from_stdlib_socket(await packet_socket(host))
        with sender, LinuxSniffer(await packet_socket(host)) as sniffer:
            await sender.bind(("lo", 0))
            async with datagrams(host) as wire, collecting(sniffer) as frames:
                await sender.send(tagged)
                await wire.exchange(1)
    assert tagged in [frame.data for frame in frames]


@pytest.mark.usefixtures("namespaces")
async def test_an_unknown_interface() -> None:
    async with open_host() as host:
        sock = await packet_socket(host)
        with pytest.raises(TrioechoError, match="There is no interface 'nowhere0'"):
            LinuxSniffer(sock, "nowhere0")
        assert sock.fileno() == -1


@pytest.mark.usefixtures("namespaces")
def test_scapy_comes_late_and_says_nothing() -> None:
    done = script(
        dedent("""
            import socket, sys, trio
            from trioecho.capture import open_capture
            from trioecho.hosts.host import open_host

            async def main():
                async with open_host() as host:
                    sock = await host.socket(socket.AF_PACKET, socket.SOCK_RAW)
                    with open_capture(sock=sock):
                        assert "scapy" not in sys.modules
                    sock = await host.socket(socket.AF_PACKET, socket.SOCK_RAW)
                    with open_capture("scapy", sock=sock):
                        assert "scapy" in sys.modules
                        assert "scapy.all" not in sys.modules

            trio.run(main)
        """)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
