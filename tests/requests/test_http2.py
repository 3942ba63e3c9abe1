"""HTTP/2: streams side by side, as h2 writes them."""

from __future__ import annotations

import sys

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from h2.settings import SettingCodes
from tapes import Tape, ms, requests_of

PATH = [(":method", "GET"), (":scheme", "http"), (":authority", "shop")]


class Talk:
    """Two ends of h2, whose bytes go onto a tape of a wire that takes 10 ms each way."""

    def __init__(self) -> None:
        self.tape = Tape(way=10)
        self.tape.open()
        self.client = H2Connection(H2Configuration(client_side=True))
        self.server = H2Connection(H2Configuration(client_side=False))
        self.client.initiate_connection()
        self.server.initiate_connection()

    def ask(self, at: float, *paths: str) -> None:
        """Requests in one segment; the server gets them."""
        for path in paths:
            stream = self.client.get_next_available_stream_id()
            self.client.send_headers(stream, [*PATH, (":path", path)], end_stream=True)
        self.flush(at, "client")

    def answer(self, at: float, stream: int, body: bytes = b"", status: str = "200") -> None:
        """An answer to a stream."""
        self.server.send_headers(stream, [(":status", status)], end_stream=not body)
        if body:
            self.server.send_data(stream, body, end_stream=True)
        self.flush(at, "server")

    def flush(self, at: float, end: str) -> int:
        """Send what an end has to send; returns how many requests the server got by it."""
        mine, theirs = self.client, self.server
        if end == "server":
            mine, theirs = theirs, mine
        data = mine.data_to_send()
        self.tape.say(at, end, data)
        return sum(isinstance(one, RequestReceived) for one in theirs.receive_data(data))


def test_streams_are_requests_side_by_side() -> None:
    talk = Talk()
    talk.ask(20, "/slow", "/fast")
    talk.answer(35, 3, b"x" * 100, "404")
    talk.answer(80, 1, b"y" * 200)
    slow, fast = requests_of(talk.tape)
    assert [(one.protocol, one.stream, one.said, one.host) for one in (slow, fast)] == [
        ("HTTP/2", 1, "GET /slow", "shop"),
        ("HTTP/2", 3, "GET /fast", "shop"),
    ]
    assert [(one.status, one.whole) for one in (slow, fast)] == [("200", True), ("404", True)]
    assert [(ms(one.queue), ms(one.thought), ms(one.path)) for one in (slow, fast)] == [
        (0, 50, 20),
        (0, 5, 20),
    ]
    assert (ms(slow.total), ms(slow.connect), fast.connect) == (90, 20, None)
    assert slow.received > 200
    assert slow.causes


def test_a_body_in_many_segments() -> None:
    talk = Talk()
    talk.ask(20, "/")
    talk.server.send_headers(1, [(":status", "103")])
    talk.flush(35, "server")
    talk.server.send_headers(1, [(":status", "200")])
    talk.server.send_data(1, b"x" * 3000, end_stream=True, pad_length=10)
    data = talk.server.data_to_send()
    for at in range(0, len(data), 500):
        talk.tape.say(50 + at / 500, "server", data[at : at + 500])
    (request,) = requests_of(talk.tape)
    assert (request.whole, ms(request.thought), ms(request.transfer)) == (True, 20, 6)
    assert request.received >= 3000


def test_an_upload_and_trailers() -> None:
    talk = Talk()
    talk.client.send_headers(1, [(":method", "POST"), *PATH[1:], (":path", "/up")])
    talk.client.send_data(1, b"x" * 1000)
    talk.flush(20, "client")
    talk.client.send_data(1, b"x" * 1000, end_stream=True)
    talk.flush(60, "client")
    talk.server.send_headers(1, [(":status", "200")])
    talk.server.send_data(1, b"ok")
    talk.flush(75, "server")
    talk.server.send_headers(1, [("grpc-status", "0")], end_stream=True)
    talk.flush(95, "server")
    (request,) = requests_of(talk.tape)
    assert (request.said, request.whole, request.status) == ("POST /up", True, "200")
    assert request.sent > 2000
    assert (ms(request.thought), ms(request.transfer)) == (5, 20)


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_stream_that_is_reset(end: str) -> None:
    talk = Talk()
    talk.ask(20, "/")
    talk.flush(31, "server")
    (talk.client if end == "client" else talk.server).reset_stream(1)
    talk.flush(50, end)
    (request,) = requests_of(talk.tape)
    assert (request.status, request.whole) == (f"reset by the {end}", False)


def test_headers_in_several_frames_and_a_large_table() -> None:
    talk = Talk()
    talk.client.update_settings({SettingCodes.HEADER_TABLE_SIZE: 16_384})
    talk.flush(20, "client")
    talk.flush(31, "server")
    talk.flush(42, "client")
    long = [(f"x-{number}", "v" * 200) for number in range(40)]
    for at in (50, 150):
        stream = talk.client.get_next_available_stream_id()
        talk.client.send_headers(stream, [*PATH, (":path", "/"), *long], end_stream=True)
        talk.flush(at, "client")
        talk.server.send_headers(stream, [(":status", "200"), *long], end_stream=True)
        talk.flush(at + 40, "server")
    assert [(one.said, one.status) for one in requests_of(talk.tape)] == [("GET /", "200")] * 2


def test_very_long_headers_come_in_continuations() -> None:
    talk = Talk()
    long = [(f"x-{number}", chr(33 + number) * 400) for number in range(60)]
    talk.client.send_headers(1, [*PATH, (":path", "/"), *long], end_stream=True)
    talk.flush(20, "client")
    talk.answer(60, 1)
    (request,) = requests_of(talk.tape)
    assert (request.said, request.status, request.whole) == ("GET /", "200", True)
    assert request.sent > 16_384


@pytest.mark.parametrize(
    "broken",
    [
        b"\xff\xff\xff\1\0\0\0\0\1",  # too long
        b"\0\0\1\1\4\0\0\0\3\xff",  # no such header
        b"\0\0\1\1\0\0\0\0\3\x82\0\0\1\0\0\0\0\0\1x",  # DATA inside a block
        b"\0\0\1\0\0\0\0\0\0x",  # DATA of no stream
        b"\0\0\5\4\0\0\0\0\0hello",  # settings of 5 bytes
        b"\0\0\1\1\x0c\0\0\0\3\xff",  # more padding than there is
    ],
)
def test_what_breaks_the_rules_is_a_turn(broken: bytes) -> None:
    talk = Talk()
    talk.ask(20, "/")
    talk.tape.say(50, "client", broken)
    talk.tape.say(70, "server", b"goodbye")
    first, turn = requests_of(talk.tape)
    assert (first.said, first.status, first.whole) == ("GET /", "", False)
    assert (turn.protocol, turn.sent, turn.received) == ("", len(broken), 7)


def test_without_hpack_it_is_a_turn_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk()
    talk.ask(20, "/")
    talk.answer(60, 1)
    monkeypatch.setitem(__import__("sys").modules, "hpack", None)
    (request,) = requests_of(talk.tape, missing={"HTTP/2"})
    assert request.protocol == ""


UPGRADE = (
    b"GET /%s HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


@pytest.mark.parametrize("together", [False, True])
def test_an_upgrade_of_http1_is_answered_on_the_first_stream(together: bool) -> None:
    """RFC 7540 §3.2; the 101 comes alone, or with the first frames."""
    talk = Talk()
    talk.client = H2Connection(H2Configuration(client_side=True))
    talk.server = H2Connection(H2Configuration(client_side=False))
    settings = talk.client.initiate_upgrade_connection()
    talk.tape.say(20, "client", UPGRADE % b"first" + b"HTTP2-Settings: %s\r\n\r\n" % settings)
    talk.server.initiate_upgrade_connection(settings)
    if together:
        talk.tape.say(35, "server", SWITCH + talk.server.data_to_send())
    else:
        talk.tape.say(35, "server", SWITCH)
    talk.flush(55, "client")
    talk.answer(80, 1, b"x" * 300)
    talk.ask(100, "/second")
    talk.answer(130, 3)
    first, second = requests_of(talk.tape)
    assert [(one.protocol, one.stream, one.said, one.status) for one in (first, second)] == [
        ("HTTP/2", 1, "GET /first", "200"),
        ("HTTP/2", 3, "GET /second", "200"),
    ]
    assert (first.whole, ms(first.thought), ms(first.total)) == (True, 50, 90)
    assert (second.whole, ms(second.thought)) == (True, 20)


def test_an_upgrade_that_the_server_does_not_take() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "client", UPGRADE % b"a" + b"HTTP2-Settings: AAMAAABk\r\n\r\n")
    tape.say(40, "server", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    tape.say(60, "client", b"GET /b HTTP/1.1\r\nHost: shop\r\n\r\n")
    tape.say(80, "server", b"HTTP/1.1 204 No Content\r\n\r\n")
    found = [(one.protocol, one.said, one.status, one.whole) for one in requests_of(tape)]
    assert found == [("HTTP/1.1", "GET /a", "200", True), ("HTTP/1.1", "GET /b", "204", True)]


@pytest.mark.parametrize("settings", [b"", b"!", b"AAEAAAAA", b"A" * 5_000])
def test_settings_that_are_none(settings: bytes) -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "client", UPGRADE % b"a" + b"HTTP2-Settings: %s\r\n\r\n" % settings)
    tape.say(40, "server", SWITCH)
    (request,) = requests_of(tape)
    assert (request.said, request.status, request.whole) == ("GET /a", "", False)


def test_an_upgrade_without_the_packages() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "client", UPGRADE % b"a" + b"HTTP2-Settings: AAMAAABk\r\n\r\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "hpack", None)
        tape.say(40, "server", SWITCH)
        tape.say(60, "client", b"anything")
        tape.say(80, "server", b"at all")
        upgrade, turn = requests_of(tape, missing={"HTTP/2"})
    assert (upgrade.said, upgrade.status) == ("GET /a", "101")
    assert (turn.said, turn.whole) == ("client: 8 bytes", True)


def test_settings_that_cross_the_preface_are_no_turn() -> None:
    """A server need not wait for the client's first bytes, which may have been lost."""
    talk = Talk()
    settings = talk.server.data_to_send()
    talk.tape.say(20, "server", settings[:12])
    talk.tape.say(21, "server", settings[12:])
    talk.client.receive_data(settings)
    talk.ask(40, "/")
    talk.answer(60, 1)
    (request,) = requests_of(talk.tape)
    assert (request.said, request.status, request.whole) == ("GET /", "200", True)
    assert (ms(request.connect), ms(request.total)) == (20, 70)


def test_what_looks_like_settings_and_no_preface_follows() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "server", b"\0\0\0\4\0\0\0\0\0")
    tape.say(40, "client", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    tape.say(60, "server", b"HTTP/1.1 204 No Content\r\n\r\n")
    told = [(one.protocol, one.said, one.status) for one in requests_of(tape)]
    assert told == [("", "server: 9 bytes", ""), ("HTTP/1.1", "GET /", "204")]
