"""Edits of a file by chance, at the places and with the numbers that break readers."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

# Numbers at which length fields go wrong.
EDGES = [0, 1, 2, 4, 11, 12, 16, 28, 31, 32, 36, 1 << 16, 1 << 20, 1 << 24, 1 << 31, (1 << 32) - 1]
words = st.builds(
    struct.pack, st.sampled_from(["<I", ">I"]), st.sampled_from(EDGES) | st.integers(0, 300)
)
edits = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "delete", "truncate"]),
        st.integers(0, 1 << 24),
        st.binary(min_size=1, max_size=4) | words,
    ),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for how, where, value in changes:
        at = where % (len(data) + 1)
        match how:
            case "overwrite":
                data = data[:at] + value + data[at + len(value) :]
            case "insert":
                data = data[:at] + value + data[at:]
            case "delete":
                data = data[:at] + data[at + len(value) :]
            case "truncate":
                data = data[:at]
    return data
