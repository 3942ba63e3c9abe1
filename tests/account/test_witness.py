"""What calls and kernels tell of an account's intervals, to the millisecond."""

from __future__ import annotations

import pytest
from frames import play
from ladders import AT_CLIENT
from msgspec.structs import replace

from trioecho.account import Accounts
from trioecho.account.causes import MS, Blamed, Certainty
from trioecho.account.spans import Span
from trioecho.account.witness import MOST, Witness
from trioecho.model import Call, End, Kernel, Rung, Segment, State

PROVEN, INFERRED = Certainty.PROVEN, Certainty.INFERRED


def call(end: End, name: str, time: int, error: str | None = None) -> Call:
    return Call(time, end, "connection", 3, name, result=10, error=error, connection=1)


def judged(witness: Witness, cause: str, blamed: Blamed) -> tuple[str, Blamed, Certainty]:
    """What becomes of an interval of 100 ms."""
    span = Span(100 * MS, 200 * MS, cause, blamed, INFERRED, 1, 2)
    witness.judge(span)
    return span.cause, span.blamed, span.certainty


@pytest.mark.parametrize(
    ("sends", "certainty"),
    [
        ([99, 200], PROVEN),
        ([99, 250], PROVEN),  # another interval follows in which it was silent
        ([181, 250], PROVEN),
        ([179, 250], INFERRED),  # it had sent, and something else held that back
        ([99], INFERRED),
        ([], INFERRED),
    ],
)
@pytest.mark.parametrize("cause", ["think-time", "application"])
def test_a_program_that_sent_nothing_is_what_was_waited_for(
    cause: str, sends: list[int], certainty: Certainty
) -> None:
    witness = Witness()
    for time in sends:
        witness.called(call("server", "send", time * MS))
    assert judged(witness, cause, "server") == (cause, "server", certainty)
    assert judged(witness, cause, "client") == (cause, "client", INFERRED)


def test_a_send_that_failed_sent_nothing() -> None:
    witness = Witness()
    witness.called(call("server", "send", 150 * MS, "EAGAIN"))
    witness.called(call("server", "write", 200 * MS))
    assert judged(witness, "think-time", "server")[2] is PROVEN


@pytest.mark.parametrize(("read", "certainty"), [(174, INFERRED), (176, PROVEN)])
def test_a_program_that_read_nothing_for_most_of_the_time(read: int, certainty: Certainty) -> None:
    witness = Witness()
    assert judged(witness, "slow-reader", "server")[2] is INFERRED
    witness.called(call("server", "recv", read * MS))
    assert judged(witness, "slow-reader", "server")[2] is certainty
    assert judged(witness, "receive-buffer", "server")[2] is INFERRED


def asked(receiver: int, buffer: int) -> list[Rung]:
    """The client's kernel at 100 and at 200 ms: for how many milliseconds it was limited."""
    first, last = play("+0 > S 0:0(0)\n+.1 > S 0:0(0)")
    start = first.time - 100 * MS
    answers = (
        Kernel(State.SYN_SENT, busy=0, receiver_limited=0, send_buffer_limited=0),
        Kernel(
            State.SYN_SENT,
            busy=100 * MS,
            receiver_limited=receiver * MS,
            send_buffer_limited=buffer * MS,
        ),
    )
    return [
        replace(rung, segment=_earlier(rung.segment, start), client_kernel=answer)
        for rung, answer in zip((first, last), answers, strict=True)
    ]


def _earlier(segment: Segment, by: int) -> Segment:
    return replace(segment, frame=replace(segment.frame, time=segment.frame.time - by))


@pytest.mark.parametrize(("counted", "certainty"), [(76, PROVEN), (75, INFERRED)])
def test_a_kernel_that_counts_its_peers_window(counted: int, certainty: Certainty) -> None:
    witness = Witness()
    for rung in asked(counted, 0):
        witness.asked(rung)
    assert judged(witness, "receive-buffer", "server")[2] is certainty
    assert judged(witness, "slow-reader", "server")[2] is INFERRED  # nor why the window was full
    assert judged(witness, "receive-buffer", "client")[2] is INFERRED  # the other direction


def test_a_kernel_that_counts_its_own_buffer_decides() -> None:
    witness = Witness()
    for rung in asked(0, 76):
        witness.asked(rung)
    for cause, blamed in (("congestion-window", "path"), ("send-buffer", "client")):
        assert judged(witness, cause, blamed) == ("send-buffer", "client", PROVEN)  # type: ignore[arg-type]
    assert judged(witness, "timeout", "path") == ("timeout", "path", INFERRED)


def test_it_remembers_the_later_half() -> None:
    witness = Witness()
    for time in range(2 * MOST):
        witness.called(call("server", "send", time))
    assert MOST // 2 <= len(witness._sends["server"]) <= MOST


def test_calls_prove_what_a_ladder_suggests() -> None:
    thinks = """
        +0    > P. 1:11(10) ack 1
        +.12  < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
    """
    rungs = play(AT_CLIENT + thinks)
    answer = call("server", "send", rungs[-2].time - 10 * MS)
    for told, certainty in (([], INFERRED), ([answer], PROVEN)):
        accounts = Accounts()
        accounts.see(rungs[:4])
        accounts.called(told)
        accounts.see(rungs[4:])
        (account,) = accounts.end()
        assert account.top is not None
        assert (account.top.cause, account.top.certainty) == ("think-time", certainty)


def test_a_call_of_no_connection_tells_nothing() -> None:
    accounts = Accounts()
    accounts.called([call("server", "send", 0)])
    accounts.see(play(AT_CLIENT))
    accounts.called([Call(0, "server", "listening", 3, "accept")])
    assert len(list(accounts.end())) == 1
