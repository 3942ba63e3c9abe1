"""What tests need of the machine. A test skips with the reason, or fails where CI requires all."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys

import pytest

PROBE = """
import sys
import trio
from trioecho.hosts.host import open_host
from trioecho.hosts.refusal import NamespaceUnavailable
from trioecho.stage.wire import open_wire

async def main():
    try:
        async with open_host() if sys.argv[1] == "host" else open_wire():
            pass
    except NamespaceUnavailable as error:
        print(error)

trio.run(main)
"""


def missing(reason: str) -> None:
    """Skips the test, or fails it where the environment has ``TRIOECHO_REQUIRE=all``."""
    if os.environ.get("TRIOECHO_REQUIRE") == "all":
        pytest.fail(f"TRIOECHO_REQUIRE=all, but {reason}", pytrace=False)
    pytest.skip(reason)


def need_tool(name: str) -> str:
    """The path of a program; skips where it is not installed."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    assert path is not None
    return path


def without_capabilities() -> list[str]:
    """The words before a command that take every capability from it."""
    if os.geteuid() != 0:
        return []
    return [need_tool("setpriv"), "--bounding-set=-all", "--inh-caps=-all", "--"]


def need_module(name: str) -> None:
    """Skips where a module is not installed."""
    if importlib.util.find_spec(name) is None:
        missing(f"the module {name} is not installed: pip install -e '.[docs]'")


def need_namespaces() -> None:
    """Skips where no private network namespace can be made.

    Async tests use the fixture ``namespaces`` instead: pytest-trio loses the reason of a skip.
    """
    if reason := refusal("host"):
        missing(reason)


def need_wires() -> None:
    """Skips where no private wire can be made; async tests use the fixture ``wires``."""
    if reason := refusal("wire"):
        missing(reason)


@functools.cache
def refusal(kind: str) -> str:
    """Why there can be no host or wire; ``""`` where there can."""
    return subprocess.run(
        [sys.executable, "-c", PROBE, kind], check=True, capture_output=True, text=True
    ).stdout.strip()
