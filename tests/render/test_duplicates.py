"""Runs of duplicate ACKs on one line."""

from __future__ import annotations

from frames import play

from trioecho.render import Setting
from trioecho.render.terminal import Terminal

OPEN = "+0 > S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n+.01 > . 1:1(0) ack 1\n"
# The second segment is missing; each later one is answered by the same ACK.
LOSSY = (
    OPEN
    + "+.01 > . 1:1001(1000) ack 1\n+.001 < . 1:1(0) ack 1001\n"
    + "".join(
        f"+.001 > . {at}001:{at + 1}001(1000) ack 1\n+.001 < . 1:1(0) ack 1001\n"
        for at in range(2, 11)
    )
)
REPAIRED = LOSSY + "+.001 > . 1001:2001(1000) ack 1\n+.001 < . 1:1(0) ack 11001\n"


def draw(ladder: str, **setting: object) -> list[str]:
    setting = {"fold": 200, **setting}
    terminal = Terminal(Setting(width=200, **setting))  # type: ignore[arg-type]
    text = terminal.show(play(ladder)) + terminal.say("the end")
    return text.decode().splitlines()


def test_three_are_shown_and_the_others_are_one_line() -> None:
    lines = draw(REPAIRED)
    assert sum("duplicate ACK number" in line for line in lines) == 3
    (folded,) = [at for at, line in enumerate(lines) if "folded" in line]
    assert lines[folded].strip() == (
        "··· 6 more duplicate ACKs from the server folded (--all shows them):"
        " rungs 13 to 23, in 10 ms"
    )
    assert " ack 11001 " in lines[folded + 1], "the ACK that ends the run stands behind it"


def test_what_the_other_end_sends_meanwhile_is_shown() -> None:
    assert sum(" len 1000 " in line for line in draw(REPAIRED)) == 11


def test_all_shows_them() -> None:
    lines = draw(REPAIRED, fold=None)
    assert sum("duplicate ACK number" in line for line in lines) == 9
    assert not any("folded" in line for line in lines)


def test_a_run_that_nothing_ends_is_told_at_the_end() -> None:
    lines = draw(LOSSY)
    assert "6 more duplicate ACKs" in lines[-2]
    assert lines[-1] == "the end"


def test_the_sentence_for_one_names_no_range() -> None:
    (line,) = [line for line in draw(LOSSY.rsplit("+", 10)[0]) if "folded" in line]
    assert line.endswith("1 more duplicate ACK from the server folded (--all shows them): rung 13")


def test_two_connections_have_runs_of_their_own() -> None:
    second = LOSSY.replace(">", ">2").replace("<", "<2").replace("+.0", "+.00")
    folded = [line for line in draw(LOSSY + second) if "more duplicate ACKs" in line]
    assert len(folded) == 2


def test_the_last_tells_what_has_arrived_by_then() -> None:
    """Each of them tells of one more segment; the last tells of all."""
    ladder = LOSSY
    for at in range(2, 11):
        plain = f"{at}001:{at + 1}001(1000) ack 1\n+.001 < . 1:1(0) ack 1001"
        ladder = ladder.replace(plain, f"{plain} <sack 2001:{at + 1}001>")
    lines = draw(ladder)
    assert sum("duplicate ACK number" in line for line in lines) == 3
    text = " ".join(" ".join(lines).split())
    assert (
        "rungs 13 to 23, in 10 ms; the server lacks some, but has bytes 2001 to 11000 (SACK)"
    ) in text
