"""CONTRIBUTING.md names what there is, and the release has what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import trioecho

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
ROOMS = PAGE.partition("## Where a change goes")[2].partition("###")[0]


def test_every_place_that_is_named_is_there() -> None:
    places = re.findall(r"`((?:trioecho|tests)/[\w/.]+)`", ROOMS)
    assert len(set(places)) >= 10
    assert not [place for place in places if not (ROOT / place).exists()]


@pytest.mark.parametrize(
    ("change", "place", "proof"),
    [
        ("a verdict", "trioecho/tcp/rules/__init__.py", "def ordinary"),
        ("a reason for a reset", "trioecho/tcp/rules/resets.py", "class ConnectionRst"),
        ("a link type", "trioecho/packet/link.py", "LINKS"),
        ("an output format", "trioecho/render/__init__.py", "FORMATS = {"),
        ("a fault", "trioecho/faults/faults.py", "FAULTS: "),
        ("a lesson", "trioecho/lessons/library/abort.toml", "title"),
        ("a command", "trioecho/cli/app.py", "app.command("),
        ("where calls", "trioecho/stage/journal.py", "class Journal"),
        ("how a run ends", "trioecho/stage/play.py", "async def play"),
        ("when the terminal is coloured", "trioecho/cli/stdout.py", "def has_colors"),
    ],
)
def test_each_change_has_one_room(change: str, place: str, proof: str) -> None:
    (row,) = re.findall(rf"^\| {change}.* \| (.*) \|$", ROOMS, re.M)
    assert proof in (ROOT / place).read_text("utf-8")
    assert str(Path(place).parent) in row


def test_every_make_target_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"`(?:[A-Z_]+=\w+ )?make ([a-z]+)", PAGE))
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.M))


def test_the_version_stands_in_one_place() -> None:
    stated = [
        path.relative_to(ROOT)
        for path in [*ROOT.glob("*.toml"), *ROOT.glob("trioecho/**/*.py"), ROOT / "mkdocs.yml"]
        if f'"{trioecho.__version__}"' in path.read_text("utf-8")
    ]
    assert stated == [Path("trioecho/__init__.py")]
