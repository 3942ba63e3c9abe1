"""``trioecho explain`` as a user has it."""

# covers: cli/explain_text

from __future__ import annotations

import pytest
from programs import shown

from trioecho.account.glossary import SIGNS
from trioecho.cli.explain import complete
from trioecho.cli.explain_text import show_one, topics
from trioecho.model import State
from trioecho.tcp.rules import PROBE
from trioecho.tcp.rules.catalogue import causes
from trioecho.tcp.rules.kinds import kinds


def explain(*words: str, code: int = 0, columns: int = 80) -> str:
    done = shown("explain", *words, code=code, columns=columns)
    return done.stderr if code else done.stdout


def test_all_kinds_by_question() -> None:
    text = explain(columns=200)
    assert all(f"\n  {kind} " in text for kind in kinds())
    assert all(f"\n  {cause} " in text for cause in causes())
    assert f"\n\n{PROBE.asks}\n  zero-window-probe" in text
    assert "\n\nBesides\n  States: " in text
    assert "``" not in text


def test_a_kind() -> None:
    text = explain("zero-window-probe")
    assert text.startswith("zero-window-probe\n  One byte beyond a closed window")
    for part in (
        "When\n  - It carries the next byte and no other, and the peer's window is closed.\n",
        "What is said, for instance\n  zero-window probe: the client asks whether there is room",
        "Source\n  RFC 9293 §3.8.6.1\n    https://www.rfc-editor.org/rfc/rfc9293#section-3.8.6.1\n",
        "| ESTABLISHED  ESTABLISHED  zero-window-probe\n",
        "Lessons that show it\n  trioecho lab zero-window   The receiver has no room left\n",
        "Its keys in JSON\n  kind\n",
    ):
        assert f"\n{part}" in text or part in text


def test_a_cause() -> None:
    text = explain("unread-data")
    assert text.startswith("connection-rst, cause unread-data\n")
    assert "  trioecho lab reset-unread-data  A close that turns into a reset\n" in text
    assert "CLOSED       CLOSED       connection-rst unread-data\n" in text
    assert "\n  unread-data " in explain("connection-rst")


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("connection-rst refused", "connection-rst, cause refused"),
        ("duplicate-ack 1 of 11", "duplicate-ack"),
        ("retransmission of 1", "retransmission"),
        ("zero window probe", "zero-window-probe"),
    ],
)
def test_as_it_stands_on_a_ladder(asked: str, title: str) -> None:
    assert explain(asked).startswith(f"{title}\n")
    assert explain(*asked.split()) == explain(asked)


def test_a_state() -> None:
    text = explain("time-wait")
    assert text.startswith("TIME-WAIT, a state\n")
    assert "\nWhat leads to it\n  from FIN-WAIT-2  a FIN arrives\n" in text
    assert (
        "\nWhat leaves it\n  to CLOSED  2 MSL pass (no segment shows it), or a RST arrives" in text
    )
    assert "\n  trioecho lab time-wait " in text
    assert text.endswith(
        "\ntime-wait, a lesson\n  trioecho lab time-wait  What TIME-WAIT is good for\n"
    )


def test_words_and_faults() -> None:
    assert explain("cwnd").startswith("cwnd, a word\n  The congestion window: ")
    assert "Lessons" in explain("cwnd")
    assert "Lessons" not in explain("answer")  # they use it for something else
    assert explain("drop") == "drop, a fault\n  trioecho faults drop\n"
    both = explain("ack")
    assert both.startswith("ack\n")
    assert "\nack, a word\n" in both


@pytest.mark.parametrize("words", [["Zero", "Window"], ["zero_window"], ["zero window"]])
def test_as_one_writes_it(words: list[str]) -> None:
    assert explain(*words).startswith("zero-window\n")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("retransmision", "Did you mean retransmission or "),
        ("TIMEWAIT", "Did you mean TIME-WAIT"),
        ("probe", "Did you mean zero-window-probe or "),
        ("xyzzy", "'xyzzy'. `trioecho explain` lists all"),
    ],
)
def test_a_misspelled_one(word: str, near: str) -> None:
    text = explain(word, code=1)
    assert text.startswith("trioecho: No note, state or word of a ladder is called")
    assert near in text


def test_each_topic_is_explained(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for topic in topics():
        assert show_one(topic) == 0
        assert capfdbinary.readouterr().out
    assert set(topics()) >= {*kinds(), *causes(), *map(str, State), *SIGNS}


def test_a_cause_of_lost_time() -> None:
    text = explain("slow-reader")
    assert text.startswith(
        "slow-reader, a cause in an account\n  The end's program did not read.\n"
    )
    for title in ("What to change", "How to be sure", "What it isn't", "A lesson that shows it"):
        assert f"\n\n{title}\n  " in text
    assert "docs/how-to/causes.md#slow-reader" in text
    assert "\n  A policer dropped" in explain("policed")
    every = explain()
    assert "\n\nWhat time goes to, in an account\n  refused " in every
    assert "\n\nWhy segments were lost, in an account\n  policed " in every


def test_completion() -> None:
    assert "zero-window-probe-ack" in complete("zero-w")
    assert "TIME-WAIT" in complete("time-w")
