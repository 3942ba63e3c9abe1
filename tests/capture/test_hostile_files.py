"""Whatever a capture file claims: frames, or one clean sentence; never more memory than it has."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from captures import (
    PACKERS,
    Blocks,
    pcap,
    read_hostile,
    variations,
)
from crafted import crafted
from edits import edited, edits
from hypothesis import given, settings
from hypothesis import strategies as st

from trioecho.capture.files import CaptureFile
from trioecho.errors import TrioechoError

MIB = 1 << 20
VARIATIONS = [data for _, data in variations()]
CRAFTED = [data for _, data in crafted()]
START = Blocks().section() + Blocks().interface()


@given(st.binary(), st.sampled_from([b"", START, pcap(), *[data[:4] for data in VARIATIONS]]))
def test_any_bytes(data: bytes, start: bytes) -> None:
    read_hostile(start + data)


@settings(max_examples=400)
@given(st.sampled_from(VARIATIONS), edits, st.sampled_from(sorted(PACKERS)))
def test_any_edit_of_a_variation(
    data: bytes, changes: list[tuple[str, int, bytes]], how: str
) -> None:
    read_hostile(PACKERS[how](edited(data, changes)))


@settings(max_examples=200)
@given(st.sampled_from(VARIATIONS), edits, st.sampled_from(sorted(PACKERS)))
def test_any_edit_of_compressed_data(
    data: bytes, changes: list[tuple[str, int, bytes]], how: str
) -> None:
    read_hostile(edited(PACKERS[how](data), changes))


@settings(max_examples=400)
@given(st.sampled_from(CRAFTED), edits)
def test_any_edit_of_a_capture(data: bytes, changes: list[tuple[str, int, bytes]]) -> None:
    read_hostile(edited(data, changes))


@contextmanager
def at_most(mebibytes: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mebibytes * MIB


PROMISES = {
    "a packet of pcap": pcap() + struct.pack("<4I", 1, 2, 0xFFFFFFF0, 0xFFFFFFF0),
    "a packet of pcap, just allowed": pcap() + struct.pack("<4I", 1, 2, 16 << 20, 16 << 20),
    "a packet of pcapng": START + struct.pack("<2I", 6, 0xFFFFFFFC) + bytes(100),
    "a packet of pcapng, just allowed": START + struct.pack("<2I", 6, 16 << 20) + bytes(100),
    "a section": struct.pack("<3I", 0x0A0D0D0A, 0xFFFFFFFC, 0x1A2B3C4D) + bytes(100),
    "an unknown block": START + struct.pack("<2I", 77, 0xFFFFFFFC) + bytes(100),
    "an option": Blocks().section() + Blocks().block(1, struct.pack("<HHIHH", 1, 0, 0, 2, 0xFFFF)),
}


def test_comments_beyond_the_bound_are_not_made() -> None:
    data = Blocks().section(*[(1, b"abcd")] * 500_000)
    with at_most(len(data) / MIB * 4), CaptureFile(io.BytesIO(data), "it") as file:
        assert file.comments == ["abcd"] * 100


@pytest.mark.parametrize("name", PROMISES)
def test_a_promise_costs_nothing(name: str) -> None:
    with at_most(1):
        assert read_hostile(PROMISES[name]) == 0


@pytest.mark.parametrize(
    ("kind", "pack"),
    [
        *(("packets", pack) for pack in ("gzip", "zstd", "xz", "bzip2", "lz4")),
        *((kind, "zstd") for kind in ("unknown block", "interfaces", "names", "no capture")),
    ],
)
def test_a_decompression_bomb(kind: str, pack: str) -> None:
    """32 MiB or so, of which no more is held at once than a few chunks, and the interfaces.

    A name takes the most memory when each of its bytes becomes a character of four.
    """
    name = (2, "\U0001f980".encode() + b"\xff" * 1_020)
    contents = {
        "unknown block": START + Blocks().block(77, bytes(32 * MIB)),
        "packets": pcap() + struct.pack("<4I", 1, 2, MIB, MIB).ljust(MIB + 16, b"\0") * 32,
        "interfaces": START + Blocks().interface() * (1 << 17),
        "names": START + Blocks().interface(name) * (1 << 15),
        "no capture": bytes(32 * MIB),
    }
    bomb = PACKERS[pack](contents[kind])
    window = 8 if pack == "xz" else 0
    with at_most({"interfaces": 24, "names": 60}.get(kind, 12) + window):
        if kind == "no capture":
            with pytest.raises(TrioechoError, match="no capture file"):
                CaptureFile(io.BytesIO(bomb), "it")
        else:
            with CaptureFile(io.BytesIO(bomb), "it") as file:
                frames = sum(len(batch) for batch in file)
            assert frames == (32 if kind == "packets" else 0)


def test_small_packets_are_not_piled_up() -> None:
    data = pcap() + struct.pack("<4I", 1, 2, 0, 0) * 200_000
    with at_most(4), CaptureFile(io.BytesIO(data), "it") as file:
        assert sum(len(batch) for batch in file) == 200_000
