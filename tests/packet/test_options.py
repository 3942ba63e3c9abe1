"""TCP options: lengths and names that are off by one."""

from __future__ import annotations

import pytest

from trioecho.packet.options import decode_options


@pytest.mark.parametrize(("edges", "blocks"), [(2, 1), (3, 0), (4, 2)])
def test_a_block_of_sack_has_two_edges(edges: int, blocks: int) -> None:
    options = decode_options(bytes((5, 2 + 4 * edges)) + bytes(4 * edges))
    assert len(options.sack) == blocks
    assert options.other == (() if blocks else (5,))


@pytest.mark.parametrize(("subtype", "name"), [(8, "MP_TCPRST"), (9, "subtype 9")])
def test_multipath_subtypes(subtype: int, name: str) -> None:
    assert decode_options(bytes((30, 4, subtype << 4, 0))).mptcp == (name,)
