"""A segment has one number: no sentence names one by its frame and another by its rung."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import told
from against.own import ladder_captures
from crafted import crafted
from frames import seen
from programs import shown
from rule_ladders import played

from trioecho.cli.explain_text import show_one, topics

ROOT = Path(__file__).parents[2]
WIDE = 10_000  # columns, so that no sentence is broken
BOTH = re.compile(r"\bframes?\b.*\brungs?\b|\brungs?\b.*\bframes?\b", re.IGNORECASE)
NAMED = re.compile(r"\brungs? (\d[\d,]*)(?: to (\d[\d,]*))?")


def mixed(text: str) -> list[str]:
    """The sentences that speak of frames and of rungs."""
    return [one for one in re.split(r"; |\. |\n", text) if BOTH.search(one)]


def test_what_is_mixed() -> None:
    text = "frame 457: retransmission of rung 25\nrung 3; frame 4. rung 5\nrung 6, frame 7"
    assert mixed(text) == ["frame 457: retransmission of rung 25", "rung 6, frame 7"]


def test_what_is_told_of_each_ladder() -> None:
    for name, ladder in told.ladders().items():
        ours = any(word in ladder for word in told.OURS)
        for rung in played(ladder) if ours else seen(ladder)[1]:
            for note in rung.notes:
                assert not mixed(note.text(rung)), name


def test_what_was_written_down() -> None:
    for path in (told.TOLD, ROOT / "tests" / "faults" / "told.txt"):
        assert not mixed(path.read_text("utf-8"))


def test_what_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for topic in topics():
        show_one(topic)
    text = capsys.readouterr().out
    assert len(text) > 100_000
    assert not mixed(re.sub(r"\n +", " ", text))


def captures(folder: Path) -> Iterator[Path]:
    """Those of the pages, each ladder of the engine's tests in one file, and all tunnels."""
    yield from sorted((ROOT / "docs" / "captures").glob("*.pcap"))
    yield from ladder_captures(folder)
    for name, data in crafted():
        path = folder / f"{name}.pcap"
        path.write_bytes(data)
        yield path


def outputs(path: Path) -> Iterator[str]:
    """All that is told of a capture."""
    for words in (
        ("read", "--ladder", "--all", "--requests"),
        ("read", "--table", "--all"),
        ("why", "--limit", "100000"),
        ("why", "--requests"),
    ):
        yield shown(*words, str(path), columns=WIDE).stdout


def test_what_is_told_of_a_capture(tmp_path: Path) -> None:
    """And each rung that is named is there: in a file, the frame of that number."""
    for path in captures(tmp_path):
        lines = map(json.loads, shown("read", "--format", "json", str(path)).stdout.splitlines())
        numbers = {line["number"]: line["frame"] for line in lines if line["type"] == "rung"}
        assert numbers
        assert all(number == frame for number, frame in numbers.items())
        for text in outputs(path):
            assert not mixed(text), path
            for found in NAMED.finditer(text):
                named = {int(one.replace(",", "")) for one in found.groups() if one}
                assert named <= numbers.keys(), found
