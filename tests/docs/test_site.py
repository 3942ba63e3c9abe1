"""The site: it builds without a warning, and a browser finds nothing wrong on any page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from needs import need_module, need_tool

ROOT = Path(__file__).parents[2]


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_every_page_in_a_browser(tmp_path: Path) -> None:
    """One test, since one build is enough: no warning, then no error, no request to the outside,
    nothing wider than the window, on any page, wide and narrow; and the search works."""
    for module in ("mkdocs", "material", "mkdocstrings_handlers", "playwright"):
        need_module(module)
    chromium = need_tool("chromium")
    site = tmp_path / "site"
    built = python("-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site))
    assert (built.returncode, built.stdout) == (0, "")
    assert len(list(site.rglob("*.html"))) > 30
    walked = python(str(Path(__file__).with_name("walk.py")), str(site), chromium)
    assert (walked.returncode, walked.stdout.strip()) == (0, "")


def test_spelling() -> None:
    need_module("codespell_lib")
    paths = ["docs", "README.md", "CHANGELOG.md", "mkdocs.yml", "tools", "trioecho", "tests"]
    checked = python("-m", "codespell_lib", *paths)
    assert (checked.returncode, checked.stdout) == (0, "")
