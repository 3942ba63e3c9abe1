"""Somebody else's test suite: a pytest of its own, in a process of its own."""

from __future__ import annotations

import sys

import pytest

PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error")


def run_suite(
    pytester: pytest.Pytester, *options: str, before: tuple[str, ...] = ()
) -> pytest.RunResult:
    """Run pytest on what is there; it has the plugin because trioecho is installed.

    Args:
        pytester: where it is.
        options: for pytest.
        before: a program to run it by, and its arguments.
    """
    return pytester.run(*before, *PYTEST, *options)
