"""What docs/wire-tests.md shows is what its reader gets."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from suite import run_suite

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("wires")

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "wire-tests.md").read_text("utf-8")
EXAMPLES = DOCS / "examples" / "wire"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_the_page_shows_the_files(path: Path) -> None:
    assert blocks(f'python title="{path.name}"') == [path.read_text("utf-8")]


@pytest.mark.parametrize(
    ("name", "decisive"),
    [
        ("test_lost_syn_ack", ["lost on the wire (drop syn-ack)", "handshake not completed"]),
        ("test_unread_data", ["with data unread or with SO_LINGER 0", "closed by RST"]),
        ("test_nagle", ["for the ACK of another small segment: Nagle's algorithm meets delayed"]),
    ],
)
def test_the_good_passes_and_the_bad_fails_with_this_ladder(
    pytester: pytest.Pytester, name: str, decisive: list[str]
) -> None:
    shutil.copytree(EXAMPLES, pytester.path, dirs_exist_ok=True)
    result = run_suite(pytester, f"{name}.py")
    result.assert_outcomes(passed=1, failed=1)
    shown = next(words(text) for text in blocks("text") if decisive[0] in words(text))
    got = words(result.stdout.str())
    for sentence in decisive:
        assert sentence in shown
        assert sentence in got


def test_the_other_examples(pytester: pytest.Pytester) -> None:
    found = blocks("python")
    assert all("def test_" in text for text in found)
    pytester.makepyfile(**{f"test_{number}": text for number, text in enumerate(found)})
    run_suite(pytester).assert_outcomes(passed=len(found))
