"""What a failed test leaves behind: its ladder and segments as files, and in a job's summary."""

from __future__ import annotations

import fcntl
import re
from hashlib import sha256
from html import escape
from pathlib import Path

from trioecho.testing.wire import Wire, shortened

# GitHub takes 1 MiB of a step's summary, and none of one that is larger.
MOST_SUMMARY = 1_000_000
LEFT_OUT = "\nThe ladders of further failed tests are left out here.\n"
_LONGEST_NAME = 120


def file_name(test: str) -> str:
    """A file's name for a test's id, without a suffix; no other test has the same.

    Args:
        test: its id, such as ``tests/test_shop.py::test_order[drop syn]``.

    Returns:
        The id in letters that every file system takes, and a few digits of its hash.
    """
    words = re.sub(r"[^A-Za-z0-9.]+", "_", test).strip("._")
    return f"{words[:_LONGEST_NAME]}-{sha256(test.encode()).hexdigest()[:8]}"


def write_files(wire: Wire, test: str, folder: Path) -> None:
    """Write the ladder and a capture of a test's wire.

    Args:
        wire: the wire.
        test: the test's id.
        folder: where to; it is made if there is none.

    Raises:
        OSError: a file cannot be written.
        TrioechoError: the wire is broken, and has no ladder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, format in (("txt", "terminal"), ("pcapng", "pcapng")):  # noqa: A001
        (folder / f"{file_name(test)}.{suffix}").write_bytes(wire.render(format))


def add_to_summary(wire: Wire, test: str, path: Path) -> None:
    """Append the ladder of a test's wire to a job summary in GitHub's Markdown.

    Other processes may do the same. What would make the summary too large is left out, and said so.

    Args:
        wire: the wire.
        test: the test's id.
        path: the summary's file, as in ``GITHUB_STEP_SUMMARY``.

    Raises:
        OSError: the file cannot be written.
        TrioechoError: the wire is broken, and has no ladder.
    """
    ladder = shortened(wire.render("terminal").decode())
    # <pre> begins a line, behind an empty one: to its end everything is text, whatever it holds.
    told = (
        f"<details><summary>The wire of {escape(_printable(test))}</summary>\n\n"
        f"<pre>\n{escape(ladder)}\n</pre>\n\n</details>\n\n"
    ).encode()
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, 2)
        if size + len(told) <= MOST_SUMMARY - len(LEFT_OUT):
            file.write(told)
        elif not path.read_bytes().endswith(LEFT_OUT.encode()):
            file.write(LEFT_OUT.encode())


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
