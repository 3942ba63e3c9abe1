"""The accounts of some connections of a file, which is read again for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capture_file import write
from captures import pcap
from frames import frames
from ladders import READ_LATE

from trioecho.account import Account, Accounts
from trioecho.capture.files import open_capture_file
from trioecho.model import ConnectionSummary
from trioecho.packet.link import RAW
from trioecho.reading.again import Few, accounts_of
from trioecho.reading.reading import Reading

#: Another connection between the endpoints of the first.
AGAIN = """
+5    >  S  0:0(0)
+.01  <  R. 0:0(0) ack 1
"""


def on_the_way(path: str) -> tuple[dict[int, Account], Sequence[ConnectionSummary]]:
    """All accounts of a file, and its connections."""
    reading, accounts = Reading(), Accounts()
    with open_capture_file(path) as file:
        for frames in file:
            accounts.see(list(reading.rungs(frames)))
    return {one.connection: one for one in accounts.end()}, list(reading.connections())


def test_they_are_as_on_the_way_and_keep_their_numbers(tmp_path: Path) -> None:
    others = (
        READ_LATE.replace(" > ", f" >{number} ").replace(" < ", f" <{number} ") for number in (2, 3)
    )
    packets = [
        (frame.time // 10**9, frame.time % 10**9 // 1000, frame.data, frame.length)
        for _, frame in frames("".join((READ_LATE, *others, AGAIN)))
    ]
    path = tmp_path / "four.pcap"
    path.write_bytes(pcap(*packets, link=RAW))
    every, found = on_the_way(str(path))
    assert sorted(every) == [1, 2, 3, 4]
    for some in ([3], [2, 4], [1], [4]):
        again = accounts_of(str(path), [one for one in found if one.number in some], iter)
        assert again == {number: every[number] for number in some}


def test_packets_of_others_are_passed_over_at_a_glance(tmp_path: Path) -> None:
    path = tmp_path / "twenty.pcap"
    count = write(path, 2_000, 20)
    every, found = on_the_way(str(path))
    few = [found[3], found[11]]
    again = accounts_of(str(path), few, iter)
    assert again == {one.number: every[one.number] for one in few}
    with open_capture_file(str(path), passing=Few(few).passes) as file:
        left = sum(len(frames) for frames in file)
    assert 0 < left < count / 5


def test_none_is_asked_for(tmp_path: Path) -> None:
    assert accounts_of(str(tmp_path / "which is not there"), [], iter) == {}
