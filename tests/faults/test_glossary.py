"""What is said of the words of faults: complete, as on the page, and true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trioecho.errors import TrioechoError
from trioecho.faults.additions import Doubling, Duplicate, Inject
from trioecho.faults.delays import Latency
from trioecho.faults.edits import LARGEST_MSS, SMALLEST_MSS
from trioecho.faults.fault import Fault
from trioecho.faults.faults import FAULTS, parse
from trioecho.faults.glossary import EXAMPLES, TERMS, examples, find, meaning, terms, words
from trioecho.faults.losses import Cut, Drop
from trioecho.faults.middle import Forget
from trioecho.faults.mtu import LARGEST_MTU, SMALLEST_MTU, SMALLEST_PATH_MTU, Mtu, PathMtu
from trioecho.faults.rate import Queue

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
ALL = pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)


@ALL
def test_each_has_a_sentence_and_an_example(fault: type[Fault]) -> None:
    assert re.fullmatch(r"[A-Z][^.]+\.", meaning(fault)), meaning(fault)
    assert "``" not in meaning(fault)
    assert all(type(parse(text)) is fault for text in examples(fault))
    assert examples(fault)


@ALL
def test_each_part_is_explained(fault: type[Fault]) -> None:
    known = terms(fault)
    for form in (fault.usage, *(text for one in known.values() for text in _forms(one.values))):
        rest = form.replace('"COMMIT"', "")
        for name in sorted(known, key=len, reverse=True):
            rest = rest.replace(name, "")
        assert not re.search(r"[A-Z]", rest), f"{fault.usage}: {rest}"


def _forms(values: str) -> list[str]:
    return [text for text in re.findall(r"`([^`]*)`", values) if not re.match(r"\d", text)]


def test_the_page_has_the_same_examples_and_parts() -> None:
    _, parts, counting, shown, _ = re.split(r"(?m)^\| part .*$|^## ", PAGE)
    assert "What a number counts" in counting
    assert re.findall(r"(?m)^\| `.*$", shown) == [
        f"| `{text}` | {what} |" for text, what in EXAMPLES.items()
    ]
    assert re.findall(r"(?m)^\| `.*$", parts.replace("\\|", "|")) == [
        " ".join(f"| `{name}` | {one.values} | {one.default} |".split())
        for name, one in TERMS.items()
    ]


@pytest.mark.parametrize(
    ("form", "low", "high"),
    [
        ("mtu {}", SMALLEST_MTU, LARGEST_MTU),
        ("path mtu {}", SMALLEST_PATH_MTU, LARGEST_MTU),
        ("queue {}", 1, 10_000),
        ("clamp mss {}", SMALLEST_MSS, LARGEST_MSS),
    ],
)
def test_the_bounds_are_those_that_hold(form: str, low: int, high: int) -> None:
    fault = type(parse(form.format(low)))
    assert f"from {low:,} to {high:,}" in terms(fault)["N"].values
    parse(form.format(high))
    for beyond in (low - 1, high + 1):
        with pytest.raises(TrioechoError):
            parse(form.format(beyond))


def test_an_end_is_said_to_be_counted_only_where_segments_are() -> None:
    assert "counted together" in terms(Drop)["END"].default
    assert terms(Latency)["END"].default == "both, each for itself"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("DROP", [Drop]),
        ("mtu", [Mtu, PathMtu]),
        ("duplicate", [Duplicate, Doubling]),
        ("codel", [Queue]),
        ("idle", [Forget]),
        ("after", [Cut, Forget, Inject]),
    ],
)
def test_a_word_finds_its_faults(word: str, expected: list[type[Fault]]) -> None:
    assert find(word) == expected


def test_each_word_of_an_example_finds_its_fault() -> None:
    for text in EXAMPLES:
        for word in re.findall(r"(?<!\S)[a-z-]+(?!\S)", text):
            assert type(parse(text)) in find(word), f"{text}: {word}"


def test_an_unknown_word() -> None:
    with pytest.raises(TrioechoError, match=r"No fault has the word 'dorp'. Did you mean drop\?"):
        find("dorp")
    with pytest.raises(TrioechoError, match=r"'zzz'. `trioecho faults` lists all$"):
        find("zzz")
    assert "commit" not in words(Drop)
