"""HTTP/1: each phase to the millisecond, and whatever two ends may do to a message."""

# covers: requests/conversation, requests/request, requests/requests, requests/protocol

from __future__ import annotations

import pytest
from tapes import Tape, ms, requests_of

from trioecho.model import Frame
from trioecho.model.way import Way

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def test_the_phases_at_the_client() -> None:
    """A round trip of 20 ms, 40 ms of thought, and a body that comes 10 ms behind its head."""
    tape = Tape()
    tape.open()
    tape.say(21, "client", GET)
    tape.say(81, "server", OK)
    tape.say(91, "server", b"hello")
    tape.close(100)
    (request,) = requests_of(tape)
    assert (request.protocol, request.said, request.host) == ("HTTP/1.1", "GET /a", "shop")
    assert (request.status, request.sent, request.received) == ("200", len(GET), len(OK) + 5)
    assert (ms(request.connect), ms(request.queue)) == (20, 0)
    assert (ms(request.thought), ms(request.path), ms(request.after)) == (40, 20, 60)
    assert (ms(request.transfer), ms(request.total)) == (10, 91)
    assert {name: ms(time) for name, time in request.phases.items()} == {
        "time_namelookup": 0,
        "time_connect": 20,
        "time_appconnect": 0,
        "time_pretransfer": 21,
        "time_starttransfer": 81,
        "time_total": 91,
    }
    assert request.costs == {
        ("setup", "path"): 20_000_000,
        ("round-trip", "path"): 31_000_000,
        ("think-time", "server"): 40_000_000,
    }
    assert request.causes[0] == ("think-time", "server", 40_000_000)


def test_the_phases_on_a_wire() -> None:
    """The same talk where it is known when each segment arrived: 10 ms later."""
    tape = Tape(way=10)
    tape.open()
    tape.say(21, "client", GET)
    tape.say(71, "server", OK)
    tape.say(81, "server", b"hello")
    tape.close(100)
    (request,) = requests_of(tape)
    assert (ms(request.connect), ms(request.thought), ms(request.path)) == (20, 40, 20)
    assert (ms(request.after), ms(request.transfer), ms(request.total)) == (60, 10, 91)


def test_the_phases_at_the_server() -> None:
    """Its SYN-ACK goes at once, and the client is 20 ms away."""
    tape = Tape()
    tape.put(10, "client", 2)
    tape.put(10, "server", 18)
    tape.put(30, "client", 16)
    tape.say(31, "client", GET)
    tape.say(71, "server", OK + b"hello")
    (request,) = requests_of(tape)
    assert (ms(request.connect), ms(request.thought), ms(request.path)) == (20, 40, 20)
    assert (ms(request.after), ms(request.total)) == (60, 81)


def test_a_lost_answer_is_the_path_and_not_the_server() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "client", GET)
    seq = tape.say(35, "server", OK + b"hello", lost=True)
    tape.put(250, "server", 24, OK + b"hello", seq=seq)
    tape.put(260, "client", 16)
    (request,) = requests_of(tape)
    assert (ms(request.thought), ms(request.after), ms(request.path)) == (5, 240, 235)
    assert request.causes[0][0] == "timeout"


def test_a_question_that_was_lost_behind_the_tap_came_when_it_was_sent_again() -> None:
    tape = Tape()
    tape.open()
    seq = tape.say(20, "client", GET)
    tape.put(240, "client", 24, GET, seq=seq)
    tape.say(265, "server", OK + b"hello")
    (request,) = requests_of(tape)
    assert (ms(request.thought), ms(request.after), ms(request.path)) == (5, 245, 240)


def test_an_answer_that_was_lost_behind_the_tap() -> None:
    """Captured at the server: what the client gets, and when, is known by what is sent again."""
    tape = Tape()
    tape.put(10, "client", 2)
    tape.put(10, "server", 18)
    tape.put(30, "client", 16)
    tape.say(31, "client", GET)
    tape.say(71, "server", OK)
    seq = tape.say(72, "server", b"hello")
    tape.put(280, "server", 24, b"hello", seq=seq)
    tape.put(300, "client", 16)
    (request,) = requests_of(tape, batch=1)
    assert (ms(request.after), ms(request.transfer), ms(request.total)) == (60, 209, 290)


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_repeat_that_overtakes_the_first(end: str) -> None:
    """It is delayed by 500 ms; the timer fires after 220."""
    tape = Tape(way=10)
    tape.open()
    asked, answered = (20, 455) if end == "server" else (20, 255)
    seq = tape.say(asked, "client", GET)
    if end == "client":
        late(tape)
        tape.put(240, "client", 24, GET, seq=seq)
    seq = tape.say(answered - 220 * (end == "server"), "server", OK + b"hello")
    if end == "server":
        late(tape)
        tape.put(answered, "server", 24, OK + b"hello", seq=seq)
    tape.say(600, "client", GET)
    tape.say(630, "server", OK + b"hello")
    first, second = requests_of(tape)
    assert ms(first.after) == answered + 10 - asked
    assert ms(first.thought) == (5 if end == "client" else 205)
    assert (ms(first.total), ms(second.thought)) == (answered + 10, 20)


def late(tape: Tape) -> None:
    """The last segment arrives 500 ms late."""
    last = tape.frames[-1]
    way = Way(took=510_000_000)
    tape.frames[-1] = Frame(last.number, last.time, last.data, last.link, last.length, way=way)


def test_keep_alive_counts_connect_once() -> None:
    tape = Tape()
    tape.open()
    for at in (20, 200):
        tape.say(at, "client", GET)
        tape.say(at + 30, "server", OK + b"hello")
    first, second = requests_of(tape)
    assert (ms(first.connect), second.connect) == (20, None)
    assert (ms(second.queue), ms(second.thought), ms(second.total)) == (0, 10, 30)
    assert ms(second.begin - first.begin) == 200


def test_pipelined_requests_wait_for_the_answer_before() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "client", GET + GET.replace(b"/a", b"/b"))
    tape.say(60, "server", OK + b"hello")
    tape.say(90, "server", OK + b"hello")
    first, second = requests_of(tape)
    assert [first.said, second.said] == ["GET /a", "GET /b"]
    assert (ms(first.queue), ms(first.thought)) == (0, 30)
    assert (ms(second.queue), ms(second.thought), ms(second.path)) == (30, 30, 20)


def test_two_answers_in_one_segment() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET * 2)
    tape.say(60, "server", (OK + b"hello") * 2)
    requests = requests_of(tape)
    assert [one.whole for one in requests] == [True, True]
    assert [one.received for one in requests] == [len(OK) + 5] * 2
    assert [one.sent for one in requests] == [len(GET)] * 2


def test_an_upload_counts_from_its_last_byte() -> None:
    tape = Tape(way=10)
    tape.open()
    head = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n"
    tape.say(20, "client", head + b"x" * 1000)
    tape.say(70, "client", b"x" * 1000)
    tape.say(85, "server", OK + b"hello")
    (request,) = requests_of(tape)
    assert (ms(request.thought), ms(request.after), request.sent) == (5, 25, len(head) + 2000)


@pytest.mark.parametrize(
    ("asked", "answer", "status", "received"),
    [
        (GET, [OK, b"hell", b"o"], "200", len(OK) + 5),
        (GET.replace(b"GET", b"HEAD"), [OK], "200", len(OK)),
        (GET, [b"HTTP/1.1 204 No\r\n\r\n"], "204", 19),
        (
            GET,
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", b"lo\r\n0\r\n\r\n"],
            "200",
            62,
        ),
        (
            GET.replace(b"GET", b"PUT").replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"),
            [b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"hello"],
            "200",
            25 + len(OK) + 5,
        ),
        (GET, [b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK, b"hello"], "200", 28 + len(OK) + 5),
    ],
    ids=["length", "head", "no content", "chunked", "continue", "early hints"],
)
def test_where_an_answer_ends(
    asked: bytes, answer: list[bytes], status: str, received: int
) -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", asked)
    for at, data in enumerate(answer):
        tape.say(60 + at, "server", data)
    tape.say(90, "client", GET)
    first, second = requests_of(tape)
    assert (first.whole, first.status, first.received) == (True, status, received)
    assert (second.whole, second.status) == (False, "")
    assert second.total is None


def test_the_first_byte_is_that_of_the_final_answer() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    tape.say(40, "server", b"HTTP/1.1 103 Early Hints\r\n\r\n")
    tape.say(70, "server", OK + b"hello")
    (request,) = requests_of(tape)
    assert ms(request.after) == 50


def test_the_close_ends_an_answer_without_a_length() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    tape.say(60, "server", b"HTTP/1.0 200 OK\r\n\r\nhello")
    tape.close(75, "server")
    (request,) = requests_of(tape)
    assert (request.whole, ms(request.transfer), ms(request.total)) == (True, 15, 75)


@pytest.mark.parametrize("ending", ["fin", "rst", "nothing"])
def test_an_answer_that_is_cut_off(ending: str) -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    tape.say(60, "server", OK + b"he")
    if ending == "fin":
        tape.close(75)
    elif ending == "rst":
        tape.reset(75, "server")
    (request,) = requests_of(tape)
    assert (request.whole, request.status, request.total) == (False, "200", None)


def test_what_follows_an_upgrade_is_another_talk() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET.replace(b"\r\n\r\n", b"\r\nUpgrade: chat\r\n\r\n"))
    tape.say(60, "server", b"HTTP/1.1 101 Switching\r\nUpgrade: chat\r\n\r\n")
    tape.say(70, "client", b"hi")
    tape.say(95, "server", b"hello")
    first, second = requests_of(tape)
    assert (first.status, first.whole) == ("101", True)
    assert (second.protocol, second.said, second.received) == ("", "client: 2 bytes", 5)


def test_an_upgrade_that_the_server_passes_over() -> None:
    tape = Tape()
    tape.open()
    for at in (20, 100):
        tape.say(at, "client", GET.replace(b"\r\n\r\n", b"\r\nUpgrade: h2c\r\n\r\n"))
        tape.say(at + 40, "server", OK + b"hello")
    assert [one.status for one in requests_of(tape)] == ["200", "200"]


def test_a_tunnel_may_hold_requests_again() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n")
    tape.say(60, "server", b"HTTP/1.1 200 OK\r\n\r\n")
    tape.say(70, "client", GET)
    tape.say(95, "server", OK + b"hello")
    assert [one.said for one in requests_of(tape)] == ["CONNECT a:80", "GET /a"]


@pytest.mark.parametrize(
    "broken",
    [
        b"GET /a HTTP/1.1\r\nno header\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000,
    ],
    ids=["header", "length", "endless"],
)
def test_what_breaks_the_rules_is_a_turn(broken: bytes) -> None:
    tape = Tape()
    tape.open()
    for at in range(0, len(broken), 30_000):
        tape.say(20, "client", broken[at : at + 30_000])
    tape.say(60, "server", b"HTTP/1.1 400 Bad\r\n\r\n")
    turn = requests_of(tape)[-1]
    assert (turn.protocol, turn.asker, turn.received) == ("", "client", 20)
    assert ms(turn.thought) == 20


def test_an_answer_that_breaks_the_rules_leaves_its_request_without_one() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    tape.say(60, "server", b"SSH-2.0-what\r\n\r\n")
    tape.say(80, "client", GET)
    tape.say(120, "server", OK + b"hello")
    requests = requests_of(tape)
    assert [(one.protocol, one.status) for one in requests] == [
        ("HTTP/1.1", ""),
        ("", ""),
        ("HTTP/1.1", "200"),
    ]
    assert requests[1].asker == "server"


def test_a_capture_that_cut_its_frames_short() -> None:
    """Of the body only the length is left; of a header nothing could be read."""
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    tape.say(60, "server", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    tape.say(61, "server", b"x" * 5000)
    cut = tape.frames[-1]
    tape.frames[-1] = type(cut)(cut.number, cut.time, cut.data[:96], cut.link, cut.length)
    (request,) = requests_of(tape)
    assert (request.whole, request.received) == (True, 41 + 5000)


def test_a_capture_that_missed_a_segment() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    tape.say(60, "server", b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n")
    tape.say(61, "server", b"x" * 1500)
    tape.say(62, "server", b"x" * 1500)
    del tape.frames[-2]
    tape.say(63, "client", GET)
    first, _ = requests_of(tape)
    assert (first.whole, ms(first.total), first.received) == (True, 62, 41 + 3000)


def test_segments_in_any_order() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    for at, data in ((60, OK[:10]), (61, OK[10:]), (62, b"hello")):
        tape.say(at, "server", data)
    tape.frames[-1], tape.frames[-3] = tape.frames[-3], tape.frames[-1]
    (request,) = requests_of(tape)
    assert (request.status, request.whole) == ("200", True)


def test_a_batch_for_each_frame_gives_the_same() -> None:
    tape = Tape()
    tape.open()
    for at in range(20, 1000, 100):
        tape.say(at, "client", GET)
        tape.say(at + 30, "server", OK)
        tape.say(at + 50, "server", b"hello")
    tape.close(1100)
    once, often = requests_of(tape), requests_of(tape, batch=1)
    assert [(one.number, one.costs) for one in once] == [(one.number, one.costs) for one in often]
    for one in once:
        assert sum(one.costs.values()) == one.total


def test_without_h11_it_is_a_turn_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h11", None)
    tape = Tape()
    tape.open()
    tape.say(20, "client", GET)
    tape.say(60, "server", OK)
    (request,) = requests_of(tape, missing={"HTTP/1"})
    assert (request.protocol, request.said) == ("", f"client: {len(GET)} bytes")
