"""What a test needs of the machine: it skips with the reason, or fails where CI asks for all."""

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
    """Skip the test for a reason; with ``TRIOECHO_REQUIRE=all`` in the environment, fail it."""
    if os.environ.get("TRIOECHO_REQUIRE") == "all":
        pytest.fail(f"TRIOECHO_REQUIRE=all, but {reason}", pytrace=False)
    pytest.skip(reason)


def need_tool(name: str) -> str:
    """The path of a program, or a skip where it is not installed."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    assert path is not None
    return path


def need_module(name: str) -> None:
    """Skip where a module is not installed."""
    if importlib.util.find_spec(name) is None:
        missing(f"the module {name} is not installed: pip install -e '.[docs]'")


def need_namespaces() -> None:
    """Skip where no private network namespace can be had.

    An async test uses the fixture ``namespaces`` instead: pytest-trio forgets why a test skips.
    """
    if reason := why_none("host"):
        missing(reason)


def need_wires() -> None:
    """Skip where no private wire can be had; an async test uses the fixture ``wires``."""
    if reason := why_none("wire"):
        missing(reason)


@functools.cache
def why_none(kind: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROBE, kind], check=True, capture_output=True, text=True
    ).stdout.strip()
