"""At 40, 80 and 200 columns no line wraps, and none says less than another."""

# covers: cli/prose, cli/stderr

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest
from needs import need_wires
from programs import TRIOECHO, shown

from trioecho import cli

CAPTURE = str(Path(__file__).parents[2] / "docs" / "captures" / "shop.pcap")
WIDTHS = [40, 80, 200]
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


def on_a_terminal(words: list[str], columns: int, rows: int, *, code: int = 0) -> str:
    """What a command shows on a terminal of this size, without its colours."""
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execve(sys.executable, [*TRIOECHO, *words], {**env, "NO_COLOR": "1"})
    seen = b""
    while chunk := read(terminal):
        seen += chunk
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code
    return seen.decode().replace("\r\n", "\n")


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # its other end has closed
        return b""
