"""Where the time went: each cause, from its conditions, to the millisecond."""

# covers: account/accounts, account/away, account/causes, account/direction, account/events
# covers: account/least, account/ledger, account/line, account/repair, account/rounds
# covers: account/skipped, account/trip

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from frames import play
from ladders import AT_CLIENT, OPEN, READ_LATE, STATES, VERDICTS

from trioecho.account import Account, Accounts, Cost
from trioecho.account.account import places
from trioecho.account.causes import MS, Certainty, stands_out
from trioecho.account.losses import Lost
from trioecho.account.spans import Span
from trioecho.model import Endpoint

# The connection of AT_CLIENT, captured at the server.
AT_SERVER = """
+0    > S  0:0(0) win 1000 <mss 112,sackOK,wscale 0>
+0    < S. 0:0(0) ack 1 win 1000 <mss 112,sackOK,wscale 0>
+.02  > .  1:1(0) ack 1 win 1000
"""
SETUP = {"setup path": 20}
CASES: dict[str, tuple[str, dict[str, float]]] = {
    "the server thinks, and acknowledges with its answer": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.12  < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
        """,
        {**SETUP, "think-time server": 100, "round-trip path": 20},
    ),
    "the server thinks, and acknowledges at once": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        +.1   < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
        """,
        {**SETUP, "think-time server": 100, "round-trip path": 20},
    ),
    "an ACK alone, 5 ms late, leaves when the data have come: the path took longer": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.025 < .  1:1(0) ack 11
        +.1   < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
        """,
        {**SETUP, "think-time server": 100, "round-trip path": 25},
    ),
    "an ACK alone that is later than that may be delayed": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.026 < .  1:1(0) ack 11
        +.1   < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
        """,
        {**SETUP, "think-time server": 106, "round-trip path": 20},
    ),
    "a message of full segments, which a busy machine sends one by one": (
        AT_CLIENT
        + """
        +0    > .  1:101(100) ack 1
        +.009 > .  101:201(100) ack 1
        +.009 > P. 201:211(10) ack 1
        +.02  < .  1:1(0) ack 211
        """,
        {**SETUP, "round-trip path": 38},
    ),
    "a message that its program writes bit by bit": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.009 > P. 11:21(10) ack 1
        +.002 < .  1:1(0) ack 1
        +.009 < .  1:1(0) ack 11
        +0    > P. 21:31(10) ack 1
        +.009 < .  1:1(0) ack 21
        +.011 < .  1:1(0) ack 31
        """,
        {**SETUP, "application client": 20, "round-trip path": 20},
    ),
    "the client thinks": (
        AT_CLIENT
        + """
        +0    < P. 1:11(10) ack 1
        +0    > .  1:1(0) ack 11
        +.3   > P. 1:11(10) ack 11
        +.02  < .  11:11(0) ack 11
        """,
        {**SETUP, "think-time client": 300, "round-trip path": 20},
    ),
    "the client pauses between two messages": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        +.5   > P. 11:21(10) ack 1
        +.02  < .  1:1(0) ack 21
        """,
        {**SETUP, "application client": 500, "round-trip path": 40},
    ),
    "a delayed ACK that nobody waits for": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.06  < .  1:1(0) ack 11
        +.1   > P. 11:21(10) ack 1
        +.02  < .  1:1(0) ack 21
        """,
        {**SETUP, "delayed-ack server": 40, "application client": 100, "round-trip path": 40},
    ),
    "a delayed ACK that nobody waits for, since the answer comes later": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.06  < .  1:1(0) ack 11
        +.01  < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
        """,
        {**SETUP, "think-time server": 50, "round-trip path": 20},
    ),
    "the answer comes later, and a small segment has waited for the delayed ACK": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.06  < .  1:1(0) ack 11
        +.001 > P. 11:21(10) ack 1
        +.02  < .  1:1(0) ack 21
        +.01  < P. 1:11(10) ack 21
        +0    > .  21:21(0) ack 11
        """,
        {**SETUP, "nagle client": 40, "round-trip path": 41, "think-time server": 10},
    ),
    "no answer comes, and the client's reset ends the connection": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        +5    > R. 11:11(0) ack 1
        """,
        {**SETUP, "think-time server": 5000, "round-trip path": 20},
    ),
    "no answer comes, and the server's reset ends the connection": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        +5    < R. 1:1(0) ack 11
        """,
        {**SETUP, "think-time server": 5000, "round-trip path": 20},
    ),
    "a reset after the answer ends a silence of both": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.02  < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
        +5    > R. 11:11(0) ack 11
        """,
        {**SETUP, "idle path": 4980, "round-trip path": 40},
    ),
    "an ACK that comes 34 ms late is none that was delayed": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.054 < .  1:1(0) ack 11
        """,
        {**SETUP, "round-trip path": 54},
    ),
    "Nagle: the next small segment waits for a delayed ACK": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.06  < .  1:1(0) ack 11
        +.001 > P. 11:21(10) ack 1
        +.02  < .  1:1(0) ack 21
        """,
        {**SETUP, "nagle client": 40, "round-trip path": 41},
    ),
    "a timer: the tail is lost": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.25  > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        """,
        {**SETUP, "timeout path": 270},
    ),
    "duplicate ACKs, and a fast retransmission": (
        AT_CLIENT
        + """
        +0    > .  1:101(100) ack 1
        +0    > .  101:201(100) ack 1
        +0    > .  201:301(100) ack 1
        +0    > .  301:401(100) ack 1
        +.02  < .  1:1(0) ack 1 <sack 101:201>
        +0    < .  1:1(0) ack 1 <sack 101:301>
        +0    < .  1:1(0) ack 1 <sack 101:401>
        +0    > .  1:101(100) ack 1
        +.02  < .  1:1(0) ack 401
        """,
        {**SETUP, "fast-recovery path": 40},
    ),
    "the first SYN is lost": (
        """
        +0    > S  0:0(0) win 1000 <mss 112>
        +1    > S  0:0(0) win 1000 <mss 112>
        +.02  < S. 0:0(0) ack 1 win 1000 <mss 112>
        +0    > .  1:1(0) ack 1 win 1000
        """,
        {"handshake-loss path": 1020},
    ),
    "nothing answers": (
        """
        +0    > S  0:0(0) win 1000 <mss 112>
        +1    > S  0:0(0) win 1000 <mss 112>
        +2    > S  0:0(0) win 1000 <mss 112>
        """,
        {"no-answer path": 3000},
    ),
    "refused": (
        """
        +0    > S  0:0(0) win 1000 <mss 112>
        +.02  < R. 0:0(0) ack 1
        """,
        {"refused server": 20},
    ),
    "the peer is gone": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.25  > P. 1:11(10) ack 1
        +.5   > P. 1:11(10) ack 1
        +1    > P. 1:11(10) ack 1
        """,
        {**SETUP, "black-hole path": 1750},
    ),
    "the server does not read, and the client asks": (
        READ_LATE,
        {**SETUP, "slow-reader server": 520, "round-trip path": 20},
    ),
    "a window of 0 that nobody waits for": (
        AT_CLIENT
        + """
        +0    > .  1:1001(1000) ack 1
        +.02  < .  1:1(0) ack 1001 win 0
        +.5   < .  1:1(0) ack 1001 win 1000
        +1    > P. 1001:1011(10) ack 1
        +.02  < .  1:1(0) ack 1011 win 1000
        """,
        {**SETUP, "application client": 1500, "round-trip path": 40},
    ),
    "a window that is always full, and of the same size": (
        AT_CLIENT
        + """
        +0    > .  1:1001(1000) ack 1
        +.02  < .  1:1(0) ack 1001 win 1000
        +0    > .  1001:2001(1000) ack 1
        +.02  < .  1:1(0) ack 1501 win 1000
        +0    > .  2001:2501(500) ack 1
        +.02  < .  1:1(0) ack 2501 win 1000
        """,
        {**SETUP, "receive-buffer server": 40, "round-trip path": 20},
    ),
    "a flight that is acknowledged at once, and goes on at once, is slow start": (
        AT_CLIENT
        + """
        +0    > .  1:201(200) ack 1
        +.02  < .  1:1(0) ack 201
        +0    > .  201:601(400) ack 1
        +.02  < .  1:1(0) ack 601
        """,
        {**SETUP, "slow-start client": 20, "round-trip path": 20},
    ),
    "three rounds whose ACKs make room that nothing uses: its buffer holds no more": (
        AT_CLIENT
        + """
        +0    > .  1:101(100) ack 1
        +0    > .  101:201(100) ack 1
        +0    > .  201:301(100) ack 1
        +.02  < .  1:1(0) ack 101
        +0    < .  1:1(0) ack 201
        +0    < .  1:1(0) ack 301
        +0    > .  301:401(100) ack 1
        +0    > .  401:501(100) ack 1
        +0    > .  501:601(100) ack 1
        +.02  < .  1:1(0) ack 401
        +0    < .  1:1(0) ack 501
        +0    < .  1:1(0) ack 601
        +0    > .  601:701(100) ack 1
        +0    > .  701:801(100) ack 1
        +0    > .  801:901(100) ack 1
        +.02  < .  1:1(0) ack 701
        +0    < .  1:1(0) ack 801
        +0    < .  1:1(0) ack 901
        +0    > .  901:1001(100) ack 1
        +0    > .  1001:1101(100) ack 1
        +0    > .  1101:1201(100) ack 1
        +.02  < .  1:1(0) ack 1001
        +0    < .  1:1(0) ack 1101
        +0    < .  1:1(0) ack 1201
        """,
        {
            **SETUP,
            "slow-start client": 20,
            "congestion-window path": 20,
            "send-buffer client": 40,
        },
    ),
    "the same flight, sent at each ACK, is the congestion window's": (
        AT_CLIENT
        + """
        +0    > .  1:101(100) ack 1
        +0    > .  101:201(100) ack 1
        +0    > .  201:301(100) ack 1
        +.02  < .  1:1(0) ack 301
        +0    > .  301:401(100) ack 1
        +0    > .  401:501(100) ack 1
        +0    > .  501:601(100) ack 1
        +.02  < .  1:1(0) ack 601
        +0    > .  601:701(100) ack 1
        +0    > .  701:801(100) ack 1
        +0    > .  801:901(100) ack 1
        +.02  < .  1:1(0) ack 901
        +0    > .  901:1001(100) ack 1
        +0    > .  1001:1101(100) ack 1
        +0    > .  1101:1201(100) ack 1
        +.02  < .  1:1(0) ack 1201
        """,
        {
            **SETUP,
            "slow-start client": 20,
            "congestion-window path": 40,
            "round-trip path": 20,
        },
    ),
    "a window that is filled late was not what its sender waited for before": (
        AT_CLIENT
        + """
        +0    > .  1:501(500) ack 1
        +.012 > .  501:1001(500) ack 1
        +.008 < .  1:1(0) ack 501 win 1000
        +.012 > .  1001:1501(500) ack 1
        +.02  < .  1:1(0) ack 1501 win 1000
        """,
        {**SETUP, "congestion-window path": 12, "receive-buffer server": 8, "round-trip path": 32},
    ),
    "a DSACK tells, within two seconds, that a repair was needless": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.25  > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        +1    < .  1:1(0) ack 11 <sack 1:11>
        """,
        {**SETUP, "spurious path": 270, "idle path": 1000},
    ),
    "captured at the server, which thinks": (
        AT_SERVER
        + """
        +0    > P. 1:11(10) ack 1
        +.1   < P. 1:11(10) ack 11
        +.02  > .  11:11(0) ack 11
        """,
        {**SETUP, "think-time server": 100, "round-trip path": 20},
    ),
    "captured at the server, and the client thinks": (
        AT_SERVER
        + """
        +0    < P. 1:11(10) ack 1
        +.12  > P. 1:11(10) ack 11
        +0    < .  11:11(0) ack 11
        """,
        {**SETUP, "think-time client": 100, "round-trip path": 20},
    ),
    "a window that opens, in a capture that begins after what filled it": (
        """
        +0    > .  1:1(0) ack 1 win 2000
        +.01  > .  1:1(0) ack 2001 win 0
        +.5   > .  1:1(0) ack 2001 win 2000
        +.001 < .  2001:2101(100) ack 1
        +.001 > .  1:1(0) ack 2101 win 2000
        """,
        {
            "slow-reader client": 500,
            "unknown path": 10,
            "application server": 1,
            "round-trip path": 1,
        },
    ),
    "an answer that the capture has not seen: who was to speak is not known": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        +.1   > .  11:11(0) ack 101
        +.4   > P. 11:21(10) ack 101
        +.02  < .  101:101(0) ack 21
        """,
        {**SETUP, "unknown path": 500, "round-trip path": 40},
    ),
    "both close": (
        AT_CLIENT
        + """
        +.1   > F. 1:1(0) ack 1
        +.02  < .  1:1(0) ack 2
        +.2   < F. 1:1(0) ack 2
        +0    > .  2:2(0) ack 2
        """,
        {**SETUP, "idle client": 100, "closing server": 220},
    ),
    "keep-alives": (
        AT_CLIENT
        + """
        +0    > P. 1:11(10) ack 1
        +.02  < .  1:1(0) ack 11
        +5    > .  10:10(0) ack 1
        +.02  < .  1:1(0) ack 11
        +3    > P. 11:21(10) ack 1
        +.02  < .  1:1(0) ack 21
        """,
        {**SETUP, "idle client": 8020, "round-trip path": 40},
    ),
}


def account_of(ladder: str) -> Account:
    accounts = Accounts()
    accounts.see(play(ladder))
    (account,) = accounts.end()
    return account


def milliseconds(account: Account) -> dict[str, float]:
    return {f"{cost.cause} {cost.end}": cost.time / 1e6 for cost in account.costs}


@pytest.mark.parametrize("end", ["client", "server"])
@pytest.mark.parametrize(
    "case", [name for name in CASES if "think" in name or "pauses" in name or "flight" in name]
)
def test_who_sees_one_direction_only_accuses_nobody(case: str, end: str) -> None:
    """As on a link that carries only one: the account says that it does not know."""
    accounts = Accounts()
    accounts.see([rung for rung in play(CASES[case][0]) if rung.sender == end])
    (account,) = accounts.end()
    known = sum(cost.time for cost in account.costs if cost.cause not in ("unknown", "round-trip"))
    assert known < 0.5 * account.duration, account.headline


def test_who_sees_only_acks_of_what_the_capture_lacks_calls_nobody_silent() -> None:
    download = AT_CLIENT + "".join(f"+.3 > . 1:1(0) ack {ack}\n" for ack in range(101, 1001, 100))
    assert milliseconds(account_of(download)) == {**SETUP, "unknown path": 2700}


@pytest.mark.parametrize(
    ("opening", "tap"),
    [
        (AT_CLIENT, "client"),
        (AT_SERVER, "server"),
        (OPEN, "middle"),
        (AT_CLIENT + "+0 > P. 1:11(10) ack 1 lost", "wire"),
    ],
)
def test_the_tap(opening: str, tap: str) -> None:
    assert account_of(opening).tap == tap


@pytest.mark.parametrize("ladder", [*STATES.values(), *VERDICTS.values()])
def test_the_shares_are_the_whole(ladder: str) -> None:
    """In any order of segments, also where time goes backwards; no moment is told twice."""
    told: dict[int, list[Span]] = {}
    accounts = Accounts(on_span=lambda number, span: told.setdefault(number, []).append(span))
    accounts.see(play(ladder))
    for account in accounts.end():
        spans = told.get(account.connection, [])
        assert [one.start for one in spans[1:]] == [one.end for one in spans[:-1]]
        assert sum(one.end - one.start for one in spans) == account.duration
        assert sum(cost.time for cost in account.costs) == account.duration
        assert all(cost.time > 0 for cost in account.costs)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_listener_is_told_of_each_interval(case: tuple[str, dict[str, float]]) -> None:
    told: list[tuple[int, Span]] = []
    accounts = Accounts(on_span=lambda *one: told.append(one))
    accounts.see(play(case[0]))
    (account,) = accounts.end()
    assert [number for number, _ in told] == [1] * len(told)
    spans = [span for _, span in told]
    assert all(one.end <= then.start for one, then in pairwise(spans))
    times: Counter[tuple[str, str]] = Counter()
    for span in spans:
        times[span.cause, span.blamed] += span.end - span.start
    assert times == {(cost.cause, cost.end): cost.time for cost in account.costs}


def test_the_headline_names_what_dropped_segments() -> None:
    cost = Cost("congestion-window", "path", 2_000 * MS, Certainty.INFERRED, [(3, 9)])
    ends = Endpoint("10.0.0.1", 1), Endpoint("10.0.0.2", 2)
    account = Account(1, *ends, 0, 3_000 * MS, "client", [cost])
    held = "2.00 s of 3.00 s: the congestion window held the sender back"
    assert account.headline == f"{held} (rungs 3 to 9)"
    account.losses = [Lost("random", "client", 3), Lost("policed", "server", 40, 4_000_000, 9)]
    assert account.headline == f"{held} (losses at a policer of 4.0 Mbit/s, rungs 3 to 9)"
    account.losses = [Lost("overflow", "client", 3)]
    assert account.headline == f"{held} (losses at a full queue, rungs 3 to 9)"
    account.losses = [Lost("random", "client", 3)]
    assert account.headline == f"{held} (rungs 3 to 9)"
    cost.cause = "application"
    account.losses = [Lost("overflow", "client", 3)]
    assert "queue" not in account.headline


def test_a_black_hole_lasts_from_the_last_that_was_heard_to_the_end() -> None:
    again = "".join(f"+{wait} > P. 1:11(10) ack 1\n" for wait in (0.01, 0.25, 0.5, 1))
    text = f"{AT_CLIENT}+0 > . 1:1(0) ack 1\n+0 > P. 1:11(10) ack 1\n{again}"
    assert account_of(text).headline.endswith("nothing came back any more (rungs 5 to 9)")


def test_what_the_client_alone_sent_is_told_as_that() -> None:
    one_way = [rung for rung in play(CASES["the client thinks"][0]) if rung.sender == "client"]
    accounts = Accounts()
    accounts.see(one_way)
    (account,) = accounts.end()
    assert (account.tap, account.only) == ("middle", "client")
    assert account_of(CASES["the client thinks"][0]).only is None


def test_the_headline_names_what_could_be_mended() -> None:
    closing, _ = CASES["both close"]
    assert account_of(closing).headline == (
        "nothing stands out; 220 ms of 340 ms: the connection was being closed (rungs 4 to 6)"
    )
    thinking, _ = CASES["the client thinks"]
    assert account_of(thinking).headline == (
        "300 ms of 340 ms: the client's program took its time to go on (rungs 5 to 6)"
    )


@pytest.mark.parametrize(
    ("time", "whole", "stands"),
    [
        (15, 100, True),
        (14, 100, False),
        (9, 50, False),
        (10, 50, True),
        (5, 10, True),
        (4, 5, False),
    ],
)
def test_what_stands_out(time: int, whole: int, *, stands: bool) -> None:
    """A part of the whole, and more than a busy machine takes; less is enough for most of it."""
    assert stands_out(time * MS, whole * MS) is stands


def test_one_moment_has_no_account() -> None:
    account = account_of("+0 > S 0:0(0)")
    assert (account.costs, account.headline) == ([], "there is only one moment to see")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_causes(case: tuple[str, dict[str, float]]) -> None:
    ladder, expected = case
    assert milliseconds(account_of(ladder)) == expected


@pytest.mark.parametrize(
    ("rungs", "said"),
    [
        ([(3, 5)], "rungs 3 to 5"),
        ([(7, 7)], "rung 7"),
        ([(7, 7), (9, 9)], "rungs 7, 9"),
        ([(3, 5), (7, 7)], "rungs 3 to 5, 7"),
    ],
)
def test_places_in_words(rungs: list[tuple[int, int]], said: str) -> None:
    assert places(rungs, ", ") == said
