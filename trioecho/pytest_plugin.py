"""The pytest plugin: the fixture ``wire``, and the ladder of a failed test: in its report, at the
debugger's prompt, as a file and in a job summary.

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
_FOLDER = (
    "for each failed test that used the fixture 'wire': its ladder and a pcapng, in this folder"
)
_SUMMARY = "GITHUB_STEP_SUMMARY"
_wire = pytest.StashKey["Wire"]()
_using = pytest.StashKey[pytest.Item]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the files of failed tests."""
    group = parser.getgroup("trioecho")
    group.addoption("--wire-artefacts", metavar="DIR", help=_FOLDER)
    parser.addini("wire_artefacts", _FOLDER)


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
        request.config.stash[_using] = request.node
        yield wire
        wire.strict(False)  # the test has failed for that, or for something else


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test whose wire is strict if a fault has not acted."""
    yield
    wire = item.stash.get(_wire, None)
    if wire is not None:
        try:
            wire.check_faults()
        except AssertionError as error:
            pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ladder to the report of a failed test, and write it where that was asked for."""
    wire, error = item.stash.get(_wire, None), call.excinfo
    failed = error is not None and not error.errisinstance(pytest.skip.Exception)
    if wire is not None and failed:
        item.add_report_section(call.when, "wire", _ladder(wire))
    if wire is not None and (failed or call.when == "teardown"):
        del item.stash[_wire]  # else each test's wire and ladder would live as long as pytest
    report = yield
    if wire is not None and report.failed and (trouble := _keep(wire, item)):
        report.sections.append(("Captured wire files", trouble))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(node: pytest.Item, report: pytest.TestReport) -> None:
    """Show the ladder above the prompt of ``--pdb``, which shows no report sections."""
    add = getattr(report.longrepr, "addsection", None)
    if add is not None and node.config.getoption("usepdb", False):
        for section in [one for one in report.sections if one[0].startswith("Captured wire")]:
            add(*section)
            report.sections.remove(section)


def pytest_enter_pdb(config: pytest.Config) -> None:
    """Show the ladder so far above the prompt of ``breakpoint()``; a failed test's is shown."""
    item = config.stash.get(_using, None)
    wire = None if item is None else item.stash.get(_wire, None)
    if wire is not None:
        writer = config.get_terminal_writer()
        writer.line(_ladder(wire))
        writer.line()


def _ladder(wire: Wire) -> str:
    from trioecho.errors import TrioechoError

    try:
        return wire.ladder()
    except TrioechoError as error:  # the wire broke before the test did
        return str(error)


def _keep(wire: Wire, item: pytest.Item) -> str:
    """Write what a failed test leaves behind; why it cannot be written, or ``""``."""
    config = item.config
    given, usual = config.getoption("wire_artefacts"), config.getini("wire_artefacts")
    here, summary = config.invocation_params.dir, os.environ.get(_SUMMARY)
    folder = here / given if given else config.rootpath / usual if usual else None
    if folder is None and not summary:
        return ""
    from trioecho.errors import TrioechoError
    from trioecho.testing.artefacts import add_to_summary, write_files

    try:
        if folder is not None:
            write_files(wire, item.nodeid, folder)
        if summary:
            add_to_summary(wire, item.nodeid, here / summary)
    except OSError as error:
        return f"The ladder cannot be written to {error.filename!r}: {error.strerror}"
    except TrioechoError as error:
        return str(error)
    return ""
