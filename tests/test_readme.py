"""What the README shows is what the reader gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from needs import need_namespaces

README = Path(__file__).parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


CALLS = re.compile(r"^ *\d+\.\d{3} {4,}(?!\d)(.*)$", re.MULTILINE)


def shape(ladder: str) -> tuple[list[str], list[str]]:
    """A ladder without what differs from run to run: times, ports, descriptors, window scale.

    Returns:
        The words of the segments and sentences in their order, and the calls; since both ends run
        side by side, their calls may come in another order.
    """
    calls = [
        re.sub(r"\d+", "N", call)
        for row in CALLS.findall(ladder)
        for call in re.sub("listening: |connection: ", "", row.strip()).split(", ")
    ]
    rest = " ".join(CALLS.sub("", ladder).split())
    return re.sub(r"\d+(\.\d+)?( [µmn]?s\b)?", "N", rest).split(), sorted(calls)


def test_the_ladder_is_real_output() -> None:
    need_namespaces()
    (ladder,) = blocks("text")
    done = subprocess.run(
        [sys.executable, "-m", "trioecho", "trace", "testing purposes"],
        capture_output=True,
        check=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
    )
    assert shape(ladder) == shape(done.stdout)


@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines()])
def test_each_command_exists(line: str) -> None:
    """Each option that the README names is one that the command's help names."""
    words = line.removeprefix("sudo ").partition("#")[0].split()
    if words[0] == "make":
        makefile = (README.parent / "Makefile").read_text()
        assert f"\n{words[1]}:" in makefile
        return
    command = [sys.executable, "-m", "trioecho", words[1], "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for word in words:
        if word.startswith("-"):
            assert word in text, word
