"""What becomes of packets with each fault, and how its words are read, is as before."""

from __future__ import annotations

import pytest
from as_before import as_before, kept
from told_fates import FATES, fates, faults


@pytest.mark.parametrize("fault", faults())
def test_each_fault(fault: str) -> None:
    as_before(FATES, fault, fates(fault))


def test_nothing_else_is_kept() -> None:
    assert list(kept(FATES)) == faults()
