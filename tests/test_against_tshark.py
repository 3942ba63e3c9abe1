"""The truth is tested against tshark: every frame agrees, or a documented rule says why not."""

from __future__ import annotations

from pathlib import Path

from against.compare import Tally
from against.own import (
    broken_captures,
    ladder_captures,
    loss_captures,
    traced_captures,
    wrapped_captures,
)
from against.rules import NUMBERS, RULES, documented
from against.triples import triple_capture
from needs import need_namespaces, need_wires


def test_traced_captures(tmp_path: Path) -> None:
    need_namespaces()
    tally = Tally()
    for path in traced_captures(tmp_path):
        tally.add(path)
    check(tally)


def test_captures_of_broken_wires(tmp_path: Path) -> None:
    need_wires()
    tally = Tally()
    for path in broken_captures(tmp_path):
        tally.add(path)
    check(tally)


def test_ladders_and_made_up_losses(tmp_path: Path) -> None:
    tally = Tally()
    for path in (*ladder_captures(tmp_path), *loss_captures(tmp_path)):
        tally.add(path)
    check(tally)


def test_whatever_a_packet_is_wrapped_in(tmp_path: Path) -> None:
    tally = Tally()
    for path in wrapped_captures(tmp_path):
        tally.add(path)
    check(tally)


def test_every_sequence_of_three_packets(tmp_path: Path) -> None:
    tally = Tally()
    triple_capture(tmp_path / "triples.pcap")
    tally.add(tmp_path / "triples.pcap")
    check(tally)
    assert tally.frames == 3 * 14**3
    assert not tally.numbers_differ, tally.report()


def test_each_rule_is_documented_and_each_documented_rule_exists() -> None:
    assert documented() == {*RULES, *NUMBERS, "one-fact-two-names"}


def check(tally: Tally) -> None:
    assert tally.frames
    assert not tally.unexplained, "\n" + tally.report()
