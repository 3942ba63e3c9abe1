"""The pages on the engine's rules are made from the rules, and leave out none."""

from __future__ import annotations

from pathlib import Path

import rule_tables

from trioecho.tcp.rules import QUESTIONS
from trioecho.tcp.rules.catalogue import EXAMPLES
from trioecho.tcp.rules.kinds import kinds as all_kinds

DOCS = Path(__file__).parents[2] / "docs"


def test_each_question_and_each_rule_has_its_row() -> None:
    page = rule_tables.rules()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(question.rules) for question in QUESTIONS)
    for question in QUESTIONS:
        assert question.asks in page
    assert (
        "| `retransmission` | It repeats the last segment for the first time, a round trip and a"
        " half after it or more. | *retransmission of rung 4 after 30 ms, before a timeout: a tail"
        " loss probe* | RFC 8985 §7 |" in rows
    )


def test_each_kind_has_its_row_and_its_keys() -> None:
    rows = [line for line in rule_tables.kinds().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == sorted(all_kinds())
    assert (
        "| `window-update` | `window`, `least`, `opens` | It acknowledges nothing new"
        in "\n".join(rows)
    )


def test_the_examples_are_those_of_the_ladders() -> None:
    assert EXAMPLES.read_text("utf-8") == rule_tables.examples(), "run `make examples`"


def test_the_pages_ask_for_them() -> None:
    hooks = (DOCS.parent / "tools" / "hooks.py").read_text("utf-8")
    for page in ("explanation/engine.md", "reference/json.md"):
        (marker,) = (
            line for line in (DOCS / page).read_text("utf-8").splitlines() if line[:4] == "<!--"
        )
        assert f'"{marker}"' in hooks
