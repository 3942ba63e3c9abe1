"""The truth is tested against tshark: every frame agrees, or a documented rule says why not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from against.compare import Tally
from against.frames import KINDS
from against.own import broken_captures, ladder_captures, loss_captures, traced_captures
from against.rules import RULES, documented
from captures import CORPUS, corpus, need_corpus
from needs import need_namespaces, need_tool, need_wires

RUN = [sys.executable, "-m", "trioecho"]

#: Of all frames of other people's captures, those whose verdicts are to be the same, rules or not.
#: The ladders of the engine's tests are not among them: many are made to show where a rule holds.
SAME = 0.995
#: To reach in precision and recall by every verdict that occurs as often as this.
OFTEN, WANTED = 20, 0.95
#: Where the rules are used more than that allows: precision and recall with every difference
#: counted. They may not get worse unnoticed; docs/differences.md says why they are what they are.
RAW = {
    "retransmission": (0.88, WANTED),
    "fast-retransmission": (WANTED, 0.89),
    "out-of-order": (0.73, 0.41),
    "ack-lost-segment": (0.91, WANTED),
    "reused-ports": (WANTED, 0.90),
    "keep-alive": (WANTED, 0.60),
    "zero-window-probe": (0.70, WANTED),
}


@pytest.mark.parametrize("name", [name for name, _ in corpus()] or [""])
def test_each_capture(name: str) -> None:
    need_corpus()
    tally = Tally()
    tally.add(need_tool("tshark"), CORPUS / name)
    assert not tally.unexplained, "\n" + tally.report()


def test_traced_captures(tmp_path: Path) -> None:
    need_namespaces()
    tshark = need_tool("tshark")
    tally = Tally()
    for path in traced_captures(tmp_path, RUN):
        tally.add(tshark, path)
    check(tally)


def test_captures_of_broken_wires(tmp_path: Path) -> None:
    need_wires()
    tshark = need_tool("tshark")
    tally = Tally()
    for path in broken_captures(tmp_path):
        tally.add(tshark, path)
    check(tally)


def test_ladders_and_made_up_losses(tmp_path: Path) -> None:
    tshark = need_tool("tshark")
    tally = Tally()
    for path in (*ladder_captures(tmp_path), *loss_captures(tmp_path)):
        tally.add(tshark, path)
    check(tally)


def test_the_whole(tmp_path: Path) -> None:
    """Over all captures, of others and our own: what is to be reached, with the rules and without.

    Without the made-up losses, whose verdicts are many and all alike, and without what was traced
    just now, which is another each time.
    """
    tshark = need_tool("tshark")
    tally = Tally()
    for name, _ in need_corpus():
        tally.add(tshark, CORPUS / name)
    assert tally.verdicts_differ <= (1 - SAME) * tally.frames, tally.report()
    for path in ladder_captures(tmp_path):
        tally.add(tshark, path)
    check(tally)
    often = [kind for kind in KINDS if max(tally.tshark[kind], tally.ours[kind]) >= OFTEN]
    assert often
    for kind in often:
        assert min(tally.apart(kind)) >= WANTED, f"{kind}\n{tally.report()}"
        for found, least in zip(tally.raw(kind), RAW.get(kind, (WANTED, WANTED)), strict=True):
            assert found >= least, f"{kind}\n{tally.report()}"


def test_each_rule_is_documented_and_each_documented_rule_exists() -> None:
    assert documented() == {*RULES, "one-fact-two-names"}


def check(tally: Tally) -> None:
    assert tally.frames
    assert not tally.unexplained, "\n" + tally.report()
