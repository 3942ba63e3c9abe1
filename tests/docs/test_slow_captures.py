"""The captures of the tutorial on what is slow: they hold what it says, and can be made again."""

from __future__ import annotations

import io

import pytest
import slow_captures
from needs import need_wires
from slow_captures import CAPTURES, Slow

from trioecho.account import Accounts
from trioecho.account.account import Account
from trioecho.capture.files import CaptureFile
from trioecho.reading.reading import Reading


def account(name: str, data: bytes) -> Account:
    accounts, reading = Accounts(), Reading()
    with CaptureFile(io.BytesIO(data), name) as file:
        accounts.see(list(reading.through(file)))
    (one,) = accounts.end()
    return one


@pytest.mark.parametrize(("name", "slow"), CAPTURES.items(), ids=CAPTURES)
def test_a_capture_has_its_cause_and_is_taken_at_its_end(name: str, slow: Slow) -> None:
    kept = account(name, slow_captures.FOLDER.joinpath(f"{name}.pcap").read_bytes())
    assert kept.top is not None
    assert (kept.top.cause, kept.tap) == (slow.cause, slow.end)
    assert [one.kind for one in kept.losses] == ["policed"] * (name == "film")


@pytest.mark.parametrize("name", ["backup", "lookup"])
def test_the_programs_of_the_page_make_it_again(name: str) -> None:
    """The film needs a machine that has nothing else to do."""
    need_wires()
    made = account(name, slow_captures.perform(CAPTURES[name]))
    assert made.top is not None
    assert made.top.cause == CAPTURES[name].cause
