"""The pictures and the capture that the pages show are what the code makes today."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import blocks
import pictures
import pytest
import shop_capture
import web_capture
from needs import need_namespaces

SVG = "{http://www.w3.org/2000/svg}"


def said(path: Path) -> tuple[list[str], Counter[str]]:
    """What stands on a picture, without what differs from run to run; calls in no order."""
    texts = [
        (node.get("class", ""), " ".join("".join(node.itertext()).split()))
        for node in ElementTree.parse(path).iter(f"{SVG}text")
    ]
    words = [text for style, text in texts if style.split()[0] not in ("call", "time", "quiet")]
    calls = [text for style, text in texts if style == "call" and not text.endswith(":")]
    shape, _ = blocks.shape([" ".join(words)], ladder=False)
    return shape, Counter(blocks.shape([" ".join(calls)], ladder=False)[0])


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_is_still_true(name: str, tmp_path: Path) -> None:
    need_namespaces()
    assert said(pictures.FOLDER / f"{name}.svg") == said(pictures.draw(name, tmp_path))


def test_no_picture_is_left_over() -> None:
    kept = {path.stem for path in pictures.FOLDER.iterdir()}
    assert kept == set(pictures.PICTURES)


def test_the_captures_of_the_pages_are_those_described() -> None:
    assert shop_capture.PATH.read_bytes() == shop_capture.capture()
    assert web_capture.PATH.read_bytes() == web_capture.capture()
