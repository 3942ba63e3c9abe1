from __future__ import annotations

import errno
import itertools
import socket
import struct
import time
from typing import cast

import pytest
import trio
from wiring import (
    HEADERS,
    LOOPBACK,
    collecting,
    datagrams,
    packet_socket,
    stream_socket,
    upload,
)

from trioecho.capture.ring import MIB, Ring, allocate
from trioecho.errors import TrioechoError
from trioecho.hosts.host import open_host
from trioecho.model import SYN, Frame

FAMILIES = [socket.AF_INET, socket.AF_INET6]
FLAGS = 14 + 20 + 13  # where the TCP flags are on Ethernet and IPv4
SMALL = 128 << 10


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("family", FAMILIES)
async def test_every_frame_once_and_in_order(family: socket.AddressFamily) -> None:
    async with open_host() as host, datagrams(host, family=family) as wire:
        with Ring(await packet_socket(host)) as ring:
            async with collecting(ring) as frames:
                await wire.exchange(20_000, at_once=100)
            assert [frame.data[HEADERS[family] :] for frame in frames] == wire.sent
            assert [frame.number for frame in frames] == list(range(1, 20_001))
            assert ring.dropped() == 0


@pytest.mark.usefixtures("namespaces")
async def test_a_stop_leaves_nothing_behind_and_a_ring_wraps() -> None:
    async with open_host() as host, datagrams(host, size=1000) as wire:
        for count in range(1, 5):
            before = len(wire.sent)
            with Ring(await packet_socket(host), size=MIB) as ring:
                async with collecting(ring) as frames:
                    await wire.exchange(500 * count)
                assert ring.dropped() == 0
            assert [frame.data[42:] for frame in frames] == wire.sent[before:]


@pytest.mark.usefixtures("namespaces")
async def test_stop_with_nothing_captured() -> None:
    async with open_host() as host:
        with Ring(await packet_socket(host)) as ring:
            async with collecting(ring) as frames:
                pass
    assert frames == []


@pytest.mark.usefixtures("namespaces")
async def test_what_a_full_ring_cannot_hold_is_counted() -> None:
    gate = trio.Event()
    async with open_host() as host, datagrams(host, size=1400) as wire:
        with Ring(await packet_socket(host), size=SMALL * 2, block=SMALL) as ring:
            ring.backlog = 10_000
            async with collecting(ring, gate) as frames:
                await wire.exchange(1000)
                assert ring.dropped() > 0
                gate.set()
            assert len(frames) + ring.dropped() == 1000
            kept = [int.from_bytes(frame.data[42:]) for frame in frames]
            assert kept == sorted(set(kept))


@pytest.mark.usefixtures("namespaces")
async def test_a_slow_reader_of_a_trickle_loses_nothing() -> None:
    gate = trio.Event()
    async with open_host() as host, datagrams(host, size=1400) as wire:
        with Ring(await packet_socket(host), size=MIB) as ring:
            async with collecting(ring, gate) as frames:
                await wire.exchange(5000)
                gate.set()
            assert ring.dropped() == 0
            assert [frame.data[42:] for frame in frames] == wire.sent


@pytest.mark.usefixtures("namespaces")
async def test_a_first_number_is_where_counting_begins() -> None:
    async with open_host() as host, datagrams(host) as wire:
        with Ring(await packet_socket(host), first=41) as ring:
            async with collecting(ring) as frames:
                await wire.exchange(2)
    assert [frame.number for frame in frames] == [41, 42]


@pytest.mark.usefixtures("namespaces")
async def test_times_are_the_kernels_nanoseconds() -> None:
    async with open_host() as host, datagrams(host) as wire:
        with Ring(await packet_socket(host)) as ring:
            async with collecting(ring) as frames:
                before = time.time_ns()
                await wire.exchange(1000)
                after = time.time_ns()
    times = [before, *(frame.time for frame in frames), after]
    assert all(one < other for one, other in itertools.pairwise(times))
    assert any(frame.time % 1000 for frame in frames)


@pytest.mark.usefixtures("namespaces")
async def test_the_largest_frame_is_kept_whole() -> None:
    async with open_host() as host, datagrams(host, size=65_507) as wire:
        with Ring(await packet_socket(host), size=MIB * 4) as ring:
            async with collecting(ring) as frames:
                await wire.exchange(20)
            assert {(len(frame.data), frame.length) for frame in frames} == {(65_549, 65_549)}
            assert [frame.data[42:] for frame in frames] == wire.sent
            assert ring.link == 1


@pytest.mark.usefixtures("namespaces")
async def test_a_large_transfer_is_seen_whole() -> None:
    async with open_host() as host:
        with Ring(await packet_socket(host), port=7) as ring:
            async with collecting(ring) as frames:
                await upload(host, 10_000_000)
            assert ring.dropped() == 0
    sent = {}
    for frame in frames:
        assert len(frame.data) == frame.length
        (source, _, seq), offset = struct.unpack_from("!HHI", frame.data, 34), frame.data[46] >> 4
        if source != 7:
            sent[seq] = frame.length - 34 - offset * 4
    assert sum(sent.values()) == 10_000_000


@pytest.mark.usefixtures("namespaces")
async def test_no_syn_is_missed() -> None:
    async with open_host() as host:
        for _ in range(10):
            with Ring(await packet_socket(host), port=7) as ring:
                async with collecting(ring) as frames:
                    await upload(host, 1)
            assert frames[0].data[FLAGS] == SYN


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("family", FAMILIES)
async def test_the_port_filter_lets_one_port_through(family: socket.AddressFamily) -> None:
    async with open_host() as host, datagrams(host, port=7, family=family) as wire:
        with Ring(await packet_socket(host), port=7) as ring:
            async with collecting(ring) as frames:
                await upload(host, 1000, port=8, family=family)
                await wire.exchange(5)
                await upload(host, 1_000_000, port=7, family=family)
    header = HEADERS[family] - 8
    assert all(7 in struct.unpack_from("!HH", frame.data, header) for frame in frames)
    assert sum(len(frame.data) for frame in frames) > 1_000_000


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("tag", ["8100 a07b", "88a8 f001"])
async def test_a_vlan_tag_that_the_kernel_took_out_is_put_back(tag: str) -> None:
    tagged = bytes(12) + bytes.fromhex(f"{tag} 88b5") + b"behind the tag"
    plain = bytes(12) + bytes.fromhex("88b5") + b"no tag"
    async with open_host() as host:
        sender = trio.socket.from_stdlib_socket(await packet_socket(host))
        with sender, Ring(await packet_socket(host)) as ring:
            await sender.bind(("lo", 0))
            send, receive = trio.open_memory_channel[list[Frame]](0)
            async with trio.open_nursery() as nursery:
                await nursery.start(ring.run, send)
                await sender.send(tagged)
                await sender.send(plain)
                frames = await receive.receive()
                while len(frames) < 2:
                    frames += await receive.receive()
                nursery.cancel_scope.cancel()
    assert [frame.data for frame in frames] == [tagged, plain]
    assert [frame.length for frame in frames] == [len(tagged), len(plain)]


@pytest.mark.usefixtures("namespaces")
async def test_cancellation_ends_a_run() -> None:
    async with open_host() as host, trio.open_nursery() as nursery:
        with Ring(await packet_socket(host)) as ring:
            send, receive = trio.open_memory_channel[list[Frame]](0)
            await nursery.start(ring.run, send)
            nursery.cancel_scope.cancel()
            with pytest.raises(trio.Cancelled):
                await receive.receive()


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("interface", ["nowhere0", "", "a-name-longer-than-15", "lo\x00"])
async def test_an_unknown_interface_names_those_there_are(interface: str) -> None:
    async with open_host() as host:
        sock = await packet_socket(host)
        with pytest.raises(TrioechoError, match=r"There is no interface .*There are .*lo"):
            Ring(sock, interface)
        assert sock.fileno() == -1


@pytest.mark.usefixtures("namespaces")
async def test_a_ring_closes_its_socket() -> None:
    async with open_host() as host:
        sock = await packet_socket(host)
        with Ring(sock, size=4 * MIB) as ring:
            assert ring.size == 4 * MIB
        assert sock.fileno() == -1


class Poor:
    """A kernel that has memory for so many blocks, and refuses more with an errno."""

    def __init__(self, blocks: int, refusal: int = errno.ENOMEM) -> None:
        self.blocks, self.refusal = blocks, refusal

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        if isinstance(value, bytes) and struct.unpack("7I", value)[1] > self.blocks:
            raise OSError(self.refusal, "no")


def test_a_ring_is_smaller_where_memory_is_short() -> None:
    poor = cast(socket.socket, Poor(blocks=9))
    assert allocate(poor, 32 * MIB, MIB, 2) == 8


@pytest.mark.parametrize("poor", [Poor(blocks=1), Poor(blocks=9, refusal=errno.EINVAL)])
def test_a_ring_that_cannot_be_is_refused(poor: Poor) -> None:
    with pytest.raises(TrioechoError, match="--sniffer scapy"):
        allocate(cast(socket.socket, poor), 32 * MIB, MIB, 2)


@pytest.mark.usefixtures("namespaces")
async def test_two_hosts_do_not_see_each_other() -> None:
    async with open_host() as here, open_host() as there:
        with Ring(await packet_socket(here)) as ring:
            async with collecting(ring) as frames:
                listener = await stream_socket(there, socket.AF_INET, bind=7)
                client = await stream_socket(there, socket.AF_INET)
                with listener, client:
                    await client.connect((LOOPBACK[socket.AF_INET], 7))
    assert frames == []
