"""Segments and calls from each kind of source, in one order."""

# covers: stage/order

from __future__ import annotations

from collections.abc import Iterator

import frames
import pytest
import trio
import trio.testing
from msgspec.structs import replace

from trioecho.model import Call, End, Endpoint, Frame, Rung, Segment, State, Stopped
from trioecho.packet.decode import decode
from trioecho.programs.connecting import Finder
from trioecho.render import Event
from trioecho.stage import journal as journals
from trioecho.stage.journal import Journal
from trioecho.stage.late import LateCalls
from trioecho.stage.wire import Passage
from trioecho.tcp.rules.opening import LateSynack
from trioecho.tcp.rules.resets import ProgramStopped, UnreadData

PEER, LOCAL = Endpoint("10.0.0.2", 7), Endpoint("10.0.0.1", 40000)
START = 1_700_000_000_000_000_000
MS = 1_000_000
NOW = START + 1_000 * MS
TWO = """
+0 > S  0:0(0)
+.001 >2 S  0:0(0)
+.001 <2 S. 0:0(0) ack 1
+.001 < R. 0:0(0) ack 1
+.001 >2 .  1:1(0) ack 1
"""
ECHO = """
+0 > S  0:0(0)
+.001 < S. 0:0(0) ack 1
+.001 > .  1:1(0) ack 1
+.001 > P. 1:6(5) ack 1
+.001 < P. 1:6(5) ack 6
"""


def segments(text: str) -> Iterator[tuple[Frame, Segment]]:
    for _, frame in frames.frames(text):
        segment = decode(frame)
        assert segment is not None
        yield frame, segment


def passages(text: str) -> Iterator[Passage]:
    for frame, segment in segments(text):
        yield Passage("client" if segment.destination == PEER else "server", frame, segment)


def carry(journal: Journal, passage: Passage) -> None:
    """A segment goes over the wire and arrives at once."""
    journal.sent(passage)
    passage.arrived = passage.frame.time + 1
    journal.done(passage)


def connect(time: int, fd: int, result: int | None = None, error: str | None = None) -> Call:
    return Call(
        START + time, "client", "connection", fd, "connect", str(PEER), result, error, peer=PEER
    )


def ours(time: int, name: str, end: str = "client") -> Call:
    local, peer = (LOCAL, PEER) if end == "client" else (PEER, LOCAL)
    return Call(START + time, end, "connection", 3, name, local=local, peer=peer, result=1)  # type: ignore[arg-type]


def told(journal: Journal) -> LateCalls:
    return journal.late_calls(Finder(journal.tracker).placed, lambda: None)


def put(late: LateCalls, call: Call) -> None:
    """strace tells of one call, of which the line is whole or the end of one."""
    connected = call.name == "connect" and bool(call.error or call.result is not None)
    late.put([call], None if connected else call.time, call.fd, connected=connected)
    late.read(None, NOW)


def story(events: list[Event]) -> list[str]:
    return [f"#{one.connection} {what(one)}" for one in events]


def what(event: Event) -> str:
    return event.sender if isinstance(event, Rung) else getattr(event, "name", "stopped")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the machine's clock says, after START."""
    now = [0]
    monkeypatch.setattr(journals, "time_ns", lambda: START + now[0])
    return now


# ---- a wire --------------------------------------------------------------------------------------


def test_a_segment_waits_until_it_is_known_whether_it_arrived() -> None:
    journal = Journal()
    syn, answer, *_ = passages(ECHO)
    journal.sent(syn)
    journal.call(ours(MS // 2, "send"))
    assert journal.ready() == []
    assert story(journal.pending()) == ["#1 client", "#1 send"]
    syn.arrived = START + MS // 4
    journal.done(syn)
    assert story(journal.ready()) == ["#1 client", "#1 send"]
    journal.sent(answer)
    journal.finish()
    (last,) = journal.ready()
    assert isinstance(last, Rung)
    assert last.arrived is None


def test_a_journal_that_nobody_takes_is_full() -> None:
    journal = Journal(most=2)
    for passage in passages(ECHO):
        carry(journal, passage)
    assert journal.full
    assert len(journal.ready()) == 5
    assert not journal.full


# ---- calls that strace tells of, on a wire -------------------------------------------------------


def test_each_connect_has_the_first_syn_after_it() -> None:
    journal = Journal()
    late = told(journal)
    one, two, two_answered, one_refused, two_done = passages(TWO)
    put(late, connect(-10_000, 3))
    carry(journal, one)
    put(late, connect(MS - 10_000, 4))
    carry(journal, two)
    carry(journal, two_answered)
    put(late, connect(MS + 20_000, 4, 0))
    carry(journal, one_refused)
    put(late, connect(MS // 2, 3, error="ECONNREFUSED"))  # strace's clock is early
    carry(journal, two_done)
    journal.settle(journal.moment())
    got = journal.ready()
    assert story(got) == [
        *("#1 connect", "#1 client", "#2 connect", "#2 client"),
        *("#2 server", "#2 connect", "#1 server", "#1 connect", "#2 client"),
    ]
    times = [one.time for one in got]
    assert times == sorted(times)
    calls = [one for one in got if isinstance(one, Call)]
    assert {one.local for one in calls if one.connection == 1} == {Endpoint("10.0.0.1", 40000)}
    assert {one.local for one in calls if one.connection == 2} == {Endpoint("10.0.0.1", 40001)}
    assert journal.ready() == []


def test_a_connect_that_is_never_answered_ends_where_that_was_told() -> None:
    journal = Journal()
    late = told(journal)
    syn, *_ = passages(ECHO)
    put(late, connect(-1, 3))
    carry(journal, syn)
    put(late, connect(MS, 3, error="ETIMEDOUT"))
    journal.settle(journal.moment())
    got = journal.ready()
    assert story(got) == ["#1 connect", "#1 client", "#1 connect"]
    assert isinstance(got[-1], Call)
    assert (got[-1].error, got[-1].time) == ("ETIMEDOUT", START + MS)


def test_a_connect_waits_for_its_syn_until_it_returns() -> None:
    """One that goes elsewhere has none: that is known when what it has sent has been taken."""
    journal = Journal()
    late = told(journal)
    put(late, connect(0, 3))
    journal.settle(journal.moment())
    assert journal.ready() == []
    put(late, connect(5, 3, error="ENETUNREACH"))
    assert journal.unsettled
    assert journal.ready() == []
    journal.settle(journal.moment())
    assert story(journal.ready()) == ["#None connect", "#None connect"]


def test_a_connect_that_never_returns_is_waited_for_in_vain_only_for_a_while() -> None:
    journal = Journal()
    late = told(journal)
    put(late, connect(0, 3))
    journal.settle(journal.moment())
    late.expire(START, START)
    assert late.waiting
    assert journal.ready() == []
    late.expire(START, START + 1)
    assert not late.waiting
    assert story(journal.ready()) == ["#None connect"]


def test_a_deferred_connect_that_sent_its_syn_was_none() -> None:
    """TCP_FASTOPEN_CONNECT without a cookie opens in the usual way."""
    for opened in (True, False):
        journal = Journal()
        late = told(journal)
        syn, *_ = passages(ECHO)
        put(late, connect(-1, 3))
        if opened:
            carry(journal, syn)
        put(late, replace(connect(MS, 3, 0), deferred=True))
        journal.settle(journal.moment())
        assert [one.deferred for one in journal.ready() if isinstance(one, Call)] == [
            False,
            not opened,
        ]


def test_a_segment_waits_for_the_call_that_sent_it_to_return() -> None:
    journal = Journal()
    late = told(journal)
    *opening, data, _ = passages(ECHO)
    for one in opening:
        carry(journal, one)
    assert len(journal.ready()) == 3
    sent = 3 * MS - 10
    late.put([], START + sent)  # strace has begun a line
    late.read(START + sent, NOW)
    carry(journal, data)
    assert journal.ready() == []
    late.put([ours(sent, "send")], START + sent)
    late.read(None, NOW)
    journal.settle(journal.moment())
    assert story(journal.ready()) == ["#1 send", "#1 client"]


def test_a_call_that_does_not_return_is_waited_for_only_for_a_while() -> None:
    journal = Journal()
    late = told(journal)
    syn, *_ = passages(ECHO)
    late.read(START - 1, NOW)
    carry(journal, syn)
    assert journal.ready() == []
    late.expire(START, 0)
    assert story(journal.ready()) == ["#1 client"]


def test_what_strace_has_written_is_read_before_each_segment() -> None:
    journal = Journal()
    late: list[LateCalls] = []
    calls = [ours(3 * MS - 10, "send")]

    def catch_up() -> None:
        if journal.tracker.rungs == 3 and calls:
            put(late[0], calls.pop())

    late.append(journal.late_calls(Finder(journal.tracker).placed, catch_up))
    for one in list(passages(ECHO))[:4]:
        carry(journal, one)
    journal.settle(journal.moment())
    assert story(journal.ready())[-2:] == ["#1 send", "#1 client"]


def test_a_call_that_waited_comes_before_what_its_program_did_next() -> None:
    """strace reads its clock before it looks up the socket: the recv seems to be too early."""
    journal = Journal()
    late = told(journal)
    *before, data, answer = passages(ECHO)
    for one in before:
        carry(journal, one)
    carry(journal, data)
    late.put([ours(2 * MS, "recv", "server")], None)
    late.put([ours(3 * MS + 500, "send", "server")], START + 3 * MS + 500)
    late.read(None, NOW)
    carry(journal, answer)
    journal.settle(journal.moment())
    got = journal.ready()
    assert story(got)[3:] == ["#1 client", "#1 recv", "#1 send", "#1 server"]
    assert [one.time for one in got] == sorted(one.time for one in got)


# ---- a tap ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stopped", [True, False])
def test_a_reset_of_a_program_that_we_stopped_says_so(stopped: bool) -> None:
    journal = Journal()
    *before, reset = passages(ECHO.rpartition("+")[0] + "+.5 < R. 1:1(0) ack 6")
    for passage in before:
        carry(journal, passage)
    if stopped:
        time = before[-1].frame.time + MS
        journal.stopped(Stopped(time, "server", "SIGTERM", "the client has ended"))
    carry(journal, reset)
    events = journal.ready()
    assert story(events)[-2:] == ["#None stopped" if stopped else "#1 client", "#1 server"]
    rung = events[-1]
    assert isinstance(rung, Rung)
    assert rung.notes == (ProgramStopped() if stopped else UnreadData(),)


@pytest.mark.parametrize(
    ("ends", "gave_up", "stopped"),
    [((), True, None), (("client",), False, "client"), (("server", "client"), False, "server")],
)
def test_who_closes_because_it_was_stopped_has_not_given_up(
    ends: tuple[End, ...], gave_up: bool, stopped: End | None
) -> None:
    journal = Journal()
    (syn,) = passages("+0 > S 0:0(0)")
    carry(journal, syn)
    for late, end in enumerate(ends, 1):
        journal.stopped(Stopped(syn.frame.time + late, end, "", "you stopped the trace"))
    (connection,) = journal.tracker.connections
    connection.gave_up(syn.frame.time + MS)
    (summary,) = journal.summary("wire").connections
    assert (summary.gave_up, summary.stopped) == (gave_up, stopped)


def test_who_had_given_up_is_not_stopped() -> None:
    journal = Journal()
    (syn,) = passages("+0 > S 0:0(0)")
    carry(journal, syn)
    journal.tracker.connections[0].gave_up(syn.frame.time + 1)
    journal.stopped(Stopped(syn.frame.time + MS, "client", "SIGINT", "you stopped the run"))
    (summary,) = journal.summary("wire").connections
    assert (summary.gave_up, summary.stopped) == (True, None)


@pytest.mark.parametrize("holds", [True, False])
def test_a_synack_for_a_client_whose_kernel_has_no_socket_comes_too_late(holds: bool) -> None:
    asked = []

    def ask(*ends: object) -> bool:
        asked.append(ends)
        return holds

    journal = Journal(holds=ask)
    syn, synack, *_ = passages(ECHO)
    carry(journal, syn)
    carry(journal, synack)
    assert asked == [("client", LOCAL, PEER)]
    rung = journal.ready()[-1]
    assert isinstance(rung, Rung)
    assert rung.client_state == ("ESTABLISHED" if holds else "CLOSED")
    assert rung.moved
    assert (LateSynack() in rung.notes) is not holds
    (summary,) = journal.summary("wire").connections
    assert summary.gave_up is not holds
    assert "ESTABLISHED" not in summary.client_states


def test_a_client_that_closes_before_it_was_answered_has_given_up() -> None:
    journal = Journal()
    syn, synack, *_ = passages(ECHO)
    carry(journal, syn)
    journal.call(ours(MS // 2, "close"))
    carry(journal, synack)
    rung = journal.ready()[-1]
    assert isinstance(rung, Rung)
    assert rung.notes[-1] == LateSynack()
    assert journal.summary("wire").connections[0].client_states == {"SYN-SENT": MS // 2}


async def test_what_is_under_way_is_waited_for_and_no_more() -> None:
    journal = Journal()
    first, second, third, *_ = passages(ECHO)
    journal.sent(first)
    journal.sent(second)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.landed)
        await trio.testing.wait_all_tasks_blocked()
        journal.sent(third)
        for passage in (first, second):
            assert nursery.child_tasks
            passage.arrived = passage.frame.time + 1
            journal.done(passage)
            await trio.testing.wait_all_tasks_blocked()
        assert not nursery.child_tasks


@pytest.mark.parametrize("traced", [True, False])
def test_what_a_server_repeats_comes_as_one_before_its_fin(traced: bool) -> None:
    journal = Journal()
    late = told(journal)
    passing = passages(f"{ECHO}+.5 < F. 6:6(0) ack 6")
    for passage in [next(passing) for _ in range(5)]:
        carry(journal, passage)
    for at in range(100, 400):
        call = replace(ours(at * MS, "recv", "server"), result=0)
        if traced:
            put(late, call)
        else:
            journal.call(call)
    carry(journal, next(passing))
    journal.finish()
    events = journal.ready()
    calls = [one for one in events if isinstance(one, Call)]
    assert [one.times for one in calls] == [1, 1, 1, 100, 197]
    assert {one.connection for one in calls} == {1}
    assert story(events)[-2:] == ["#1 recv", "#1 server"]
    assert [one.time for one in events] == sorted(one.time for one in events)


def test_a_call_of_ours_waits_for_a_younger_frame(clock: list[int]) -> None:
    journal = Journal(tapped=True)
    (_, syn), (_, answer), *_ = segments(ECHO)
    journal.call(ours(MS // 2, "send"))
    assert journal.unsettled
    journal.seen(syn)
    assert story(journal.ready()) == ["#1 client"]
    journal.seen(answer)
    assert story(journal.ready()) == ["#1 send", "#1 server"]
    assert not journal.unsettled


def test_a_call_of_ours_waits_for_a_mark(clock: list[int]) -> None:
    """Also where the clock has been set back: what was told before the mark was asked goes."""
    journal = Journal(tapped=True)
    journal.call(ours(MS, "connect"))
    clock[0] = -5 * MS
    moment = journal.moment()
    journal.call(ours(2 * MS, "send"))
    journal.settle(moment)
    assert story(journal.ready()) == ["#1 connect"]
    assert journal.unsettled
    journal.finish()
    assert story(journal.ready()) == ["#1 send"]


def test_a_connection_that_was_only_called_for_is_not_over(clock: list[int]) -> None:
    journal = Journal(tapped=True)
    assert journal.over()
    journal.call(ours(0, "connect"))
    journal.settle(journal.moment())
    assert not journal.over()


def test_a_call_that_waited_comes_behind_what_the_tap_shows_later() -> None:
    journal = Journal(tapped=True)
    late = told(journal)
    *before, (_, data), (_, answer) = segments(ECHO)
    for _, one in before:
        journal.seen(one)
    late.put([ours(2 * MS, "recv", "server")], None)  # the tap has not shown the data yet
    late.read(None, START + 3 * MS + 400)
    late.put([ours(3 * MS + 300, "send", "server")], START + 3 * MS + 300)
    late.read(None, START + 3 * MS + 400)
    journal.seen(data)
    assert story(journal.ready()) == ["#1 client", "#1 server", "#1 client", "#1 client"]
    assert journal.unsettled
    journal.seen(answer)
    journal.settle(journal.moment())
    got = journal.ready()
    assert story(got) == ["#1 recv", "#1 send", "#1 server"]
    assert [one.time for one in got] == sorted(one.time for one in got)


@pytest.mark.parametrize("tapped", [True, False])
@pytest.mark.parametrize(
    ("calls", "state"),
    [
        (["listen"], State.LISTEN),
        ([], State.UNKNOWN),
        (["bind"], State.UNKNOWN),
        (["listen", "EADDRINUSE"], State.UNKNOWN),
        (["listen", "setsockopt"], State.LISTEN),
        (["listen", "close"], State.UNKNOWN),
    ],
)
def test_a_server_listens_from_listen_to_close(
    calls: list[str], state: State, tapped: bool, clock: list[int]
) -> None:
    journal = Journal(tapped=tapped)
    error = "EADDRINUSE" if "EADDRINUSE" in calls else None
    for name in (one for one in calls if one != error):
        one = Call(START - 1, "server", "listening", 3, name, local=PEER, error=error)
        journal.call(one)
    syn = next(iter(passages(ECHO)))
    if tapped:
        journal.seen(syn.segment)
    else:
        carry(journal, syn)
    journal.finish()
    assert journal.ready()[-1].server_state is state  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("calls", "state"),
    [
        (["0 listen"], State.LISTEN),
        (["1 listen"], State.UNKNOWN),  # the SYN was captured before
        (["-9 listen", "0 close"], State.UNKNOWN),
        (["-9 listen", "1 close"], State.LISTEN),
        (["-9 listen", "0 exit"], State.UNKNOWN),
        (["-9 listen", "1 exit"], State.LISTEN),
        (["-9 listen", "0 exit of another"], State.LISTEN),
    ],
)
def test_strace_tells_who_listened_when(calls: list[str], state: State) -> None:
    """A tap shows a segment late, so what strace tells meanwhile may be of a later time."""
    journal = Journal(tapped=True)
    late = told(journal)
    for time, _, name in (one.partition(" ") for one in calls):
        at = START + int(time)
        if name.startswith("exit"):
            late.exited(3 if name == "exit" else 4, at)
        else:
            put(late, Call(at, "server", "listening", 3, name, local=Endpoint("0.0.0.0", 7)))
    journal.seen(next(segments(ECHO))[1])
    journal.finish()
    (rung,) = (one for one in journal.ready() if isinstance(one, Rung))
    assert rung.server_state is state


def test_on_a_wire_its_kernel_tells_who_listens() -> None:
    asked = []

    def listens(end: End, server: Endpoint) -> bool:
        asked.append((end, server))
        return len(asked) == 2

    journal = Journal(listens=listens)
    journal.call(Call(START - 1, "server", "listening", 3, "listen", local=PEER))
    for passage in passages("+0 > S 0:0(0)\n+1 > S 0:0(0)\n+.1 < S. 0:0(0) ack 1"):
        carry(journal, passage)
    journal.finish()
    states = [one.server_state for one in journal.ready() if isinstance(one, Rung)]
    assert asked == [("server", PEER)] * 2
    assert states == [State.UNKNOWN, State.LISTEN, State.SYN_RECEIVED]
