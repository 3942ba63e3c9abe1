"""A lesson becomes a page with no code; and what its page shows is what its ladder states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import lesson_pages
import pytest

from trioecho.hosts.host import CONGESTION_CONTROL
from trioecho.hosts.ways import PROBES
from trioecho.lessons.expected import path_of
from trioecho.lessons.lesson import read
from trioecho.lessons.shelf import FOLDER, SUFFIX
from trioecho.model import FLAG_NAMES
from trioecho.render.notation import LETTERS, LadderLine, parse
from trioecho.tcp.rules.kinds import facts

SVG = "{http://www.w3.org/2000/svg}"
KINDS = {str(fact.__struct_config__.tag) for fact in facts() if fact.trouble}
LESSONS = sorted(FOLDER.glob(f"*{SUFFIX}"))

TOML = """
title = "A SYN is lost"
level = "beginner"
rfc = ["RFC 6298 §5", "RFC 1337"]
introduction = "The first word gets lost, see RFC 9293 §3.5. 1 < 2 * 3."
notice = ["The second SYN comes after a second.", "It is the same."]
question = "Why a second?"
answer = '''
Because of RFC 6298.

It says so.
'''
number = 2
faults = ["drop syn"]

[sysctl.client]
"net.ipv4.tcp_syn_retries" = 2

[[client]]
steps = ["connect", "close"]

[[server]]
steps = ["listen", "accept", "close"]
"""


def write(folder: Path, name: str, toml: str) -> None:
    (folder / f"{name}.toml").write_text(toml, "utf-8")
    (folder / f"{name}.txt").write_text("  ms  rung\n 0.1  1  SYN\n", "utf-8")


def test_from_its_files(tmp_path: Path) -> None:
    write(tmp_path, "a-lost-syn", TOML)
    write(tmp_path, "easy", TOML.replace("A SYN is lost", "Easy").replace("number = 2", ""))
    write(tmp_path, "hard", TOML.replace('"beginner"', '"expert"').replace("number = 2", ""))
    (tmp_path / "unfinished.toml").write_text(TOML, "utf-8")
    shown = lesson_pages.lessons(tmp_path, tmp_path)
    assert [one.name for one in shown] == ["easy", "a-lost-syn", "hard"]
    page = lesson_pages.page(shown[1])
    assert "\n# A SYN is lost\n" in page
    assert page.index("The first word") < page.index("a-lost-syn.svg") < page.index("## What to")
    assert '=== "Text"\n\n    ```text\n    ms  rung\n     0.1  1  SYN\n    ```' in page
    assert '??? question "The answer"\n\n    Because of [RFC 6298](' in page
    assert "    It says so." in page
    assert "[RFC 9293 §3.5](https://www.rfc-editor.org/rfc/rfc9293#section-3.5). 1 &lt; 2" in page
    assert "[RFC 1337](https://www.rfc-editor.org/rfc/rfc1337)" in page
    assert "| the wire | `drop syn` |" in page
    assert "| the client's kernel | `net.ipv4.tcp_syn_retries = 2` |" in page
    assert "| the server | `listen`, `accept`, `close` |" in page


def test_the_list_and_the_navigation(tmp_path: Path) -> None:
    write(tmp_path, "a-lost-syn", TOML)
    write(tmp_path, "hard", TOML.replace('"beginner"', '"expert"'))
    index = lesson_pages.index(tmp_path, tmp_path)
    assert "| [A SYN is lost](a-lost-syn.md) | `a-lost-syn` |" in index
    assert index.index("## Beginner") < index.index("a-lost-syn.md") < index.index("## Expert")
    assert "Intermediate" not in index
    assert lesson_pages.navigation(tmp_path, tmp_path) == [
        "lessons/index.md",
        {"Beginner": ["lessons/a-lost-syn.md"]},
        {"Expert": ["lessons/hard.md"]},
    ]


def test_each_lesson_has_been_performed_for_its_page() -> None:
    """`make lessons` does that."""
    names = {path.stem for path in LESSONS}
    assert {path.stem for path in lesson_pages.SEEN.glob("*.svg")} == names
    assert {path.stem for path in lesson_pages.SEEN.glob("*.txt")} == names


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_page_says_which_kernel_performed_it(path: Path) -> None:
    own = read(path).sysctl
    text = (lesson_pages.SEEN / f"{path.stem}.txt").read_text("utf-8")
    words = " ".join(text.split()).partition("the kernel dropped 0 ")[2]
    probes = own.client.get(PROBES) or own.server.get(PROBES)
    quiet = "quiet kernel" if probes else "quiet kernel (no tail loss probes)"
    assert words.startswith(f"{quiet}, congestion control ")
    for name in {*own.client, *own.server} - {CONGESTION_CONTROL}:
        assert name in words


@dataclass(frozen=True)
class Drawn:
    """A rung as it was drawn: its time, its kind of arrow, its header, and the sentences."""

    time: str
    style: str
    label: str
    title: str


def drawn(path: Path) -> dict[int, Drawn]:
    """The rungs of a picture, by their numbers."""
    found = {}
    for group in ElementTree.parse(path).iter(f"{SVG}g"):
        texts = {
            (node.get("class") or "").split()[0]: "".join(node.itertext())
            for node in group.iter(f"{SVG}text")
        }
        if "rung" in texts:
            found[int(texts["rung"])] = Drawn(
                texts["time"],
                group.get("class") or "",
                texts["label"].replace("PSH ", ""),
                group.findtext(f"{SVG}title") or "",
            )
    return found


def label(line: LadderLine) -> str:
    """What stands on the arrow of a ladder's line at least."""
    words = [
        name
        for letter, name in zip(LETTERS, FLAG_NAMES, strict=True)
        if letter in line.flags and name != "PSH"
    ]
    ack = f" ack {line.ack}" if line.ack is not None else ""
    size = f" len {line.length}" if line.length else ""
    return f"{' '.join(words)} seq {line.seq}{ack}{size}"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_what_a_page_shows_is_what_the_ladder_states(path: Path) -> None:
    lines = dict(enumerate(parse(path_of(path).read_text("utf-8")), 1))
    rungs = drawn(lesson_pages.SEEN / f"{path.stem}.svg")
    folded = "passed" in (lesson_pages.SEEN / f"{path.stem}.txt").read_text("utf-8")
    assert set(rungs) == set(lines) or (folded and set(rungs) < set(lines))
    for number, rung in rungs.items():
        line = lines[number]
        assert re.fullmatch(rf"{re.escape(label(line))}\b.*", rung.label), number
        assert rung.title.startswith(("lost on", "broken on", "too large for")) == line.lost, number
        kinds = {note.split()[0] for note in (line.notes or "").split(", ") if note}
        trouble = line.lost or "R" in line.flags or bool(kinds & KINDS)
        assert (rung.style == "bad") == trouble, number


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_picture_and_the_text_are_of_one_performance(path: Path) -> None:
    text = (lesson_pages.SEEN / f"{path.stem}.txt").read_text("utf-8")
    times = {int(rung): time for time, rung in re.findall(r"^ *([\d.]+) +(\d+)  ", text, re.M)}
    rungs = drawn(lesson_pages.SEEN / f"{path.stem}.svg")
    assert times
    assert times == {number: rung.time for number, rung in rungs.items()}
