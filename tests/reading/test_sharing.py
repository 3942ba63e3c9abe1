"""A file read by several processes says what one process would have said."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from capture_file import write
from crafted import crafted
from frames import tcp
from readers import alone

from trioecho.capture.files import open_capture_file
from trioecho.errors import TrioechoError
from trioecho.model import ACK, Frame
from trioecho.packet.decode import decode
from trioecho.packet.link import ETHERNET, RAW
from trioecho.reading.reading import Reading, Share
from trioecho.reading.sharing import read_shared


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_parts_make_the_whole(tmp_path: Path, parts: int) -> None:
    path = tmp_path / "many.pcap"
    write(path, 20_000, 60)
    connections, trouble, _ = read_shared(str(path), parts, iter)
    assert not trouble
    assert len(connections) == 60
    assert connections == alone(path)


@pytest.mark.parametrize("parts", [1, 2])
def test_whatever_a_packet_is_wrapped_in(tmp_path: Path, parts: int) -> None:
    """Tags, labels, tunnels, fragments, used ports: both directions fall to the same part."""
    path = tmp_path / "it"
    for name, data in crafted():
        path.write_bytes(data)
        connections, _, _ = read_shared(str(path), parts, iter)
        assert connections, name
        assert connections == alone(path), name


@pytest.mark.parametrize("parts", [2, 3, 4, 8])
@pytest.mark.parametrize("step", [1, 2])
def test_each_part_has_its_share(parts: int, step: int) -> None:
    """Linux picks even ports for connect(), so that their last bit tells nothing."""
    ports = range(32_768, 32_768 + 1_000 * step, step)
    shares = [
        sum(share.passes(plain(port, 443), 0, 38, ETHERNET) for port in ports)
        for share in (Share(part, parts) for part in range(parts))
    ]
    assert sum(shares) == 1_000 * (parts - 1)
    assert all(0.5 / parts < 1 - passed / 1_000 < 2 / parts for passed in shares)


def plain(source: int, destination: int) -> bytes:
    """The first bytes of a packet between two ports, in Ethernet."""
    packet = bytearray(b"\0" * 12 + b"\x08\0" + tcp("client", ACK, 1, 1))
    packet[34:38] = struct.pack("!HH", source, destination)
    return bytes(packet)


def test_a_glance_tells_whose_a_frame_is(tmp_path: Path) -> None:
    path = tmp_path / "some.pcap"
    write(path, 2_000, 20)
    seen = 0
    with open_capture_file(path) as file:
        for frame in (frame for batch in file for frame in batch):
            segment = decode(frame)
            assert segment is not None
            (own,) = [part for part in range(5) if Share(part, 5).takes(segment)]
            data = b"before" + frame.data + b"behind"
            span = 6, 6 + len(frame.data)
            assert [Share(part, 5).passes(data, *span, ETHERNET) for part in range(5)] == [
                part != own for part in range(5)
            ]
            seen += 1
    assert seen > 1_000


def test_what_a_glance_cannot_tell_is_not_passed_over() -> None:
    packet = plain(40_000, 7)
    (share,) = [
        share for share in (Share(0, 2), Share(1, 2)) if share.passes(packet, 0, 38, ETHERNET)
    ]
    for data, end, link in [
        (packet, 37, ETHERNET),  # cut
        (packet, len(packet), RAW),
        (packet[:12] + b"\x81\0" + packet[14:], len(packet), ETHERNET),  # tagged
        (packet[:14] + b"\x46" + packet[15:], len(packet), ETHERNET),  # options
        (packet[:20] + b"\x20\0" + packet[22:], len(packet), ETHERNET),  # a fragment
        (packet[:23] + b"\x29" + packet[24:], len(packet), ETHERNET),  # 6in4
    ]:
        assert not share.passes(data, 0, end, link)


def test_a_truncated_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    write(path, 5_000, 20)
    path.write_bytes(path.read_bytes()[:-7])
    connections, trouble, _ = read_shared(str(path), 2, iter)
    assert "truncated" in trouble
    assert len(connections) == 20


def out_of_memory() -> None:
    raise MemoryError


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("end", "why"), [(out_of_memory, "its traceback stands above"), (killed, "signal 9 ended it")]
)
def test_a_process_that_dies_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[], None], why: str
) -> None:
    path = tmp_path / "some.pcap"
    write(path, 2_000, 20)
    notice = Reading.notice

    def dies(self: Reading, frames: list[Frame]) -> None:
        if self._share == Share(1, 2):
            end()
        notice(self, frames)

    monkeypatch.setattr(Reading, "notice", dies)
    with pytest.raises(TrioechoError, match=f"a part of the file died: {why}"):
        read_shared(str(path), 2, iter)
    assert not multiprocessing.active_children()


def test_where_no_process_can_be_had_one_reads_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "some.pcap"
    write(path, 5_000, 20)
    fork, forks = os.fork, 0

    def refuses() -> int:
        nonlocal forks
        forks += 1
        if forks == 2:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return fork()

    monkeypatch.setattr(os, "fork", refuses)
    connections, _, _ = read_shared(str(path), 3, iter)
    assert forks == 2
    assert connections == alone(path)
    assert not multiprocessing.active_children()
