"""Runs a suite of thirty tests with the fixture ``wire`` many times, beside busy processes.

    python bench/wire_suite.py [RUNS] [BUSY]

The suite, ``bench/wire_suite_tests``, is copied to a repository of its own, whose venv has pytest,
pytest-trio, pytest-asyncio, anyio, pytest-xdist and trioecho. Each second run is one of xdist.
Prints what a run that fails says, and exits with 1 if one does; its ladders are then kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

RUNS, BUSY, TESTS = 100, 4, 30
ROOT = Path(__file__).parent.parent
SUITE = Path(__file__).with_name("wire_suite_tests")
PACKAGES = (
    *("pytest", "pytest-trio", "pytest-asyncio", "anyio", "pytest-xdist"),
    *("uvloop", "psycopg[binary]"),
)
CONFIGURATION = """\
[tool.pytest.ini_options]
addopts = ["-W", "error", "--strict-markers", "--wire-artefacts", "kept"]
asyncio_default_fixture_loop_scope = "function"
"""
ENVIRONMENT = {**os.environ, "TRIOECHO_REQUIRE": "all"}


def make_repository(place: Path) -> str:
    """Copies the suite, and makes a venv for it; returns its interpreter."""
    shutil.copytree(SUITE, place / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "pyproject.toml").write_text(CONFIGURATION)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / ".venv"], check=True)
    install = [sys.executable, str(ROOT / "tools" / "install.py"), str(place / ".venv")]
    subprocess.run([*install, "-e", str(ROOT), *PACKAGES], check=True)
    return str(place / ".venv" / "bin" / "python")


def run(python: str, place: Path, *options: str) -> str:
    """Runs the suite once; what it says where a test fails or is missing, or ``""``."""
    command = [python, "-m", "pytest", "-q", "--show-capture=no", *options]
    said = subprocess.run(command, cwd=place, env=ENVIRONMENT, capture_output=True, text=True)
    passed = f"{TESTS} passed in " in said.stdout
    return "" if passed and said.returncode == 0 else said.stdout + said.stderr


def main(runs: int = RUNS, busy: int = BUSY) -> int:
    """Runs it so many times, and says what came of it."""
    place = Path(tempfile.mkdtemp(prefix="trioecho-suite-"))
    python = make_repository(place)
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    failed = 0
    begun = monotonic()
    try:
        for number in range(runs):
            if said := run(python, place, *(("-n", "3") if number % 2 else ())):
                failed += 1
                print(f"run {number + 1}:\n{said}", flush=True)
    finally:
        for one in spinning:
            one.kill()
            one.wait()
    took = monotonic() - begun
    each = f"{took / max(runs, 1):.0f} s each"
    print(f"{runs} runs of {TESTS} tests beside {busy} busy processes: {failed} failed; {each}")
    if failed:
        print(f"the ladders of the failed tests are in {place / 'kept'}")
        return 1
    shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
