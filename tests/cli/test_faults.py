"""``trioecho faults`` as a user has it."""

# covers: cli/faults_text, cli/prose

from __future__ import annotations

import pytest
from programs import shown

from trioecho.cli.faults import complete
from trioecho.faults.faults import FAULTS
from trioecho.faults.glossary import EXAMPLES, TERMS
from trioecho.lessons.catalogue import with_fault
from trioecho.lessons.lesson import read
from trioecho.lessons.shelf import find


def faults(*words: str, code: int = 0, columns: int = 80) -> str:
    done = shown("faults", *words, code=code, columns=columns)
    return done.stderr if code else done.stdout


def test_all_of_them() -> None:
    text = faults()
    assert all(f"\n  {fault.usage}\n" in text for fault in FAULTS)
    assert all(f"\n  {name} " in text for name in TERMS)
    assert "\n      Such as: drop syn-ack\n" in text


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_what_is_said_fits(columns: int) -> None:
    limit = min(columns, 88)
    forms = [f"  {fault.usage}" for fault in FAULTS] + [f"  {name}" for name in TERMS]
    lines = faults(columns=columns).splitlines()
    wide = [line for line in lines if len(line) > limit and line not in forms]
    assert all("Such as" in line or "trioecho" in line for line in wide), wide


def test_one_in_full() -> None:
    text = faults("drop", columns=200)
    assert text.startswith("drop ITEMS\n  The chosen segments never arrive.\n")
    for title in ("Its parts", "Examples", "Lessons that use it", "To see what it does"):
        assert f"\n\n{title}\n" in text
    assert all(f"\n  {one}" in text for one in EXAMPLES if one.startswith("drop "))
    assert "\n  trioecho lab lost-syn-ack\n" in text
    assert "\n  trioecho trace hi --fault 'drop syn-ack'\n" in text
    assert "Their parts" not in text


def test_a_word_of_several() -> None:
    text = faults("mtu")
    assert text.startswith("mtu N\n")
    assert "\n\nOther faults with this word\n  path mtu N [silent]\n" in text
    text = faults("TIMES")
    assert text.startswith("A part\n  TIMES  once, twice, 3 times, always; without it, once\n")
    assert "\n\nFaults with this word\n  drop ITEMS\n" in text


def test_a_queue_is_shown_with_its_rate() -> None:
    assert "--fault 'rate 1mbit' --fault 'queue 20'" in faults("queue")


def test_an_unknown_word() -> None:
    assert faults("dorp", code=1) == (
        "trioecho: No fault has the word 'dorp'. Did you mean drop? `trioecho faults` lists all\n"
    )
    assert "\x1b" not in faults("\x1b[2J", code=1)


def test_completion() -> None:
    assert complete("dr") == ["drop"]
    assert complete("du") == ["duplicate"]
    assert len(complete("")) == len({fault.verb for fault in FAULTS})


def test_the_lessons_use_it() -> None:
    for fault in FAULTS:
        for name in with_fault(fault):
            assert any(text.startswith(fault.verb) for text in read(find(name)).faults)
    assert with_fault(FAULTS[1])[0] == "lost-syn"
