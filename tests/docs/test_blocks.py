"""What the pages show is what the reader gets; and the runner finds out when it is not."""

from __future__ import annotations

from pathlib import Path

import blocks
import pytest
from needs import need_namespaces, need_tool

ROOT = Path(__file__).parents[2]
PAGES = blocks.pages([ROOT / "docs", ROOT / "README.md"])


def need_network() -> None:
    need_namespaces()
    for tool in ("unshare", "ip", "bash"):
        need_tool(tool)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_runs_and_prints_what_the_page_says(page: Path) -> None:
    need_network()
    if "--calls" in page.read_text("utf-8"):
        need_tool("strace")
    assert blocks.apart(page) == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_program_on_a_page_is_run_there(page: Path) -> None:
    found = list(blocks.blocks(page.read_text("utf-8")))
    run = [one for block in found if block.kind == "console" for one in blocks.commands(block.text)]
    for block in found:
        if block.kind != "console" and block.title:
            assert any(block.title in command.words for command in run), block.title


def write(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    return page


def test_what_has_changed_is_found(tmp_path: Path) -> None:
    page = write(tmp_path, "```console\n$ echo one\ntwo\n```\n")
    (wrong,) = blocks.check(page)
    assert f"{page}:1: $ echo one" in wrong
    assert "-two" in wrong
    assert "+one" in wrong


def test_what_has_changed_is_written(tmp_path: Path) -> None:
    page = write(tmp_path, "a\n\n  ```console\n  $ echo one\n  two\n  $ echo three\n  ```\nb\n")
    assert blocks.check(page, write=True) == []
    expected = "a\n\n  ```console\n  $ echo one\n  one\n  $ echo three\n  three\n  ```\nb\n"
    assert page.read_text() == expected
    assert blocks.check(page) == []


def test_a_command_that_fails_is_found_whatever_the_page_says(tmp_path: Path) -> None:
    page = write(tmp_path, "```console\n$ false\n```\n")
    assert len(blocks.check(page)) == 1
    assert len(blocks.check(page, write=True)) == 1


def test_python_blocks_run_in_order_and_must_end_well(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        '```python title="one.py"\nprint(1)\n```\n'
        "```console\n$ python one.py\n1\n```\n"
        "```python\nassert False, 'so'\n```\n",
    )
    (wrong,) = blocks.check(page)
    assert "AssertionError: so" in wrong


@pytest.mark.parametrize("kind", ["toml", "ladder"])
def test_a_file_is_there_for_the_commands(tmp_path: Path, kind: str) -> None:
    page = write(
        tmp_path, f'```{kind} title="a.{kind}"\nb\n```\n```console\n$ cat a.{kind}\nb\n```\n'
    )
    assert blocks.check(page) == []


def test_a_terminal_goes_on_beside_the_page(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        '```python title="talk.py"\n'
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(print('interrupted')))\n"
        "print('ready', flush=True)\nsignal.pause()\n```\n"
        '```console title="Terminal 1"\n$ python talk.py\nready\n```\n'
        "```console\n$ echo meanwhile\nmeanwhile\n```\n"
        '```console title="Terminal 1"\n^C\ninterrupted\n```\n',
    )
    assert blocks.check(page) == []


def test_a_terminal_that_says_more_than_the_page_is_found(tmp_path: Path) -> None:
    page = write(tmp_path, '```console title="T"\n$ printf "one\\ntwo\\n"\none\n```\n')
    (wrong,) = blocks.check(page)
    assert "'T' ends with two" in wrong


LADDER = """\
       ms  rung  client                                            server
   14.026                                  listening: accept -> connection fd 15
   14.484        send 29 B
   14.524     4  │            ── PSH ACK seq 1 ack 1 len 29 ─────▶ │
                                 win 65536  b'a message that c'…
                 the client sends 29 bytes, 12 µs ago"""


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("14.524", "9.000", True),
        ("12 µs", "1.4 ms", True),
        ("fd 15", "fd 9", True),
        ("win 65536", "win 64240", True),
        ("len 29", "len 30", False),
        ("ack 1 ", "ack 2 ", False),
        ("29 bytes", "30 bytes", False),
        ("send 29 B", "send 28 B", False),
        ("PSH ACK", "ACK", False),
    ],
)
def test_what_may_differ(before: str, after: str, same: bool) -> None:
    assert before in LADDER
    lines = LADDER.splitlines()
    assert blocks.agrees(lines, LADDER.replace(before, after).splitlines()) == same
    assert blocks.agrees([lines[0], "…", *lines[2:], "…"], lines)


def test_calls_of_the_two_ends_may_change_places() -> None:
    lines = LADDER.splitlines()
    assert blocks.agrees(lines, [lines[0], lines[2], lines[1], *lines[3:]])
    assert not blocks.agrees(lines, [lines[0], lines[2], *lines[3:]])


@pytest.mark.parametrize(
    ("expected", "same"),
    [("…", True), ("a … c", False), ("a\n…\nc", True), ("…\nb\n…", True), ("a\n…\nb", False)],
)
def test_an_ellipsis_stands_for_lines(expected: str, same: bool) -> None:
    assert blocks.agrees(expected.splitlines(), ["a", "b", "c"]) == same


def test_what_a_busy_machine_adds_is_no_difference() -> None:
    quick = LADDER.splitlines()
    late = LADDER.replace("the client sends", "1.3 ms on the way; the client sends").splitlines()
    assert blocks.agrees(quick, late)
    assert not blocks.agrees(late, quick)
