"""The registry: a format is known by its one line there, and by nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest
from frames import play

from trioecho.cli.options import Format as Shown
from trioecho.model import CaptureSummary, Summary
from trioecho.render import AT_THE_END, FORMATS, SUFFIXES, Setting

RUNGS = play("+0 > S 0:0(0)")
SUMMARY = Summary((), CaptureSummary("lo", 1, 0))


def test_each_suffix_names_one_format() -> None:
    assert [FORMATS[name].suffix for name in SUFFIXES.values()] == list(SUFFIXES)
    assert list(SUFFIXES.values()) == list(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_written_at_the_end_or_as_it_comes(name: str) -> None:
    renderer = FORMATS[name](Setting())
    assert bool(renderer.begin() + renderer.show(RUNGS)) is not FORMATS[name].at_end
    assert renderer.end(SUMMARY) or not FORMATS[name].at_end
    assert (FORMATS[name].suffix in AT_THE_END) is FORMATS[name].at_end


def test_standard_output_shows_formats_that_come_as_text() -> None:
    for one in Shown:
        renderer = FORMATS[one.value](Setting())
        assert (renderer.begin() + renderer.show(RUNGS)).decode()


def test_the_registry_is_read_without_any_renderer() -> None:
    code = "import sys, trioecho.render; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {name for name in loaded if name.startswith("trioecho.")} == {"trioecho.render"}
    assert "msgspec" not in loaded
