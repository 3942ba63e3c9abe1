"""The pytest plugin: the fixture ``wire``, and the ladder in a failed test's report.

pytest loads this module wherever trioecho is installed, so it imports only pytest until a test uses
the fixture.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from trioecho.testing import Wire

_MARK = "wire(*faults): the faults of the fixture 'wire', such as 'mtu 576'"
_wire = pytest.StashKey["Wire"]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """Two hosts and a wire with the mark's faults, which records its segments."""
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
    """Add the ladder to the report of a failed test."""
    wire = item.stash.get(_wire, None)
    error = call.excinfo
    if wire is not None and error is not None and not error.errisinstance(pytest.skip.Exception):
        item.add_report_section(call.when, "wire", _ladder(wire))
        del item.stash[_wire]
    elif call.when == "teardown" and wire is not None:
        del item.stash[_wire]  # else each test's wire and ladder would live as long as pytest
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(node: pytest.Item, report: pytest.TestReport) -> None:
    """Show the ladder above the prompt of ``--pdb``, which shows no report sections."""
    add = getattr(report.longrepr, "addsection", None)
    if add is not None and node.config.getoption("usepdb", False):
        for section in [one for one in report.sections if one[0].startswith("Captured wire")]:
            add(*section)
            report.sections.remove(section)


def _ladder(wire: Wire) -> str:
    from trioecho.errors import TrioechoError

    try:
        return wire.ladder()
    except TrioechoError as error:  # the wire broke before the test did
        return str(error)
