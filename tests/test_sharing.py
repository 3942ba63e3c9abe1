"""A file read by several processes says what one process would have said."""

from __future__ import annotations

from pathlib import Path

import pytest
from capture_file import write
from captures import CORPUS, corpus, need_corpus
from frames import CLIENT, SERVER, tcp

from trioecho.capture.files import open_capture_file
from trioecho.errors import TrioechoError
from trioecho.model import ACK, Frame
from trioecho.reading import Reading, Share
from trioecho.sharing import read_shared
from trioecho.tcp.decode import decode
from trioecho.tcp.link import ETHERNET, RAW


@pytest.mark.parametrize("parts", [2, 3])
def test_the_parts_make_the_whole(tmp_path: Path, parts: int) -> None:
    path = tmp_path / "many.pcap"
    write(path, 20_000, 60)
    whole, trouble = read_shared(str(path), 1, iter)
    assert not trouble
    assert len(whole.connections) == 60
    assert read_shared(str(path), parts, iter) == (whole, trouble)


def test_every_capture_of_the_corpus() -> None:
    """Tags, labels, tunnels, fragments, used ports: both directions fall to the same part."""
    need_corpus()
    for name, _ in corpus():
        whole = read_shared(str(CORPUS / name), 1, iter)
        assert read_shared(str(CORPUS / name), 2, iter) == whole, name


def test_without_rungs_connections_come_to_the_same() -> None:
    need_corpus()
    for name, _ in corpus():
        told, noticed = Reading(), Reading()
        with open_capture_file(CORPUS / name) as file:
            for frames in file:
                told.rungs(frames)
                noticed.notice(frames)
        assert list(noticed.connections()) == list(told.connections()), name


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
    plain = b"\0" * 12 + b"\x08\0" + tcp("client", ACK, 1, 1)
    share = Share(1 - ((CLIENT[1] ^ SERVER[1]) & 0xFF) % 2, 2)
    assert share.passes(plain, 0, len(plain), ETHERNET)
    for data, end, link in [
        (plain, 37, ETHERNET),  # cut
        (plain, len(plain), RAW),
        (plain[:12] + b"\x81\0" + plain[14:], len(plain), ETHERNET),  # tagged
        (plain[:14] + b"\x46" + plain[15:], len(plain), ETHERNET),  # options
        (plain[:20] + b"\x20\0" + plain[22:], len(plain), ETHERNET),  # a fragment
        (plain[:23] + b"\x29" + plain[24:], len(plain), ETHERNET),  # 6in4
    ]:
        assert not share.passes(data, 0, end, link)


def test_a_truncated_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    write(path, 5_000, 20)
    path.write_bytes(path.read_bytes()[:-7])
    part, trouble = read_shared(str(path), 2, iter)
    assert "truncated" in trouble
    assert len(part.connections) == 20


def test_a_process_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "some.pcap"
    write(path, 2_000, 20)
    rungs = Reading.rungs

    def dies(self: Reading, frames: list[Frame]) -> object:
        if self._share == Share(1, 2):
            raise MemoryError
        return rungs(self, frames)

    monkeypatch.setattr(Reading, "notice", dies)
    with pytest.raises(TrioechoError, match="a part of the file died"):
        read_shared(str(path), 2, iter)
