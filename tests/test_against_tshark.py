"""The truth is tested against tshark: every frame agrees, or a documented rule says why not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from against.compare import Tally
from against.frames import KINDS, own_captures
from against.rules import RULES, documented
from capture_file import write
from captures import CORPUS, corpus, need_corpus
from needs import need_namespaces, need_tool

WANTED = 0.995


def check(tally: Tally) -> None:
    assert tally.frames
    assert not tally.unexplained, "\n" + tally.report()


@pytest.mark.parametrize("name", [name for name, _ in corpus()] or [""])
def test_each_capture(name: str) -> None:
    need_corpus()
    tally = Tally()
    tally.add(need_tool("tshark"), CORPUS / name)
    assert not tally.unexplained, "\n" + tally.report()


def test_our_own_captures(tmp_path: Path) -> None:
    need_namespaces()
    tshark = need_tool("tshark")
    tally = Tally()
    for path in own_captures(tmp_path, [sys.executable, "-m", "trioecho"]):
        tally.add(tshark, path)
    check(tally)


def test_made_up_losses(tmp_path: Path) -> None:
    """Many connections with losses of every kind, before the tap and behind it."""
    tally = Tally()
    path = tmp_path / "losses.pcap"
    write(path, 20_000, 50)
    tally.add(need_tool("tshark"), path)
    check(tally)


def test_the_whole() -> None:
    """Verdict sets over all captures; what differs does so by a rule."""
    tshark = need_tool("tshark")
    tally = Tally()
    for name, _ in need_corpus():
        tally.add(tshark, CORPUS / name)
    check(tally)
    assert tally.verdicts_differ <= (1 - WANTED) * tally.frames, tally.report()
    for kind in KINDS:
        # What the rules do not excuse agrees to the last frame; what they do is counted by rule.
        apart = tally.tshark[kind] + tally.ours[kind] - 2 * tally.both[kind]
        assert apart <= sum(tally.rules.values()), kind


def test_each_rule_is_documented_and_each_documented_rule_exists() -> None:
    assert documented() == {*RULES, "one-fact-two-names"}
