# covers: capture/compressed, capture/pcap, capture/pcapng, capture/section, capture/source
# covers: render/pcapng
# covers: packet/link

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
from pathlib import Path

import captures
import lz4.frame
import pytest
from captures import (
    PACKERS,
    SECOND,
    Blocks,
    Trickle,
    compressed,
    pad,
    payload,
    pcap,
    some,
    variations,
)
from crafted import crafted
from frames import play
from readers import as_wireshark, check_passing

from trioecho.capture.files import CaptureFile, Interface, open_capture_file
from trioecho.errors import TrioechoError
from trioecho.model import CaptureSummary, Frame, Summary
from trioecho.render import Setting
from trioecho.render.pcapng import Pcapng

VARIATIONS = dict(variations())
CRAFTED = dict(crafted())
LITTLE = Blocks()
START = LITTLE.section() + LITTLE.interface()


def read(data: bytes) -> tuple[list[Frame], str]:
    return captures.read(io.BytesIO(data))


def refusal(data: bytes) -> str:
    with pytest.raises(TrioechoError) as caught:
        CaptureFile(io.BytesIO(data), "it")
    return str(caught.value)


@pytest.mark.parametrize("name", VARIATIONS)
def test_what_is_passed_over_changes_nothing_else(name: str) -> None:
    check_passing(VARIATIONS[name])


def test_a_simple_packet_has_the_time_of_one_that_was_passed_over() -> None:
    packets = [LITTLE.packet(SECOND + at, payload(at)) for at in range(30)]
    check_passing(START + b"".join(one + LITTLE.simple(payload(9)) for one in packets))


@pytest.mark.parametrize("name", CRAFTED)
def test_passing_over_whatever_a_packet_is_wrapped_in(name: str) -> None:
    check_passing(CRAFTED[name])


@pytest.mark.parametrize("name", VARIATIONS)
def test_each_variation_as_wireshark_reads_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(VARIATIONS[name])
    frames, trouble = read(VARIATIONS[name])
    assert trouble == ""
    theirs = as_wireshark(path)
    ours = [
        (f.number, None if t is None else f.time, f.length, len(f.data))
        for f, (_, t, _, _) in zip(frames, theirs, strict=True)
    ]
    assert ours == theirs


@pytest.mark.parametrize("name", VARIATIONS)
def test_each_variation_in_each_compression(name: str) -> None:
    plain = read(VARIATIONS[name])
    for how, data in compressed(VARIATIONS[name]):
        assert read(data) == plain, how


def test_times_and_lengths() -> None:
    for order in "<>":
        for magic, unit in ((0xA1B2C3D4, 1000), (0xA1B23C4D, 1), (0xA1B2CD34, 1000)):
            data = pcap((SECOND, 999_999, b"abcd", 60), order=order, magic=magic, link=101)
            time = SECOND * 10**9 + 999_999 * unit
            assert read(data)[0] == [Frame(1, time, b"abcd", 101, 60)]


def test_a_resolution_finer_than_a_nanosecond_is_exact() -> None:
    ticks = SECOND * 2**32 + 3
    data = LITTLE.section() + LITTLE.interface((9, b"\xa0")) + LITTLE.packet(ticks, b"")
    assert read(data)[0][0].time == SECOND * 10**9 + 3 * 10**9 // 2**32


@pytest.mark.parametrize(
    ("ticks", "offset", "time"),
    [(2**64 - 1, 0, 2**63 - 1), (0, -(2**63), -(2**63)), (5, -3, 2 * 10**9), (1, -3, -2 * 10**9)],
)
def test_a_time_fits_in_64_bits(ticks: int, offset: int, time: int) -> None:
    interface = LITTLE.interface((9, b"\0"), (14, LITTLE.pack("q", offset)))
    frames, trouble = read(LITTLE.section() + interface + LITTLE.packet(ticks, b"a") * 2)
    assert [frame.time for frame in frames] == [time] * 2
    assert trouble == ""


def test_fcs_bits_are_no_part_of_the_link_type() -> None:
    assert read(VARIATIONS["fcs-big"])[0][0].link == 1


def test_sections_and_interfaces() -> None:
    with CaptureFile(io.BytesIO(VARIATIONS["sections"]), "it") as file:
        assert file.comments == ["the first"]
        frames = [frame for batch in file for frame in batch]
        assert file.comments == ["the first", "the second"]
        assert file.interfaces == [
            Interface(0, "eth0", 1, 10**6),
            Interface(1, "eth1", 101, 10**9),
            Interface(2, "eth2", 1, 10**6),
            Interface(3, "", 1, 1),
        ]
    assert [f.interface for f in frames] == [0, 1, 2, 3]
    assert [f.link for f in frames] == [1, 101, 1, 1]
    assert [f.time for f in frames] == [10_000, 20_000, 30_000, 40 * 10**9]
    assert [f.data for f in frames] == [payload(n) for n in (1, 2, 3, 4)]


def test_pcap_has_one_interface() -> None:
    with CaptureFile(io.BytesIO(pcap(snaplen=96, magic=0xA1B23C4D)), "it") as file:
        assert file.interfaces == [Interface(0, "", 1, 10**9, 96)]
        assert file.comments == []
        assert list(file) == []


def test_numbers_are_those_of_wireshark(tmp_path: Path) -> None:
    """It numbers journal entries and custom blocks too."""
    journal = LITTLE.block(9, pad(b"__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=hello\n\n"))
    custom = LITTLE.pack("I", 32473) + b"abcd"
    others = journal + LITTLE.block(0xBAD, custom) + LITTLE.block(0x40000BAD, custom)
    path = tmp_path / "it"
    path.write_bytes(START + LITTLE.packet(1, payload(1)) + others + LITTLE.packet(2, payload(2)))
    with open_capture_file(path) as file:
        ours = [(f.number, f.time) for batch in file for f in batch]
    assert ours == [(1, 1000), (5, 2000)]
    assert set(ours) < {(number, time) for number, time, _, _ in as_wireshark(path)}


def test_a_simple_packet_has_the_time_of_the_one_before() -> None:
    data = START + LITTLE.simple(b"abc") + LITTLE.packet(7, b"") + LITTLE.simple(b"defg", 4)
    assert read(data)[0] == [
        Frame(1, 0, b"abc", 1, 3),
        Frame(2, 7000, b"", 1, 0),
        Frame(3, 7000, b"defg", 1, 4),
    ]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_batches(kind: str) -> None:
    count = 12_345
    if kind == "pcap":
        data = pcap(*[(1, 2, b"x" * 60, 60)] * count)
    else:
        data = START + LITTLE.packet(1, b"x" * 60) * count
    with CaptureFile(io.BytesIO(data), "it", len(data)) as file:
        batches = list(file)
        assert file.position == file.size == len(data)
    assert all(0 < len(batch) <= 1000 for batch in batches)
    assert len(batches) < count // 500
    assert [f.number for batch in batches for f in batch] == list(range(1, count + 1))


def test_rare_blocks_do_not_break_a_batch() -> None:
    both = LITTLE.packet(1, b"a") + LITTLE.block(5, bytes(8)) + LITTLE.obsolete(1, b"b")
    with CaptureFile(io.BytesIO(START + both * 100), "it") as file:
        assert [len(batch) for batch in file] == [200]


def test_a_pipe_is_not_waited_for() -> None:
    reading, writing = os.pipe()
    with (
        open(writing, "wb", buffering=0) as end,
        open(reading, "rb", buffering=0) as start,
    ):
        end.write(pcap(*some(3)))
        with CaptureFile(start, "it") as file:
            batches = iter(file)
            assert len(next(batches)) == 3
            end.write(pcap(*some(2))[24:])
            assert [frame.number for frame in next(batches)] == [4, 5]
            assert file.size is None
            end.close()
            assert list(batches) == []


@pytest.mark.parametrize("name", ["micro-big", "sections", "others-little"])
def test_a_trickle(name: str) -> None:
    for _, data in compressed(VARIATIONS[name]):
        with CaptureFile(Trickle(data), "it") as file:
            assert [frame for batch in file for frame in batch] == read(data)[0]
            assert file.trouble is None


def test_standard_input() -> None:
    code = (
        "from trioecho.capture.files import open_capture_file\n"
        "with open_capture_file('-') as file:\n"
        "    print(file.name, file.size, sum(map(len, file)), file.trouble)\n"
    )
    for how in ("plain", "gzip", "zstd", "xz", "bzip2", "lz4"):
        data = PACKERS[how](pcap(*some(50)))
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True)
        assert done.stdout.decode() == "standard input None 50 None\n", done.stderr


def test_standard_input_from_a_file_has_a_size(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(pcap())
    code = (
        "from trioecho.capture.files import open_capture_file\n"
        "with open_capture_file('-') as file: print(file.size)\n"
    )
    with path.open("rb") as stdin:
        done = subprocess.run([sys.executable, "-c", code], stdin=stdin, capture_output=True)
    assert done.stdout == b"24\n", done.stderr


def test_no_terminal() -> None:
    master, slave = os.openpty()
    try:
        code = "from trioecho.capture.files import open_capture_file\nopen_capture_file('-')"
        done = subprocess.run([sys.executable, "-c", code], stdin=slave, capture_output=True)
    finally:
        os.close(master)
        os.close(slave)
    assert b"standard input is a terminal and no capture file. Pipe a capture" in done.stderr
    assert b"trioecho read - (or why -)" in done.stderr


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, f"{tmp_path} is a directory. Name the capture files in it"),
        (tmp_path / "none", f"There is no file {tmp_path}/none"),
        (tmp_path / "none\x1b[2J", f"There is no file {tmp_path}/none\\x1b[2J"),
        ("a\0b", "a\\x00b cannot be read: embedded null byte"),
        ("/proc/self/mem", "/proc/self/mem has nothing to read: reading failed (Input/output"),
    ):
        with pytest.raises(TrioechoError) as caught:
            open_capture_file(path)
        assert str(caught.value).startswith(said)


def test_a_file_of_someone_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("trioecho.capture.files.FileIO", refuse)
    with pytest.raises(TrioechoError, match=r"^secret may not be read by this user$"):
        open_capture_file("secret")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty. It must be a pcap or pcapng file, plain or compressed by gzip, zstd"),
        (b"hello world\n", "it is no capture file: it looks like text that begins with 'hello w"),
        (b"\x1b[31mhello", "it is no capture file: it looks like bytes that begin with 1b 5b 33"),
        (b"PK\x03\x04....", "it is no capture file: it looks like a zip archive. Unpack it, or"),
        (b"\x7fELF", "it is no capture file: it looks like a program. It must be a pcap"),
        (gzip.compress(b"", mtime=0), "it is compressed, and what is inside is empty"),
        (
            gzip.compress(gzip.compress(pcap(), mtime=0), mtime=0),
            "it is compressed, and what is inside is no capture file: it looks like gzip'd data",
        ),
        (b"\x1f\x8b", "it has nothing to read: the gzip'd data is truncated"),
        (b"\x1f\x8bxx", "it has nothing to read: the gzip'd data is corrupt (unknown compression"),
        (b"\x28\xb5\x2f\xfd", "it has nothing to read: the zstd'd data is truncated"),
        (
            b"\x28\xb5\x2f\xfd" + b"\xff" * 20,
            "it has nothing to read: the zstd'd data is corrupt (",
        ),
        (b"\xfd7zXZ\0" + b"\xff" * 50, "it has nothing to read: the xz'd data is corrupt (Corr"),
        (b"\xfd7zXZ\0", "it has nothing to read: the xz'd data is truncated"),
        (b"BZh9" + b"\xff" * 50, "it has nothing to read: the bzip2'd data is corrupt (Invalid"),
        (b"BZh9", "it has nothing to read: the bzip2'd data is truncated"),
        (b"\x04\x22\x4d\x18" + b"\xff" * 50, "it has nothing to read: the lz4'd data is corrupt ("),
        (b"\x04\x22\x4d\x18", "it has nothing to read: the lz4'd data is truncated"),
        (
            pcap()[:10],
            "it has nothing to read: truncated in the pcap header at byte 0: 24 bytes due, 10",
        ),
        (
            gzip.compress(pcap()[:10], mtime=0),
            "it has nothing to read: truncated in the pcap header at byte 0 of the uncompressed",
        ),
        (pcap(version=(1, 2)), "it has nothing to read: unsupported pcap version 1.2 at byte 4"),
        (
            LITTLE.section(version=(2, 0)),
            "it has nothing to read: pcapng section of unsupported version 2.0 at byte 0",
        ),
        (
            LITTLE.section()[:20],
            "it has nothing to read: truncated in the middle of a block of type 168627466 at byte",
        ),
        (b"\n\r\r\n" + bytes(24), "it has nothing to read: corrupt section header at byte 0: its "),
        (b"\n\r\r\n", "it has nothing to read: truncated in the middle of a block's header at byt"),
    ],
)
def test_no_capture_file(data: bytes, said: str) -> None:
    assert refusal(data).startswith(said)


PACKET = LITTLE.packet(1, b"abcd")
AT = len(START + PACKET)


def changed(block: bytes, at: int, value: int) -> bytes:
    return block[:at] + struct.pack("<I", value) + block[at + 4 :]


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (PACKET[:-1], "truncated in the middle of a packet at byte {}: a block of 36 bytes prom"),
        (PACKET[:11], "truncated in the middle of a block's header at byte {}: 12 bytes or more d"),
        (changed(PACKET, 4, 37), "corrupt block of type 6 at byte {}: its length is 37, which is"),
        (changed(PACKET, 4, 28), "corrupt block of type 6 at byte {}: its length is 28, which is"),
        (changed(PACKET, 4, 0), "corrupt block of type 6 at byte {}: its length is 0, which is"),
        (changed(PACKET, 4, 1 << 31), "corrupt block of type 6 at byte {}: it claims 2147483648 b"),
        (changed(PACKET, 4, 40) + b"0000", "corrupt block of type 6 at byte {}: its two lengths a"),
        (changed(PACKET, 8, 1), "corrupt packet at byte {}: it is of interface 1, and the section"),
        (changed(PACKET, 20, 5), "corrupt packet at byte {}: 5 bytes promised in a block with ro"),
        (LITTLE.simple(b"abcd", 5), "corrupt packet at byte {}: 5 bytes promised in a block with "),
        (LITTLE.obsolete(1, b"", interface=7), "corrupt packet at byte {}: it is of interface 7"),
        (LITTLE.section() + PACKET, "corrupt packet at byte 112: it is of interface 0, and the s"),
        (
            changed(LITTLE.block(99), 4, 1 << 31),
            "truncated in the middle of a block of type 99 at byte {}: a block of 2147483648 byte",
        ),
        (
            LITTLE.block(99, bytes(1 << 20))[:-4] + b"0000",
            "corrupt block of type 99 at byte {}: its two lengths are 1048588 and 808464432",
        ),
    ],
)
def test_trouble_in_pcapng(rest: bytes, said: str) -> None:
    frames, trouble = read(START + PACKET + rest)
    assert frames == [Frame(1, 1000, b"abcd", 1, 4)]
    assert trouble.startswith(said.format(AT))


@pytest.mark.parametrize("size", [10, 20 << 20])
def test_a_block_of_any_size_is_skipped(size: int) -> None:
    frames, trouble = read(START + LITTLE.block(99, bytes(size + 2 & ~3)) + PACKET)
    assert len(frames) == 1
    assert trouble == ""


def test_trouble_in_pcap() -> None:
    packet = (1, 2, b"x" * 60, 60)
    whole = pcap(packet, packet)
    for rest, said in (
        (whole[:-48], "truncated in the middle of a packet at byte 100: 60 bytes promised, 12 the"),
        (whole[:110], "truncated in the middle of a packet's header at byte 100: 16 bytes due"),
        (changed(whole, 108, 1 << 31), "corrupt packet header at byte 100: it claims 2147483648 b"),
    ):
        for how, data in compressed(rest):
            frames, trouble = read(data)
            assert len(frames) == 1
            inside = "" if how == "plain" else " of the uncompressed data"
            assert trouble.startswith(said.replace("100", "100" + inside))


def test_a_large_packet() -> None:
    largest = pcap((1, 2, bytes(16 << 20), 16 << 20), (3, 4, b"", 0))
    assert len(read(largest)[0]) == 2
    for packets in ([], [(1, 2, bytes(16 << 20), 16 << 20)]):
        data = pcap(*packets, (1, 2, bytes((16 << 20) + 1), 0), (3, 4, b"", 0))
        frames, trouble = read(data)
        assert len(frames) == len(packets)
        assert "and no packet has more than 16777216" in trouble


def test_truncated_compression() -> None:
    data = pcap(*[(1, 2, os.urandom(1000), 1000) for _ in range(1000)])
    whole = read(data)[0]
    for how, packed in compressed(data)[1:]:
        frames, trouble = read(packed[: len(packed) * 2 // 3])
        assert 0 < len(frames) < 1000, how
        assert frames == whole[: len(frames)]
        kind = how.partition("-")[0]
        assert trouble.startswith(f"the {kind}'d data is truncated at byte ")
        assert trouble.endswith(" of the uncompressed data")


def test_what_comes_before_corrupt_gzip_is_delivered() -> None:
    data = pcap(*[(1, 2, os.urandom(100), 100) for _ in range(1000)])
    first = gzip.compress(data[:50_000])
    frames, trouble = read(first + b"no gzip")
    assert len(frames) == (50_000 - 24) // 116
    assert trouble.startswith("the gzip'd data is corrupt (incorrect header check) at byte 50000 ")
    damaged = gzip.compress(data)[:-8] + b"bad crc!"
    frames, trouble = read(damaged)
    assert len(frames) == 1000
    assert trouble.startswith("the gzip'd data is corrupt (incorrect data check) at byte 116024 ")


@pytest.mark.parametrize("how", ["zstd", "xz", "bzip2", "lz4"])
def test_what_comes_before_a_cut_is_delivered(how: str) -> None:
    data = pcap(*[(1, 2, os.urandom(100), 100) for _ in range(5_000)])
    packed = PACKERS[how](data)
    frames, trouble = read(packed[: len(packed) * 3 // 4])
    assert len(frames) > 1_000
    assert trouble.startswith(f"the {how}'d data is truncated at byte ")


def test_all_of_a_cut_lz4_frame_comes_out() -> None:
    data = pcap(*[(1, 2, bytes(1000), 1000) for _ in range(4_000)])  # one block, and it is small
    packed = lz4.frame.compress(data, block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    frames, trouble = read(packed[:-4])
    assert len(frames) == 4_000
    assert trouble.startswith("the lz4'd data is truncated at byte ")


def test_lz4_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lz4.frame", None)
    said = r"it is compressed by lz4, .*: pip install 'trioecho\[lz4\]', or unpack it first$"
    with pytest.raises(TrioechoError, match=said):
        CaptureFile(io.BytesIO(PACKERS["lz4"](pcap())), "it")


def test_a_window_beyond_the_bound_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20}]
    with pytest.raises(TrioechoError, match=r"the xz'd data takes more than 128 MiB to unpack$"):
        CaptureFile(io.BytesIO(lzma.compress(pcap(), filters=filters)), "it")


def test_what_comes_before_corrupt_zstd_is_delivered() -> None:
    data = pcap(*[(1, 2, os.urandom(100), 100) for _ in range(5000)])
    packed = bytearray(PACKERS["zstd"](data))
    packed[300_000:] = b"\xff" * 200_000
    frames, trouble = read(bytes(packed))
    assert len(frames) > (2 * (128 << 10) - 4096) // 116 - 1  # two whole blocks, but for 4 KiB
    assert trouble.startswith("the zstd'd data is corrupt")


class Failing(io.BytesIO):
    """A disk that breaks, or a pipe that is set not to block."""

    how: OSError | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if found := super().read(size):
            return found
        if self.how is not None:
            raise self.how
        return None  # type: ignore[return-value]


def test_a_source_that_fails() -> None:
    data = pcap(*some(3))
    for how, said in (
        (OSError(5, "Input/output error"), "reading failed (Input/output error) at byte "),
        (None, "reading failed (it is set not to wait for data) at byte "),
    ):
        raw = Failing(data)
        raw.how = how
        with CaptureFile(raw, "it") as file:
            assert sum(len(batch) for batch in file) == 3
            assert str(file.trouble) == f"{said}{len(data)}"


def test_interfaces_and_comments_are_bounded() -> None:
    comments = LITTLE.section(*[(1, b"c" * 2000)] * 200)
    data = comments + LITTLE.interface((2, b"n" * 2000)) * 70_000
    with CaptureFile(io.BytesIO(data), "it") as file:
        assert list(file) == []
        assert len(file.interfaces) == 65_536
        assert {len(interface.name) for interface in file.interfaces} == {128}
        assert [len(comment) for comment in file.comments] == [1024] * 100
        assert "more than 65536 interfaces at byte " in str(file.trouble)


@pytest.mark.parametrize(
    "options",
    [b"\x02\0\xff\xff", b"\x02\0", b"\x09\0\0\0", b"\x0e\0\x04\0abcd", b"\x09\0\x02\0\x09\x09\0\0"],
)
def test_an_unreadable_option_is_passed_over(options: bytes) -> None:
    described = LITTLE.block(1, LITTLE.pack("HHI", 1, 0, 0) + options + bytes(-len(options) % 4))
    assert read(LITTLE.section() + described + PACKET)[0] == [Frame(1, 1000, b"abcd", 1, 4)]


def test_what_the_renderer_writes_is_read_back() -> None:
    rungs = play("+0 > S 0:0(0)\n+.25 < S. 0:0(0) ack 1\n+.5 > . 1:1(0) ack 1")
    setting = Setting("a title", ["eth0"])
    renderer = Pcapng(setting)
    summary = Summary((), CaptureSummary("eth0", 3, 0))
    data = renderer.begin() + renderer.show(rungs[:2]) + renderer.show(rungs[2:])
    with CaptureFile(io.BytesIO(data + renderer.end(summary)), "it") as file:
        assert list(file) == [[rung.segment.frame for rung in rungs]]
        assert file.interfaces == [Interface(0, "eth0", 101, 10**9)]
        assert file.comments == ["a title"]
        assert file.trouble is None


# ---- what a file says of drops -------------------------------------------------------------------


def dropped(*blocks: bytes) -> int | None:
    whole = LITTLE.section() + LITTLE.interface() + b"".join(blocks)
    with CaptureFile(io.BytesIO(whole), "it") as file:
        assert sum(map(len, file)) == sum(block[0] == 6 for block in blocks)
        assert file.trouble is None
        return file.dropped


def statistics(*options: tuple[int, int], interface: int = 0) -> bytes:
    told = [(code, LITTLE.pack("Q", count)) for code, count in options]
    return LITTLE.block(5, LITTLE.pack("III", interface, 0, 0) + LITTLE.options(*told))


def since(count: int, size: int = 3) -> bytes:
    return LITTLE.packet(0, bytes(size), (4, LITTLE.pack("Q", count)))


def test_what_statistics_say_of_drops() -> None:
    assert dropped(statistics((4, 100), (5, 70), (7, 7))) == 77
    assert dropped(statistics((5, 3)), statistics((5, 5))) == 5  # the last one counts all
    assert dropped(statistics((5, 0))) == 0
    assert dropped(LITTLE.interface(), statistics((5, 3)), statistics((5, 4), interface=1)) == 7
    assert dropped(statistics((4, 100))) is None
    assert dropped(statistics((5, 3), interface=1)) is None  # of no interface


@pytest.mark.parametrize("size", [0, 1, 3, 4])
def test_what_packets_say_of_drops(size: int) -> None:
    assert dropped(since(2, size), LITTLE.packet(0, b"x"), since(3, size)) == 5
    assert dropped(LITTLE.packet(0, bytes(size), (1, b"said"))) is None
    assert dropped(since(2, size), statistics((5, 9))) == 9
