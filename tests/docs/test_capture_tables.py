"""The page on captures is made from the readers' lists, and says of each what holds."""

from __future__ import annotations

import io
import re
from pathlib import Path
from struct import pack

import capture_tables
import pytest
from captures import Blocks

from trioecho.capture.compressed import COMPRESSIONS
from trioecho.capture.files import STRANGERS, CaptureFile
from trioecho.capture.pcapng import INTERFACE, PACKET, SECTION, SMALLEST, STATISTICS
from trioecho.model import Way
from trioecho.model.way import TOLD
from trioecho.packet import layers, tunnels
from trioecho.packet.link import LINKS
from trioecho.packet.linktypes import link_name

WAY = Way(lost=True).text().encode()
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "captures.md").read_text("utf-8")


def test_the_page_asks_for_each_table() -> None:
    assert re.findall("<!--.*?-->", PAGE) == list(capture_tables.TABLES)
    assert "reference/captures.md" in (DOCS.parent / "mkdocs.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (capture_tables.BLOCKS, SMALLEST),
        (capture_tables.LAYERS, layers.KINDS),
        (capture_tables.PROTOCOLS, tunnels.PROTOCOLS),
        (capture_tables.PORTS, tunnels.PORTS),
    ],
)
def test_each_entry_has_words_and_no_words_are_left(
    words: dict[int, str], known: frozenset[int]
) -> None:
    assert words.keys() == set(known)


def test_only_those_protocols_are_looked_through() -> None:
    data = bytes((0x30, 0, 8, 0)) + bytes(60)
    through = {one for one in range(256) if tunnels.through(data, 0, len(data), one) is not None}
    assert through == tunnels.PROTOCOLS


def test_each_link_type_compression_and_stranger_is_there() -> None:
    links = capture_tables.links()
    for number in LINKS:
        name = link_name(number) or "RAW, as "
        assert f"| {number} | {name}" in links
    packed = capture_tables.compressions()
    for one in COMPRESSIONS:
        assert f"`{one.suffix}` | `{one.magic.hex(' ')}`" in packed
        assert f"{one.name} data" not in capture_tables.strangers()
    for look in ("a zip archive", "a program"):
        assert look in STRANGERS.values()
        assert f"- {look}\n" in capture_tables.strangers()


def seen(kind: int = 0, code: int = 0, value: bytes = b"", *, told: bool = False) -> object:
    """All that a file tells, with one option in one of its blocks."""
    blocks = Blocks()
    option = {kind: ((code, value),)} if kind else {}
    wire = ((3, TOLD.encode()),) if told else ()
    file = blocks.section(*option.get(SECTION, ()))
    file += blocks.interface(*wire, *option.get(INTERFACE, ()))
    file += blocks.packet(7, b"data", *option.get(PACKET, ()))
    file += blocks.packet(9, b"data", (1, WAY))
    counts = pack("<III", 0, 0, 0) + blocks.options(*option.get(STATISTICS, ()))
    file += blocks.block(STATISTICS, counts)
    with CaptureFile(io.BytesIO(file), "x") as opened:
        frames = [frame for batch in opened for frame in batch]
        assert len(frames) == 2
        return frames, opened.interfaces, opened.comments, opened.dropped


@pytest.mark.parametrize("kind", [SECTION, INTERFACE, PACKET, STATISTICS])
def test_the_options_that_are_read_are_those_of_the_table(kind: int) -> None:
    """One is read if some value of it changes what a file tells."""
    read = {
        code
        for code in range(1, 40)
        for told in (False, True)
        for value in (bytes(7) + b"\1", b"\3", b"text", TOLD.encode(), WAY)
        if seen(kind, code, value, told=told) != seen(told=told)
    }
    assert read == {code for of, code in capture_tables.OPTIONS if of == kind}
