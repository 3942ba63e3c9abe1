"""The pytest plugin: the fixture ``wire``, and the ladder of a test that failed with it.

pytest loads this wherever trioecho is installed, so it imports nothing but pytest until a test asks
for the fixture.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from trioecho.testing import Wire

_MARK = "wire(*faults): what the fixture 'wire' does to what it carries, such as 'mtu 576'"
_wire = pytest.StashKey["Wire"]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """Two hosts with a wire between them that records, and breaks, what it carries."""
    from trioecho.hosts.refusal import NamespaceUnavailable
    from trioecho.testing import open_wire

    mark = request.node.get_closest_marker("wire")
    with ExitStack() as stack:
        try:
            wire = stack.enter_context(open_wire(mark.args if mark else ()))
        except NamespaceUnavailable as error:
            if os.environ.get("TRIOECHO_REQUIRE") == "all":
                pytest.fail(f"TRIOECHO_REQUIRE=all, but {error}", pytrace=False)
            pytest.skip(str(error))
        request.node.stash[_wire] = wire
        yield wire


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ladder to the report of a test that has failed."""
    wire = item.stash.get(_wire, None)
    error = call.excinfo
    if wire is not None and error is not None and not error.errisinstance(pytest.skip.Exception):
        item.add_report_section(call.when, "wire", _ladder(wire))
        del item.stash[_wire]
    elif call.when == "teardown" and wire is not None:
        del item.stash[_wire]  # else each test's wire, and what was seen, lives as long as pytest
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(node: pytest.Item, report: pytest.TestReport) -> None:
    """Show the ladder before the prompt of ``--pdb``, which shows the traceback and no sections."""
    add = getattr(report.longrepr, "addsection", None)
    if add is not None and node.config.getoption("usepdb", False):
        for section in [one for one in report.sections if one[0].startswith("Captured wire")]:
            add(*section)
            report.sections.remove(section)


def _ladder(wire: Wire) -> str:
    from trioecho.errors import TrioechoError

    try:
        return wire.ladder()
    except TrioechoError as error:  # it ended before the test
        return str(error)
