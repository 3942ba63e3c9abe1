"""Runs another test suite in a pytest process of its own."""

from __future__ import annotations

import sys

import pytest

PYTEST = (
    *(sys.executable, "-m", "pytest", "-W", "error"),
    *("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
)
# Options: with pytest-asyncio and anyio, or without what only a few suites need.
ASYNCIO = ("-o", "asyncio_default_fixture_loop_scope=function")
PLAIN = ("-p", "no:asyncio", "-p", "no:anyio")
# hypothesis, which pytest-trio would import, takes longer than all the rest.
WITHOUT = {"hypothesis": 'raise ImportError("it takes seconds")'}


def run_suite(
    pytester: pytest.Pytester,
    *options: str,
    before: tuple[str, ...] = (),
    plugins: tuple[str, ...] = PLAIN,
) -> pytest.RunResult:
    """Runs pytest on the suite; the plugin is there because trioecho is installed.

    Args:
        pytester: the suite's directory.
        options: pytest's options.
        before: the words of a command that runs pytest.
        plugins: ``ASYNCIO`` or ``PLAIN``.
    """
    pytester.makepyfile(**WITHOUT)
    return pytester.run(*before, *PYTEST, *plugins, *options)
