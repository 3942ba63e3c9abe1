"""The turns of a talk that is in no known protocol."""

# covers: requests/anything

from __future__ import annotations

import pytest
from tapes import Tape, ms, requests_of

from trioecho.model import ACK
from trioecho.requests import Request
from trioecho.requests.anything import sniff


def told(requests: list[Request]) -> list[tuple[str, int, float | None]]:
    return [(one.said, one.received, ms(one.thought)) for one in requests]


def test_who_spoke_how_much_and_how_long_until_the_answer() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", b"ping")
    tape.say(70, "server", b"pong!")
    tape.say(75, "server", b"more")
    tape.say(100, "client", b"bye")
    tape.say(125, "server", b"ok")
    tape.close(130)
    requests = requests_of(tape)
    assert told(requests) == [("client: 4 bytes", 9, 30), ("client: 3 bytes", 2, 5)]
    assert [(ms(one.transfer), ms(one.total)) for one in requests] == [(5, 75), (0, 25)]
    assert [one.causes[0][0] for one in requests] == ["think-time", "round-trip"]


def test_a_server_that_speaks_first() -> None:
    """Then the answer is the client's, and so is the time that it takes."""
    tape = Tape(way=10)
    tape.open()
    tape.say(30, "server", b"220 mail\r\n")
    tape.say(90, "client", b"EHLO a\r\n")
    tape.say(110, "server", b"250 a\r\n")
    first, second = requests_of(tape)
    assert (first.asker, first.said, ms(first.thought)) == (
        "server",
        "server: 10 bytes",
        50,
    )
    assert (ms(first.after), ms(first.path)) == (70, 20)
    assert (second.asker, ms(second.thought), ms(second.total)) == ("client", 10, 30)


def test_what_crosses_the_answer_belongs_to_the_question() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "client", b"one")
    tape.say(35, "server", b"1")
    tape.say(40, "client", b"two")  # the answer comes at 45
    tape.say(60, "client", b"three")
    first, second = requests_of(tape)
    assert (first.sent, first.received, second.sent) == (6, 1, 5)


def test_the_silence_behind_a_turn_is_not_part_of_it() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", b"ping")
    tape.say(45, "server", b"pong")
    tape.say(5000, "client", b"ping")
    tape.say(5025, "server", b"pong")
    first, second = requests_of(tape)
    assert (ms(sum(first.costs.values())), ms(sum(second.costs.values()))) == (45, 25)


@pytest.mark.parametrize("end", ["client", "server"])
@pytest.mark.parametrize("way", [None, 10])
def test_a_request_without_an_answer_lasts_until_the_reset(way: float | None, end: str) -> None:
    tape = Tape(way)
    tape.open()
    tape.say(20, "client", b"ping")
    tape.put(40 if way is None else 30, "server", ACK)
    tape.reset(5040, end)
    (request,) = requests_of(tape)
    assert (request.whole, request.answered, request.total) == (False, None, None)
    cause, blamed, took = request.causes[0]
    assert (cause, blamed) == ("think-time", "server")
    assert ms(took) == pytest.approx(5000, abs=20)
    assert ms(request.end - request.begin) == pytest.approx(5040, abs=10)


def test_a_reset_behind_the_answer_is_not_part_of_the_request() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", b"ping")
    tape.say(45, "server", b"pong")
    tape.reset(5000, "client")
    (request,) = requests_of(tape)
    assert (request.whole, ms(request.total)) == (True, 45)


def test_a_capture_from_the_middle_finds_the_next_request() -> None:
    tape = Tape()
    tape.say(10, "server", b"rest of an answer")
    tape.say(20, "client", b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    tape.say(45, "server", b"HTTP/1.1 204 No Content\r\n\r\n")
    first, second = requests_of(tape)
    assert (first.said, first.whole) == ("server: 17 bytes", False)
    assert (second.said, second.status, second.connect) == ("GET /b", "204", None)


def test_a_request_line_in_small_pieces() -> None:
    tape = Tape()
    tape.open()
    data = b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n"
    for at in range(len(data)):
        tape.say(20 + at, "client", data[at : at + 1])
    tape.say(90, "server", b"HTTP/1.1 204 No Content\r\n\r\n")
    (request,) = requests_of(tape)
    assert (request.said, request.sent) == ("GET /b", len(data))
    assert ms(request.last.left - request.first.left) == len(data) - 1


@pytest.mark.parametrize("size", [5, 500])
def test_small_pieces_that_come_to_nothing(size: int) -> None:
    tape = Tape()
    tape.open()
    for at in range(size):
        tape.say(20 + at, "client", b"A")
    tape.say(900, "server", b"no")
    (turn,) = requests_of(tape)
    assert (turn.sent, turn.received) == (size, 2)


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (b"GET / HTTP/1.0\n", "http/1"),
        (b"GET / HTTP/2\r\n", ""),
        (b"USER me\r\n", ""),
        (b"G", "more"),
        (b"get / HTTP/1.1\r\n", ""),
        (b"GET /" + b"x" * 70_000, ""),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http/2"),
        (b"PRI * HTTP/2.0\r\n", "more"),
        (b"\x16\3\1", "more"),
        (b"\x16\3\1\0\5\1", "tls"),
        (b"\x16\3\1\0\5\2", ""),
        (b"\0", ""),
    ],
)
def test_the_first_bytes_tell(data: bytes, protocol: str) -> None:
    assert sniff(data) == protocol
