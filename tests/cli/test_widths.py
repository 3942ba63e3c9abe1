"""At 40, 80 and 200 columns no line wraps, and none says less than another."""

# covers: cli/prose, cli/stderr

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from needs import need_wires
from programs import shown
from terminals import SIZES, on_a_terminal

from trioecho import cli

CAPTURE = str(Path(__file__).parents[2] / "docs" / "captures" / "shop.pcap")
WIDTHS = [40, 80, 200]
TROUBLE = 30  # lines of what went wrong, which nothing hides
# What tells the same at any width, only in other lines.
PROSE = [
    *(["faults"], ["faults", "drop"], ["faults", "queue"], ["faults", "mtu"]),
    *(["explain", "retransmission"], ["explain", "connection-rst"], ["explain", "refused"]),
    *(["explain", "TIME-WAIT"], ["explain", "cwnd"], ["explain", "tls-truncation"]),
    *(["lab", "tls-truncation", "--answer"], ["why", CAPTURE]),
]
SERVER = f"{sys.executable} -m http.server --directory {Path(__file__).parent}"
CLIENT = f"{sys.executable} -c 'import urllib.request as r; r.urlopen(\"http://10.0.0.2:8000\")'"
LADDERS = [
    ["lab", "tls-truncation"],
    ["lab", "lost-data", "--kernel"],
    ["run", "--kernel", "--calls", "--server", SERVER, "--client", CLIENT],
    ["read", CAPTURE, "--connection", "4"],
    ["read", CAPTURE, "--only", "trouble"],
]

COMMANDS = sorted(
    path
    for path in Path(cli.__file__).parent.glob("*.py")
    if "\n    Examples:\n" in path.read_text("utf-8")
)


def wide(text: str, columns: int) -> list[str]:
    """Lines that a screen breaks, but for a path or an address, which nobody can break."""
    long = [line for line in text.splitlines() if len(line) > columns]
    return [line for line in long if not re.fullmatch(r" *\S*/\S*", line)]


@pytest.mark.parametrize("words", PROSE, ids=" ".join)
def test_prose(words: list[str]) -> None:
    words_of = {}
    for columns in WIDTHS:
        text = shown(*words, columns=columns).stdout
        assert wide(text, columns) == []
        words_of[columns] = sorted(text.split())
    assert words_of[40] == words_of[80] == words_of[200]


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_each_example_of_a_help_stands_on_its_line(path: Path) -> None:
    (text,) = re.findall(r"\n    Examples:\n(.*?)\n    \"\"\"", path.read_text("utf-8"), re.S)
    examples = [line.strip().replace("\\\\", "\\") for line in text.splitlines() if line.strip()]
    shown_lines = [line.strip() for line in shown(path.stem, "--help").stdout.splitlines()]
    assert examples
    assert [one for one in examples if one not in shown_lines] == []


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("words", LADDERS, ids=lambda words: " ".join(words[:3]))
def test_ladders(words: list[str], columns: int) -> None:
    need_wires()
    assert wide(shown(*words, columns=columns).stdout, columns) == []


@pytest.mark.parametrize("columns", [40, 80])
def test_an_error_on_a_terminal(columns: int) -> None:
    """Wrapped there between words, and one line for other programs."""
    words = ["lab", "no-such-lesson-of-any-name-at-all"]
    (plain,) = shown(*words, code=1, columns=columns).stderr.splitlines()
    lines = on_a_terminal(words, columns, 24, code=1).splitlines()
    assert " ".join(lines) == plain
    assert wide("\n".join(lines), columns) == []


@pytest.mark.parametrize(("columns", "rows"), [(40, 30), (80, 24), (200, 50)])
def test_a_table_fits_a_terminal(columns: int, rows: int) -> None:
    """From its heading to the summary, beside the shell's next line."""
    need_wires()
    words = ["trace", "--connections", "40", "hi", "--fault", "drop client data 1 connection 3"]
    lines = on_a_terminal(words, columns, rows).splitlines()
    heading = next(at for at, line in enumerate(lines) if "40 connections; " in line)
    assert len(lines) - heading < rows
    assert "more, none with trouble; --all shows each" in " ".join(lines[heading:])
    assert wide("\n".join(lines), columns) == []


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_capture_fits_a_terminal(columns: int, rows: int) -> None:
    """From its first line to the shell's next, with what went wrong and how it came out."""
    lines = on_a_terminal(["read", CAPTURE, "--connection", "4"], columns, rows).splitlines()
    text = " ".join(" ".join(lines).split())
    assert wide("\n".join(lines), columns) == []
    assert len(lines) < rows + TROUBLE
    for said in ("SYN seq 0", "zero window", "closed by FIN", "; 0 retransmissions"):
        assert said in text
    assert rows == 50 or "shortened to fit this terminal; --all shows all" in text


def test_all_is_shown_to_other_programs_and_where_that_is_asked_for() -> None:
    words = ["read", CAPTURE, "--connection", "4"]
    whole = shown(*words, columns=80).stdout
    assert on_a_terminal([*words, "--all"], 80, 24) == whole
    assert "shortened" not in whole


def test_an_echo_is_there_to_be_learnt_from() -> None:
    """On any terminal, all that is said of a short one is shown."""
    need_wires()
    text = on_a_terminal(["trace", "hi"], 80, 24)
    assert "1 of 3: the client opens" in text
    assert "shortened" not in text
    assert len(on_a_terminal(["trace", "hi", "--count", "90"], 80, 24).splitlines()) < 180
