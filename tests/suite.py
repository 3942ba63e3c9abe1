"""Runs another test suite in a pytest process of its own."""

from __future__ import annotations

import sys

import pytest

PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error")


def run_suite(
    pytester: pytest.Pytester, *options: str, before: tuple[str, ...] = ()
) -> pytest.RunResult:
    """Runs pytest on the suite; the plugin is there because trioecho is installed.

    Args:
        pytester: the suite's directory.
        options: pytest's options.
        before: the words of a command that runs pytest.
    """
    return pytester.run(*before, *PYTEST, *options)
