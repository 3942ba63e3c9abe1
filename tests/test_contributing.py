"""CONTRIBUTING.md names what there is, and the release has what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import trioecho

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
ROOMS = PAGE.partition("## Where a change goes")[2].partition("###")[0]


def test_every_place_that_is_named_is_there() -> None:
    places = re.findall(r"`((?:trioecho|tests)/[\w/.]+)`", ROOMS)
    assert len(set(places)) >= 10
    assert not [place for place in places if not (ROOT / place).exists()]


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
