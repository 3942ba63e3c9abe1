"""Each command that the README names exists; ``docs/test_blocks.py`` runs those with output."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


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
