"""Run the blocks of the docs pages: every ``console`` block and every Python block.

A page's blocks run in order, in a scratch directory with the files of ``docs/captures``, and in a
private network of their own, so no port is ever in use. Each kind of block:

- ```` ```console ````: lines with ``$`` are commands; the lines below each are its expected output.
  A line ``…`` matches any lines. A block that names its terminal (``title="Terminal 1"``) and whose
  command keeps running runs beside the rest of the page; a later block with that title, without a
  command, shows what the terminal prints next; ``^C`` in it interrupts the program.
- ```` ```python ````: runs, and must succeed. With a ``title="name.py"`` it is saved under that
  name instead, for a command to run.
- ```` ```toml ```` and ```` ```ladder ```` are saved under their ``title``.
- ```` ```sh ````, ```` ```powershell ```` and ```` ```text ```` are shown and not run: commands for
  another machine, or ones that need special rights.

The comparison ignores times, durations, ephemeral ports, raw sequence numbers, descriptors, process
ids, window sizes and scales, which differ from run to run or from kernel to kernel; line breaks;
and, in a ladder, the order of socket calls, since both ends run concurrently, and a headline or
a time on the way that the page does not have, since a busy machine may hold up what is quick
elsewhere.

::

    python tools/blocks.py docs README.md            # compare; exit code 1 if a page is wrong
    python tools/blocks.py --write docs README.md    # write the actual output into the pages
"""

from __future__ import annotations

import argparse
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import IO

#: Copied into each scratch directory: the files that pages offer for download.
CAPTURES = Path(__file__).parent.parent / "docs" / "captures"

PATIENCE = 60  # seconds per command; most take less than one

_FENCE = re.compile(r"^( *)```(console|python|toml|ladder)\b([^\n]*)\n(.*?)^\1```$", re.M | re.S)
_TITLE = re.compile(r'title="([^"]*)"')

_VARIABLE = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\b\d+(\.\d+)? (ns|µs|ms|s)\b", "TIME"),
        (r"(?<=[\d\]]:)(3[2-9]|[45]\d|6[0-4])\d{3}\b(?<!65432)", "PORT"),
        (r"\b(seq|ack) \d{6,}\b", r"\1 RAW"),
        (r'"timestamps":\[\d+,\d+\]', '"timestamps":RAW'),
        (r"\bfd \d+", "fd N"),
        (r"\bpid \d+", "pid N"),
        (r"\bwin(dow)? \d+", "win N"),
        (r"\b(wscale|window scale) \d+", r"\1 N"),
        (r'"(time|duration|\w*_time|\w*rtt|min|median|p95)":[\d.e-]+', r'"\1":TIME'),
        (r'"([A-Z0-9-]+)":[\d.e-]+', r'"\1":TIME'),
        (r"^ *\d+\.\d{3}(?= )", "AT"),
    )
]
_CALLS = re.compile(r"^ *\d+\.\d{3} {4,}(?!\d)(.*)$")
_LATE = re.compile(r"TIME on the way; ")
_HEADLINE = re.compile(r"TIME of TIME: [^()]*\([^()]*rungs? \d[^()]*\) ?")
_HEADING = re.compile(r"^ +ms +rung ")


@dataclass
class Block:
    """A fenced block of a page; its text is ``page[start:end]``."""

    kind: str
    title: str
    text: str
    indent: str
    line: int
    start: int
    end: int


@dataclass
class Command:
    """A command and its expected output."""

    words: str
    expected: list[str] = field(default_factory=list)


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page that run or are saved."""
    for match in _FENCE.finditer(page):
        indent, kind, info, text = match.groups()
        title = _TITLE.search(info)
        lines = [line.removeprefix(indent) for line in text.splitlines()]
        yield Block(
            kind,
            title[1] if title else "",
            "\n".join(lines),
            indent,
            page.count("\n", 0, match.start()) + 1,
            *match.span(4),
        )


def commands(text: str) -> list[Command]:
    """A console block's commands; output before the first belongs to a command ``""``."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif found and not found[-1].expected and _goes_on(found[-1].words):
            found[-1].words += "\n" + line
        else:
            if not found:
                found.append(Command(""))
            found[-1].expected.append(line)
    return found


def _goes_on(words: str) -> bool:
    """Whether the command continues on the next line."""
    return words.endswith("\\") or words.count('"') % 2 == 1


def shape(
    lines: list[str], ladder: bool, without: Iterable[re.Pattern[str]] = ()
) -> tuple[list[str], Counter[str]]:
    """The lines' words in order, with variable parts masked, and a ladder's calls without order.

    ``without``: what is left out of a ladder.
    """
    calls: Counter[str] = Counter()
    rest = []
    for line in lines:
        call = _CALLS.match(line) if ladder else None
        if call:
            row = re.sub("listening: |connection: ", "", call[1].strip())
            calls.update(map(_mask, row.split(", ")))
        else:
            rest.append(_mask(line))
    # Mask the joined text again, for values that were split by a line break.
    words = _mask(" ".join(" ".join(rest).split()))
    for pattern in without if ladder else ():
        words = pattern.sub("", words)
    return words.split(), calls


def _mask(text: str) -> str:
    for pattern, mask in _VARIABLE:
        text = pattern.sub(mask, text)
    return text


def agrees(expected: list[str], printed: list[str]) -> bool:
    """Whether the printed lines match a page's; ``…`` matches any lines."""
    ladder = any(_HEADING.match(line) for line in printed)
    page = " ".join(shape(expected, ladder)[0])
    busy = [pattern for pattern in (_HEADLINE, _LATE) if not pattern.search(page)]
    words, calls = shape(printed, ladder, busy)
    pieces: list[list[str]] = [[]]
    for line in expected:
        if line.strip() == "…":
            pieces.append([])
        else:
            pieces[-1].append(line)
    shapes = [shape(piece, ladder) for piece in pieces]
    if len(shapes) == 1:
        return shapes[0] == (words, calls)
    if sum((called for _, called in shapes), Counter()) - calls:
        return False
    (first, _), *middle, (last, _) = shapes
    if words[: len(first)] != first or (last and words[-len(last) :] != last):
        return False
    at = len(first)
    for wanted, _ in middle:
        while words[at : at + len(wanted)] != wanted:
            at += 1
            if at > len(words):
                return False
        at += len(wanted)
    return at + len(last) <= len(words)


class Page:
    """A page, its scratch directory and its terminals.

    Args:
        path: the page.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = path.read_text("utf-8")
        self._terminals: dict[str, subprocess.Popen[bytes]] = {}
        self._changes: list[tuple[Block, str]] = []
        self.wrong: list[str] = []
        self.failed: list[str] = []

    def run(self) -> None:
        """Run its blocks; ``wrong`` gets the mismatches, ``failed`` the commands that failed."""
        with tempfile.TemporaryDirectory() as scratch:
            self._scratch = Path(scratch)
            for capture in CAPTURES.glob("*"):
                shutil.copy(capture, self._scratch)
            try:
                for block in blocks(self._text):
                    if block.kind == "python":
                        self._python(block)
                    elif block.kind in ("toml", "ladder"):
                        (self._scratch / block.title).write_text(block.text + "\n", "utf-8")
                    else:
                        self._console(block)
                self._await_terminals()
            finally:
                for process in self._terminals.values():
                    process.kill()
                    process.communicate()

    def _await_terminals(self) -> None:
        """Check that the programs still running exit by themselves and print nothing more."""
        for title, process in list(self._terminals.items()):
            rest, _ = process.communicate(timeout=PATIENCE)
            del self._terminals[title]
            if rest or process.returncode:
                said = rest.decode() or f"exit code {process.returncode}"
                self.wrong.append(f"{self._path}: {title!r} ends with {said}")

    def write(self) -> None:
        """Replace the page's expected output with the actual output."""
        text = self._text
        for block, new in reversed(self._changes):
            indented = "".join(f"{block.indent}{line}".rstrip() + "\n" for line in new.splitlines())
            text = text[: block.start] + indented + text[block.end :]
        self._path.write_text(text, "utf-8")

    def _python(self, block: Block) -> None:
        name = block.title if block.title.endswith(".py") else "block.py"
        (self._scratch / name).write_text(block.text + "\n", "utf-8")
        if name == "block.py":
            self._check(block, [Command("python block.py")], compare=False)

    def _console(self, block: Block) -> None:
        if not block.title:
            self._check(block, commands(block.text))
            return
        first = commands(block.text)
        interrupted = "^C" in block.text.splitlines()
        if first and first[0].words:
            process = self._start(first[0].words)
            self._terminals[block.title] = process
        else:
            process = self._terminals[block.title]
        assert process.stdout is not None
        shown = [line for line in first[0].expected if line.strip() != "^C"]
        if interrupted:
            before = first[0].expected[: first[0].expected.index("^C")]
            printed = _lines(process.stdout, len(before))
            os.killpg(process.pid, signal.SIGINT)
            rest = process.stdout.read().decode().splitlines()
            process.wait()
            process.stdout.close()
            del self._terminals[block.title]
            new, got = [*printed, "^C", *rest], [*printed, *rest]
        else:
            new = got = _lines(process.stdout, len(shown))
        if not agrees(shown, got):
            self._complain(block, first[0].words, shown, got)
        prompt = [f"$ {first[0].words}"] if first[0].words else []
        self._changes.append((block, "\n".join([*prompt, *new])))

    def _check(self, block: Block, todo: list[Command], *, compare: bool = True) -> None:
        new = []
        for command in todo:
            process = self._start(command.words)
            out, _ = process.communicate(timeout=PATIENCE)
            printed = out.decode().splitlines()
            failed = process.returncode != 0 and not any("trioecho: " in line for line in printed)
            if failed:
                self.failed.append(f"{self._path}:{block.line}: $ {command.words}\n{out.decode()}")
            elif compare and not agrees(command.expected, printed):
                self._complain(block, command.words, command.expected, printed)
            kept = command.expected if "…" in command.expected else printed
            new += [f"$ {command.words}", *kept]
        if compare:
            self._changes.append((block, "\n".join(new)))

    def _start(self, words: str) -> subprocess.Popen[bytes]:
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        # exec: the ^C must reach the program itself, not a shell that waits for it.
        words = f"exec {words}" if re.match(r"(trioecho|python|ncat) [^|;&<>]*$", words) else words
        return subprocess.Popen(
            ["bash", "-c", words],
            cwd=self._scratch,
            env={
                **os.environ,
                "PATH": tools,
                "COLUMNS": "80",
                "LC_ALL": "C.UTF-8",
                "PYTHONUNBUFFERED": "1",
                "PYTHONWARNINGS": "error",
                # The first warns if not configured; to import hypothesis takes 0.1 s.
                "PYTEST_ADDOPTS": "-p no:asyncio -p no:anyio -p no:hypothesispytest",
                "NO_COLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _complain(self, block: Block, words: str, wanted: list[str], got: list[str]) -> None:
        diff = "\n".join(unified_diff(wanted, got, "the page", "the program", lineterm="", n=1))
        self.wrong.append(f"{self._path}:{block.line}: $ {words}\n{diff}")


def _lines(stream: IO[bytes], count: int) -> list[str]:
    """The next ``count`` lines of a program's output, as soon as they arrive."""
    got = b""
    while got.count(b"\n") < count:
        ready, _, _ = select.select([stream], [], [], PATIENCE)
        data = os.read(stream.fileno(), 1) if ready else b""
        if not data:
            break
        got += data
    return got.decode(errors="replace").splitlines()


def pages(paths: list[Path]) -> list[Path]:
    """The pages under some paths that have blocks to run."""
    files = [
        file for path in paths for file in (sorted(path.rglob("*.md")) if path.is_dir() else [path])
    ]
    return [file for file in files if any(blocks(file.read_text("utf-8")))]


def check(path: Path, *, write: bool = False) -> list[str]:
    """Run one page, in this process's network; returns its errors."""
    page = Page(path)
    page.run()
    if write:
        page.write()
        return page.failed
    return page.failed + page.wrong


def apart(path: Path, *, write: bool = False) -> str:
    """Run one page in a network of its own; returns its errors as text."""
    script = 'ip link set lo up && exec "$@"'
    here = [sys.executable, str(Path(__file__).resolve()), "--here", *["--write"] * write]
    done = subprocess.run(
        ["unshare", "-Urn", "sh", "-c", script, "sh", *here, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def main() -> int:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Run the blocks of the docs pages.")
    parser.add_argument("--write", action="store_true", help="write the actual output")
    parser.add_argument("--here", action="store_true", help="in this network, one page at a time")
    parser.add_argument("paths", nargs="+", type=Path)
    arguments = parser.parse_args()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts a background job
        signal.signal(signal.SIGINT, signal.default_int_handler)
    found = pages(arguments.paths)
    if arguments.here:
        wrong = [text for path in found for text in check(path, write=arguments.write)]
    else:
        with ThreadPoolExecutor(2) as pool:
            texts = pool.map(lambda path: apart(path, write=arguments.write), found)
            wrong = [text for text in texts if text]
        print(f"{len(found)} pages run, {len(wrong)} wrong", file=sys.stderr)
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
