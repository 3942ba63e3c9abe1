"""Why a RST was sent: no more is said than what came before it shows."""

from __future__ import annotations

import pytest
from frames import come_to, play

from trioecho.model import CaptureSummary, Rung, State, Summary
from trioecho.render.totals import totals
from trioecho.render.words import header
from trioecho.tcp.rules import catalogue
from trioecho.tcp.rules.resets import ConnectionRst

SYNS = "+0 > S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n"
OPEN = SYNS + "+.001 > . 1:1(0) ack 1\n"
TALK = OPEN + "+.001 > P. 1:6(5) ack 1\n+.01 < P. 1:6(5) ack 6\n+.0001 > . 6:6(0) ack 6\n"

CAUSES = {
    "a port without a listener": ("> S 0:0(0)\n< R. 0:0(0) ack 1", "refused"),
    "a port without a listener, asked twice": (
        "> S 0:0(0)\n< R. 0:0(0) ack 1\n> S 0:0(0)\n< R. 0:0(0) ack 1",
        "refused refused",
    ),
    "a scanner, or one that does not wait any more": (SYNS + "> R 1:1(0)", "gave-up"),
    "the same, by a RST that acknowledges": (SYNS + "> R. 1:1(0) ack 1", "gave-up"),
    "the same, to each SYN-ACK": (
        SYNS + "> R 1:1(0)\n+1 < S. 0:0(0) ack 1\n> R 1:1(0)",
        "gave-up gave-up",
    ),
    "the handshake's last ACK finds nobody": (OPEN + "+.01 < R 1:1(0)", "after-handshake"),
    "nor does the FIN behind it": (
        OPEN + "+.001 > F. 1:1(0) ack 1\n+.01 < R 1:1(0)",
        "after-handshake",
    ),
    "three segments on their way are answered for one reason": (
        OPEN
        + "+.001 > P. 1:6(5) ack 1\n> P. 6:11(5) ack 1\n> P. 11:16(5) ack 1\n"
        + "+.01 < R 1:1(0)\n+.0001 < R 1:1(0)\n+.0001 < R 1:1(0)",
        "after-handshake after-handshake after-handshake",
    ),
    "a minute of silence, and nothing to answer": (TALK + "+60 < R 6:6(0)", "unprompted"),
    "sooner than the way allows": (
        TALK + "+1 > P. 6:11(5) ack 6\n+.0001 < R 6:6(0)\n+.0001 > R 11:11(0)",
        "unprompted unprompted",
    ),
    "the first thing that is seen at all": ("< R 1:1(0)", "unprompted"),
    "an answer by one who spoke a second ago": (
        TALK + "+1 > P. 6:11(5) ack 6\n+.01 < R 6:6(0)",
        "no-connection",
    ),
    "an answer to what crossed its last words": (
        TALK + "+1 > P. 6:11(5) ack 6\n+.008 < P. 6:11(5) ack 6\n+.004 < R 11:11(0)",
        "no-connection",
    ),
    "an answer after long silence": (
        TALK + "+3600 > P. 6:11(5) ack 6\n+.01 < R 6:6(0)",
        "half-open",
    ),
    "an answer by one who was never heard": ("> P. 1:6(5) ack 1\n+.01 < R 1:1(0)", "half-open"),
    "an answer to a segment without ACK": ("> F 1:1(0)\n+.01 < R. 0:0(0) ack 2", "half-open"),
    "a half-open end does not acknowledge": (
        "> P. 1:6(5) ack 1\n+.01 < R. 1:1(0) ack 6",
        "unread-data",
    ),
    "one that is told twice": (
        OPEN + "> P. 1:6(5) ack 1\n+.01 < R. 1:1(0) ack 6\n+.001 < R. 1:1(0) ack 6",
        "unread-data unread-data",
    ),
    "an end aborts once: then it answers what comes": (
        OPEN + "> P. 1:6(5) ack 1\n+.01 < R. 1:1(0) ack 6\n+.001 < R 1:1(0)",
        "unread-data after-close",
    ),
    "three ACKs that were on their way": (
        OPEN
        + "< P. 1:6(5) ack 1\n< P. 6:11(5) ack 1\n< P. 11:16(5) ack 1\n+.01 < R. 16:16(0) ack 1\n"
        "> . 1:1(0) ack 6\n> . 1:1(0) ack 11\n> . 1:1(0) ack 16\n"
        "+.01 < R 6:6(0)\n< R 11:11(0)\n< R 16:16(0)",
        "aborted no-connection no-connection no-connection",
    ),
    "and what comes then": (
        OPEN
        + "> P. 1:6(5) ack 1\n+.01 < R. 1:1(0) ack 6\n+.001 > P. 6:11(5) ack 1\n+.01 < R 1:1(0)",
        "unread-data after-close",
    ),
    "and what was sent at the same time as that": (
        OPEN + "> P. 1:6(5) ack 1\n+.01 < R. 1:1(0) ack 6\n+.001 > P. 6:11(5) ack 1\n"
        "+.01 < R 1:1(0)\n+.001 < R 1:1(0)",
        "unread-data after-close after-close",
    ),
    "sent again and again": (
        TALK
        + "+1 > P. 6:11(5) ack 6\n+.3 > P. 6:11(5) ack 6\n+.6 > P. 6:11(5) ack 6\n"
        + "+1.2 > R. 11:11(0) ack 6",
        "no-answer",
    ),
    "a keep-alive that is answered at the same instant": (
        TALK + "+7200 > . 5:5(0) ack 6\n+0 < . 6:6(0) ack 6\n+1 > R. 6:6(0) ack 6",
        "aborted",
    ),
    "what was acknowledged waits for nothing, though it is sent again": (
        TALK + "+.3 > P. 1:6(5) ack 6\n+.6 > P. 1:6(5) ack 6\n+1 > R. 6:6(0) ack 6",
        "aborted",
    ),
    "copies are not sent again": (
        TALK
        + "+1 > P. 6:11(5) ack 6 <id 7>\n"
        + "+.001 > P. 6:11(5) ack 6 <id 7>\n" * 2
        + "+1 > R. 11:11(0) ack 6",
        "aborted",
    ),
    "sent again twice, and the peer acknowledges something else at the same instant": (
        TALK + "+1 > P. 6:11(5) ack 6\n+.3 > P. 6:11(5) ack 6\n+.6 > P. 6:11(5) ack 6\n"
        "+0 < P. 6:11(5) ack 6\n+1.2 > R. 11:11(0) ack 11",
        "aborted",
    ),
    "sent again once is no reason to give up": (
        TALK + "+1 > P. 6:11(5) ack 6\n+.3 > P. 6:11(5) ack 6\n+.6 > R. 11:11(0) ack 6",
        "aborted",
    ),
    "a closed window, probed in vain": (
        TALK + "< . 6:6(0) ack 6 win 0\n+.3 > . 5:5(0) ack 6\n+.6 > R. 6:6(0) ack 6",
        "no-answer",
    ),
    "data that crossed those of the one who resets": (
        OPEN + "+.001 < P. 1:6(5) ack 1\n+0 > P. 1:6(5) ack 1\n+.01 < R. 6:6(0) ack 6",
        "aborted",
    ),
    "data a nanosecond behind them": (
        OPEN + "+.001 < P. 1:6(5) ack 1\n+.000000001 > P. 1:6(5) ack 1\n+.01 < R. 6:6(0) ack 6",
        "unread-data",
    ),
    "a SYN-ACK that nobody acknowledges": (SYNS + "+3 < R. 1:1(0) ack 1", "no-answer"),
    "nobody was to lose a connection": (SYNS + "+.01 < R. 1:1(0) ack 1", "unprompted"),
    "data for one that has closed": (
        OPEN + "> F. 1:1(0) ack 1\n+.01 < . 1:1(0) ack 2\n+.01 < P. 1:6(5) ack 2\n> R 2:2(0)",
        "after-close",
    ),
    "an answer of the closed, at the number it was told": (
        OPEN + "> F. 1:1(0) ack 1\n+.01 < . 1:1(0) ack 1\n< P. 1:6(5) ack 1\n> R 1:1(0)",
        "after-close",
    ),
    "in TIME-WAIT, of its own accord": (
        TALK + "> F. 6:6(0) ack 6\n+.01 < F. 6:6(0) ack 7\n+.0001 > . 7:7(0) ack 7\n+.1 > R 7:7(0)",
        "unprompted",
    ),
    "a SYN that is not acknowledged": ("> S 0:0(0)\n< R 0:0(0)", "no-ack-of-syn"),
    "another SYN that is": ("> S 0:0(0)\n< R. 0:0(0) ack 77", "no-ack-of-syn"),
    "an ACK of what was never sent": (
        SYNS + "> . 1:1(0) ack 500000\n< R 500000:500000(0)",
        "unacceptable-ack",
    ),
}


@pytest.mark.parametrize("name", CAUSES)
def test_cause(name: str) -> None:
    ladder, expected = CAUSES[name]
    assert [cause for rung in play(ladder) for cause in causes(rung)] == expected.split()


def causes(rung: Rung) -> list[str]:
    return [note.cause for note in rung.notes if isinstance(note, ConnectionRst)]


def test_each_cause_is_tested_or_a_state_and_has_its_words() -> None:
    tested = {cause for _, expected in CAUSES.values() for cause in expected.split()}
    elsewhere = {
        "time-wait-assassination",
        "out-of-window",
        "program-stopped",
        "forged",
        "forged-in-vain",
        "forged-syn",
        "old-ack",
        "number-zero",
        "challenged",
        "not-next",
    }
    assert tested | elsewhere == set(catalogue.causes())


@pytest.mark.parametrize(
    ("reset", "state"),
    [("201:201", State.CLOSED), ("200:200", State.ESTABLISHED), ("202:202", State.ESTABLISHED)],
)
def test_who_resets_with_its_next_number_has_let_go(reset: str, state: State) -> None:
    """Though its receiver, which lacks something, asks once more (RFC 5961 §3.2)."""
    hole = "+.1 > P. 101:201(100) ack 1\n+.001 < . 1:1(0) ack 1\n"
    *_, last = play(f"{OPEN}{hole}+.1 > R. {reset}(0) ack 1")
    assert causes(last) == ["challenged"]
    assert (last.client_state, last.server_state) == (state, State.ESTABLISHED)


def test_an_answer_to_an_unacceptable_ack_ends_nothing() -> None:
    """RFC 9293 §3.10.7.4: it is sent in SYN-RECEIVED, and the state stays."""
    rung = play(CAUSES["an ACK of what was never sent"][0])[-1]
    assert (rung.client_state, rung.server_state) == (State.ESTABLISHED, State.SYN_RECEIVED)


@pytest.mark.parametrize(("seq", "shown"), [(-5000, "absolute seq 0"), (-4999, "seq -4999")])
def test_a_number_of_0_is_shown_as_it_is(seq: int, shown: str) -> None:
    rung = play(f"{OPEN}+.1 > F 1:1(0)\n+.01 < R. {seq}:{seq}(0) ack 2")[-1]
    assert shown in header(rung)
    assert rung.client_state is State.FIN_WAIT_1


def test_who_answers_a_syn_by_a_reset_that_is_not_taken_has_not_agreed() -> None:
    rungs = play("> S 0:0(0)\n< R. 0:0(0) ack 77\n+1 > S 0:0(0)\n+.01 < S. 0:0(0) ack 1")
    states = [(rung.client_state, rung.server_state) for rung in rungs]
    waiting = (State.SYN_SENT, State.UNKNOWN)
    assert states == [
        waiting,
        waiting,
        waiting,
        (State.ESTABLISHED, State.SYN_RECEIVED),
    ]


@pytest.mark.parametrize(("before", "number", "unread"), [(OPEN, 1, False), (TALK, 6, True)])
def test_nothing_is_unread_where_nothing_was_sent(before: str, number: int, unread: bool) -> None:
    rung = play(f"{before}+1 > R. {number}:{number}(0) ack {number}")[-1]
    assert ("with data unread" in rung.notes[0].text(rung)) is unread


CROSSED = OPEN + "+.1 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 1\n"


@pytest.mark.parametrize(
    ("behind", "closed"),
    [
        ("+.01 > . 2:2(0) ack 2\n+0 < . 2:2(0) ack 2", "closed by FIN, both directions"),
        (
            "+.01 > . 2:2(0) ack 2\n+0 < R 2:2(0)",
            "closed by FIN, both directions, then by RST from the server",
        ),
        ("+.01 > . 2:2(0) ack 2\n+0 < R 3:3(0)", "closed by FIN, both directions"),
        ("+.01 > R 2:2(0)", "closed by FIN, both directions, then by RST from the client"),
    ],
)
def test_a_reset_behind_both_fins_is_told_if_it_is_taken(behind: str, closed: str) -> None:
    _, summary = come_to(CROSSED + behind)
    first, _ = next(totals(Summary((summary,), CaptureSummary("a file", 7, None))))
    assert first.endswith(f" {closed}")


def test_who_resets_in_time_wait_waits_no_more() -> None:
    rung = play(CAUSES["in TIME-WAIT, of its own accord"][0])[-1]
    assert rung.client_state is State.CLOSED


def test_who_refuses_was_in_no_state() -> None:
    _, summary = come_to("+0 > S 0:0(0)\n+1 > S 0:0(0)\n+.1 < R. 0:0(0) ack 1")
    assert summary.client_states == {"SYN-SENT": 1_100_000_000}
    assert summary.server_states == {}


FIN = OPEN + "+.01 < F. 1:1(0) ack 1\n"
BEHIND = {
    State.CLOSE_WAIT: FIN + "+.01 > . 1:1(0) ack 2\n",
    State.LAST_ACK: FIN + "+.01 > F. 6:6(0) ack 2\n",
    State.CLOSING: OPEN + "+.01 > F. 6:6(0) ack 1\n+.001 < F. 1:1(0) ack 1\n",
    State.TIME_WAIT: OPEN + "+.01 > F. 1:1(0) ack 1\n+.001 < F. 1:1(0) ack 2\n",
    State.FIN_WAIT_2: OPEN + "+.01 > F. 1:1(0) ack 1\n+.001 < . 1:1(0) ack 2\n",
}


@pytest.mark.parametrize(
    ("state", "seq", "taken"),
    [
        *((state, 1, True) for state in (State.CLOSE_WAIT, State.LAST_ACK, State.CLOSING)),
        *((state, 0, False) for state in BEHIND),
        (State.CLOSE_WAIT, 2, True),
        (State.CLOSE_WAIT, 3, False),
        (State.TIME_WAIT, 1, False),
        (State.FIN_WAIT_2, 1, True),
    ],
)
def test_behind_a_fin_its_number_counts_too(state: State, seq: int, taken: bool) -> None:
    before, after = play(f"{BEHIND[state]}+.01 < R {seq}:{seq}(0)")[-2:]
    assert before.client_state is state
    assert after.client_state is (State.CLOSED if taken else state)


SLOW_HANDSHAKE = """
    +0    > S  0:0(0)
    +.1   < S. 0:0(0) ack 1
    +.1   > .  1:1(0) ack 1{fate}
    +.1   > F. 1:1(0) ack 1
    +.001 < R  1:1(0)
"""


@pytest.mark.parametrize(
    ("fate", "cause"), [("", "unprompted"), (" lost", "after-handshake")], ids=["tap", "our wire"]
)
def test_an_answer_is_quick_where_the_wire_saw_its_question_arrive(fate: str, cause: str) -> None:
    (fact,) = play(SLOW_HANDSHAKE.format(fate=fate))[-1].notes
    assert isinstance(fact, ConnectionRst)
    assert fact.cause == cause
