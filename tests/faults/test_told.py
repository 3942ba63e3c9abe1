"""What becomes of packets with each fault, and how its words are read, is as before."""

from __future__ import annotations

from as_before import as_before
from told_fates import FATES, fates


def test_each_example() -> None:
    as_before(FATES, fates())
