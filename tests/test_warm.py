"""A command that starts warm does what one that starts cold does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import warm

SHOP = str(Path(__file__).parents[1] / "docs" / "captures" / "shop.pcap")
COLD = (sys.executable, "-W", "error", "-m", "trioecho")


@pytest.mark.parametrize(
    "words",
    [
        *(["--help"], ["--version"], ["--halp"], ["faults"], ["explain", "rto"], ["lab"]),
        *(
            ["read", SHOP],
            ["read", "-"],
            ["why", SHOP, "--format", "json"],
            ["send", "--to", "x:y"],
        ),
    ],
    ids=" ".join,
)
def test_it_prints_the_same_and_ends_the_same(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "70"}
    cold = subprocess.run([*COLD, *words], input=b"x", capture_output=True, env=env)
    done = warm.run(*words, stdin=b"x", env=env)
    assert done.returncode == cold.returncode
    assert done.stderr == cold.stderr
    assert done.stdout == cold.stdout


def test_what_python_reads_when_it_starts_is_refused() -> None:
    warm.run("--version")
    with pytest.raises(AssertionError, match="start it cold"):
        warm.run("--version", env={**os.environ, "PYTHONHASHSEED": "7"})
