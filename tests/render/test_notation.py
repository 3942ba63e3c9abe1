"""The .ladder notation, written and read."""

from __future__ import annotations

import contextlib

import pytest
from frames import play
from hypothesis import given
from hypothesis import strategies as st

from trioecho.errors import TrioechoError
from trioecho.model import State
from trioecho.render import Setting
from trioecho.render.notation import LETTERS, LadderLine, parse
from trioecho.render.script import Script, compare, write

LADDER = """
# a comment
+0    > S  0:0(0) win 65535 <mss 1460,sackOK,wscale 7> | SYN-SENT UNKNOWN
+.001 < S. 0:0(0) ack 1                              # the options are not compared
+.3   > P. 1:6(5) ack 1 lost                           | ESTABLISHED SYN-RECEIVED
"""

numbers = st.integers(0, 1 << 40)
lines = st.builds(
    LadderLine,
    sender=st.sampled_from(["client", "server"]),
    flags=st.sets(st.sampled_from(LETTERS), min_size=1).map(
        lambda some: "".join(sorted(some, key=LETTERS.index))
    ),
    seq=numbers,
    length=st.integers(0, 65535),
    delta=st.none() | st.integers(0, 10**7).map(lambda micro: micro * 1000),
    connection=st.integers(1, 99),
    ack=st.none() | numbers,
    window=st.none() | numbers,
    options=st.none() | st.just("mss 1460,sackOK"),
    lost=st.booleans(),
    states=st.tuples(st.sampled_from(State), st.sampled_from(State)),
    notes=st.sampled_from(["", "retransmission of 4", "zero-window, duplicate-ack 2 of 8"]),
)


@given(lines)
def test_what_is_written_is_read(line: LadderLine) -> None:
    assert parse(str(line)) == [line]


def test_a_ladder_is_its_own_expectation() -> None:
    rungs = play(LADDER)
    assert not compare(write(rungs), rungs, tolerance=1000)
    assert not compare(LADDER, rungs)


def test_a_difference_is_shown_as_ndiff() -> None:
    difference = compare(LADDER.replace("lost", ""), play(LADDER))
    assert difference.count("\n- ") == 1
    assert difference.count("\n+ ") == 1
    assert "lost" in difference


def test_missing_and_surplus_rungs_are_differences() -> None:
    rungs = play(LADDER)
    assert "- +.3" in compare(LADDER, rungs[:2])
    assert compare("+0 > S 0:0(0)", rungs)


def test_times_are_compared_within_the_tolerance() -> None:
    rungs = play(LADDER)
    assert not compare(LADDER.replace("+.3 ", "+.303 "), rungs)
    assert compare(LADDER.replace("+.3 ", "+.31 "), rungs)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("+x > S 0:0(0)", "line 1: expected a time such as +.1, not '+x'"),
        ("\n+0 = S 0:0(0)", "line 2: expected > or <, not '='"),
        ("> Q 0:0(0)", "expected some of the control bits FSRP.UEWe, not 'Q'"),
        ("> S 0:5(0)", "expected first:last(length), where last = first + length, not '0:5(0)'"),
        ("> S", "expected first:last(length), where last = first + length, not the end of the"),
        ("> S 0:0(0) ack", "expected a number after ack, not the end of the line"),
        ("> S 0:0(0) win x", "expected a number after win, not 'x'"),
        ("> S 0:0(0) acks 1", "expected ack, win, <options> or lost, not 'acks'"),
        ("> S 0:0(0) <mss 1", "expected the > after the options, not the end of the line"),
        ("> S 0:0(0) | SYN_SENT LISTEN", "expected a state of RFC 9293, not 'SYN_SENT'"),
        ("> S 0:0(0) | LISTEN", "expected two states, not the end of the line"),
    ],
)
def test_a_wrong_word_is_named(text: str, said: str) -> None:
    with pytest.raises(TrioechoError) as error:
        parse(text)
    assert said in str(error.value)


@given(st.text(max_size=60))
def test_any_text_at_all(text: str) -> None:
    with contextlib.suppress(TrioechoError):
        parse(text)


def test_the_file_reads_back() -> None:
    rungs = play(LADDER)
    script = Script(Setting(title="a title"))
    text = (script.begin() + script.show(rungs)).decode()
    assert text.startswith("# a title\n")
    assert not compare(text, rungs, tolerance=1000)
