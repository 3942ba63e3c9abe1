"""TCP options: lengths and names off by one, lists that the capture cut, and a SYN's in words."""

from __future__ import annotations

from struct import pack

import pytest
from frames import tcp
from hypothesis import given
from hypothesis import strategies as st

from trioecho.model import ACK, SYN, Frame, Options
from trioecho.packet.decode import decode
from trioecho.packet.link import ETHERNET
from trioecho.packet.options import decode_options

TIMESTAMPS = b"\1\1" + pack("!BBII", 8, 10, 1, 2)
OF_A_SYN = pack("!BBH", 2, 4, 1460) + b"\4\2" + pack("!BBII", 8, 10, 1, 2) + b"\1\3\3\7"
BLOCKS = ((10, 20), (30, 40), (50, 60))
SACK = b"\1\1" + pack("!BB6I", 5, 26, *(edge for block in BLOCKS for edge in block))
MSS = Options(mss=1460, cut=True)
PERMITTED = Options(mss=1460, sack_permitted=True, cut=True)
STAMPED = Options(mss=1460, sack_permitted=True, timestamps=(1, 2), cut=True)


@pytest.mark.parametrize("size", range(12))
def test_timestamps_alone(size: int) -> None:
    assert decode_options(TIMESTAMPS[:size], 12) == Options(cut=True)


@pytest.mark.parametrize(
    ("size", "options"),
    [
        *((size, Options(cut=True)) for size in range(4)),
        *((size, MSS) for size in (4, 5)),
        *((size, PERMITTED) for size in range(6, 16)),
        *((size, STAMPED) for size in range(16, 20)),
        (20, Options(mss=1460, sack_permitted=True, timestamps=(1, 2), window_scale=7)),
    ],
)
def test_of_a_syn(size: int, options: Options) -> None:
    assert decode_options(OF_A_SYN[:size], 20) == options


@pytest.mark.parametrize(
    ("size", "blocks"), [(4, 0), (11, 0), (12, 1), (19, 1), (20, 2), (27, 2), (28, 3)]
)
def test_whole_sack_blocks_before_the_cut_count(size: int, blocks: int) -> None:
    options = decode_options(SACK[:size], 28)
    assert options == Options(sack=BLOCKS[:blocks], cut=size < 28)


@pytest.mark.parametrize(
    ("name", "data", "size", "options"),
    [
        ("the end of the list was captured", b"\1\0", 8, Options()),
        ("a length past the end on the wire", b"\2\x0a", 8, Options(malformed=True)),
        ("a length of 1", b"\2\1", 8, Options(malformed=True)),
        ("nothing was captured", b"", 8, Options(cut=True)),
        ("there is nothing", b"", 0, Options()),
        ("its length was not captured", b"\2", 8, Options(cut=True)),
        ("there is no room for a length", b"\2", 1, Options(malformed=True)),
        ("SACK of a wrong length", b"\5\x0b" + bytes(8), 12, Options(cut=True)),
    ],
)
def test_the_edge_of_a_cut(name: str, data: bytes, size: int, options: Options) -> None:
    assert decode_options(data, size) == options, name


@given(st.binary(max_size=40), st.integers(0, 40))
def test_any_options_cut_anywhere(data: bytes, size: int) -> None:
    """What is told of the part is told of the whole, which tells at least as much."""
    whole, part = decode_options(data), decode_options(data[:size], len(data))
    if not part.cut:
        assert part == whole
    assert part.sack == whole.sack[: len(part.sack)] or b"\5" in data[size:]
    assert part.other == whole.other[: len(part.other)]


@pytest.mark.parametrize("snaplen", range(54, 67))
def test_a_frame_cut_within_its_timestamps(snaplen: int) -> None:
    """With a snaplen of 58 to 65 it is cut inside the option, and the segment is there."""
    data = bytes(12) + b"\x08\0" + tcp("client", ACK, 1000, 2000, b"hello", options=TIMESTAMPS)
    segment = decode(Frame(1, 0, data[:snaplen], ETHERNET, len(data)))
    assert segment is not None
    assert (segment.seq, segment.ack, segment.length, segment.payload) == (1000, 2000, 5, b"")
    assert segment.options == (Options(timestamps=(1, 2)) if snaplen == 66 else Options(cut=True))


def test_a_syn_cut_before_its_window_scale() -> None:
    data = bytes(12) + b"\x08\0" + tcp("client", SYN, 1000, options=OF_A_SYN)
    segment = decode(Frame(1, 0, data[:68], ETHERNET, len(data)))
    assert segment is not None
    assert segment.options == PERMITTED


@pytest.mark.parametrize(("edges", "blocks"), [(2, 1), (3, 0), (4, 2)])
def test_a_block_of_sack_has_two_edges(edges: int, blocks: int) -> None:
    options = decode_options(bytes((5, 2 + 4 * edges)) + bytes(4 * edges))
    assert len(options.sack) == blocks
    assert options.other == (() if blocks else (5,))


@pytest.mark.parametrize(("subtype", "name"), [(8, "MP_TCPRST"), (9, "subtype 9")])
def test_multipath_subtypes(subtype: int, name: str) -> None:
    assert decode_options(bytes((30, 4, subtype << 4, 0))).mptcp == (name,)


ALL = Options(1460, 7, True, (1, 0), ((1, 2),), b"", ("MP_CAPABLE",), (99,), True)
