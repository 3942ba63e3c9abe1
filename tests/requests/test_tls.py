"""TLS: the handshake's names and its end, and the turns behind it; OpenSSL writes the records."""

# covers: requests/hello, requests/hidden

from __future__ import annotations

import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from frames import START
from needs import need_tool
from tapes import MS, Tape, ms, requests_of

from trioecho.capture.source import ToldFrames
from trioecho.reading.reading import Reading
from trioecho.requests.hello import Hello, hello_of
from trioecho.requests.notes import Answers, Asks, Noting, Secures


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ``shop``, with its key."""
    path = tmp_path_factory.mktemp("tls") / "shop.pem"
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=shop"
    subprocess.run(
        [need_tool("openssl"), *new.split(), "-keyout", path, "-out", f"{path}.crt"],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


class Talk:
    """Two ends of OpenSSL, whose records go onto a tape of a wire that takes 10 ms each way."""

    def __init__(
        self, key: Path, version: ssl.TLSVersion, name: str | None = "shop", tickets: int = 2
    ) -> None:
        self.tape, self.at = Tape(way=10), 20.0
        self.tape.open()
        theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        theirs.load_cert_chain(key)
        theirs.num_tickets = tickets
        theirs.set_alpn_protocols(["http/1.1"])
        mine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        mine.load_verify_locations(f"{key}.crt")
        mine.check_hostname = False
        mine.maximum_version = version
        mine.set_alpn_protocols(["h2", "http/1.1"])
        self._to = {"client": ssl.MemoryBIO(), "server": ssl.MemoryBIO()}
        self.client = mine.wrap_bio(self._to["client"], self._to["server"], server_hostname=name)
        self.server = theirs.wrap_bio(self._to["server"], self._to["client"], server_side=True)

    def shake(self, tickets_at: float = 65) -> None:
        """The handshake: each flight leaves 5 ms after the other's has come."""
        done: set[ssl.SSLObject] = set()
        while len(done) < 2:
            for end, mine in (("client", self.client), ("server", self.server)):
                try:
                    mine.do_handshake()
                    done.add(mine)
                except ssl.SSLWantReadError:
                    pass
                if len(done) == 2 and end == "server":
                    self.at = max(tickets_at, 65 * (self.client.version() != "TLSv1.3"))
                self.flush(end)

    def flush(self, end: str, later: float = 15) -> None:
        """Put what an end has written onto the tape, and into the other end."""
        other = self._to["server" if end == "client" else "client"]
        data = other.read()
        if data:
            self.tape.say(self.at, end, data)
            self.at += later
            other.write(data)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
def test_the_handshake_and_what_it_hides(key: Path, version: ssl.TLSVersion) -> None:
    talk = Talk(key, version)
    talk.shake()
    asked, talk.at = 200, 200
    talk.client.write(b"GET / HTTP/1.1\r\n\r\n")
    talk.flush("client")
    assert talk.server.read(100).startswith(b"GET")
    talk.server.write(b"x" * 3000)
    talk.at = 250
    talk.flush("server")
    shake, turn = requests_of(talk.tape)
    assert (shake.protocol, shake.said, shake.host) == ("TLS", "ClientHello to shop", "shop")
    newest = version is ssl.TLSVersion.TLSv1_3
    assert (shake.status, shake.tls) == (("1.3", "1.3") if newest else ("1.2", "1.2"))
    assert shake.alpn == (("h2", "http/1.1") if newest else ("http/1.1",))
    # The client's Finished leaves 5 ms after the server's flight has come; up to 1.2 the server
    # answers with its own.
    assert (ms(shake.connect), ms(shake.handshake)) == (20, 30 if newest else 55)
    assert (shake.whole, ms(shake.total)) == (True, 50 if newest else 75)
    assert ms(shake.phases["time_appconnect"]) == ms(shake.total)
    assert (turn.protocol, turn.host, turn.tls) == ("TLS", "shop", shake.tls)
    assert (ms(turn.begin - shake.begin), ms(turn.thought)) == (asked, 40)
    assert turn.received > 3000
    assert (turn.handshake, ms(shake.thought)) == (None, 5)


def test_tickets_that_come_behind_the_question(key: Path) -> None:
    """A client asks with its Finished; the server's tickets leave when both have come."""
    talk = Talk(key, ssl.TLSVersion.TLSv1_3)
    question, answer = shaken(talk)
    talk.tape.say(50.1, "client", question)
    talk.tape.say(100, "server", answer)
    _, turn = requests_of(talk.tape)
    assert (turn.received, ms(turn.thought)) == (100 + 17, 39.9)


def test_a_ticket_that_waits_for_the_ack_of_the_first(key: Path) -> None:
    """Nagle's algorithm holds it back, and it goes out with the answer."""
    talk = Talk(key, ssl.TLSVersion.TLSv1_3, tickets=1)
    question, answer = shaken(talk)
    talk.tape.say(50.1, "client", question)
    ticket = next(one.data for one in talk.tape.frames if one.time == START + int(60.5 * MS))[40:]
    talk.tape.say(100, "server", ticket + answer[:50])
    talk.tape.say(120, "server", answer[50:])
    _, turn = requests_of(talk.tape)
    assert (turn.received, ms(turn.thought), ms(turn.after)) == (100 + 17, 39.9, 79.9)


def test_an_answer_as_long_as_a_ticket(key: Path) -> None:
    talk = Talk(key, ssl.TLSVersion.TLSv1_3, tickets=1)
    question, _ = shaken(talk)
    talk.tape.say(50.1, "client", question)
    ticket = next(one.data for one in talk.tape.frames if one.time == START + int(60.5 * MS))[40:]
    talk.tape.say(100, "server", ticket)
    _, turn = requests_of(talk.tape)
    assert (turn.received, ms(turn.thought)) == (len(ticket) - 5, 39.9)


def test_a_record_can_be_read_once_all_of_it_has_come(key: Path) -> None:
    talk = Talk(key, ssl.TLSVersion.TLSv1_3, tickets=0)
    question, answer = shaken(talk)
    talk.tape.say(50.1, "client", question)
    talk.tape.say(100, "server", answer[:50])
    talk.tape.say(120, "server", answer[50:])
    _, turn = requests_of(talk.tape)
    assert (ms(turn.thought), ms(turn.after), ms(turn.transfer)) == (39.9, 79.9, 0)


def test_an_answer_at_once_is_no_ticket(key: Path) -> None:
    """Nothing else comes before the client speaks again."""
    talk = Talk(key, ssl.TLSVersion.TLSv1_3, tickets=0)
    question, answer = shaken(talk)
    talk.tape.say(50.1, "client", question)
    talk.tape.say(61, "server", answer)
    talk.tape.say(90, "client", question)
    first, second = requests_of(talk.tape)[1:]
    assert (first.received, ms(first.thought), first.whole) == (100 + 17, 0.9, True)
    assert second.received == 0


def shaken(talk: Talk) -> tuple[bytes, bytes]:
    """Performs a handshake, and gives a question and an answer in it; its end leaves at 50 ms."""
    talk.shake(tickets_at=60.5)
    with suppress(ssl.SSLWantReadError):
        talk.client.read(1)  # the tickets
    talk.client.write(b"question")
    question = talk._to["server"].read()
    talk._to["server"].write(question)
    assert talk.server.read(20) == b"question"
    talk.server.write(b"x" * 100)
    return question, talk._to["client"].read()


def test_the_notes_on_the_ladder(key: Path) -> None:
    talk = Talk(key, ssl.TLSVersion.TLSv1_3)
    talk.shake()
    reading = Reading()
    rungs = Noting().of([*reading.rungs(ToldFrames(talk.tape.frames)), *reading.rest()])
    notes = [(note, rung) for rung in rungs for note in rung.notes]
    said = [note.text(rung) for note, rung in notes if isinstance(note, Asks | Answers | Secures)]
    assert said == [
        "ClientHello to shop, offers h2 and http/1.1",
        "ServerHello: TLS 1.3, first byte after 25 ms: 5.0 ms the server, 20 ms the path",
        "the TLS 1.3 handshake is over; it took 30 ms",
    ]
    sources = {note.source for note, _ in notes if isinstance(note, Asks | Answers | Secures)}
    assert sources == {"RFC 8446 §4.1", "RFC 8446 §4.4.4"}


def test_an_alert_at_the_end_is_no_turn(key: Path) -> None:
    """Of TLS 1.3 only its length tells it from data; a record of that length may be data, too."""
    talk = Talk(key, ssl.TLSVersion.TLSv1_3, tickets=0)
    talk.shake()
    for at, end, mine, theirs in (
        (200, "client", talk.client, talk.server),
        (250, "server", talk.server, talk.client),
        (300, "client", talk.client, talk.server),
    ):
        talk.at = at
        mine.write(b"hi")
        talk.flush(end)
        assert theirs.read(10) == b"hi"
    _, turn = requests_of(talk.tape)
    assert (turn.sent, turn.received, turn.whole) == (19, 19, True)


def test_a_handshake_that_fails(key: Path) -> None:
    hello = Talk(key, ssl.TLSVersion.TLSv1_3)
    with pytest.raises(ssl.SSLWantReadError):
        hello.client.do_handshake()
    hello.flush("client")
    hello.tape.say(60, "server", b"\x15\3\3\0\2\2\x28")
    hello.tape.close(70, "server")
    (shake,) = requests_of(hello.tape)
    assert shake.status == "alert of the server: handshake_failure"
    assert (shake.whole, shake.handshake, ms(shake.thought)) == (False, None, 30)


def test_a_hello_in_pieces_and_without_a_name(key: Path) -> None:
    talk = Talk(key, ssl.TLSVersion.TLSv1_3, name=None)
    with pytest.raises(ssl.SSLWantReadError):
        talk.client.do_handshake()
    data = talk._to["server"].read()
    for at in range(0, len(data), 100):
        talk.tape.say(20 + at / 100, "client", data[at : at + 100])
    (shake,) = requests_of(talk.tape)
    assert (shake.said, shake.alpn, shake.sent) == (
        "ClientHello",
        ("h2", "http/1.1"),
        len(data) - 5,
    )


def test_a_hello_in_several_records(key: Path) -> None:
    talk = Talk(key, ssl.TLSVersion.TLSv1_3)
    with pytest.raises(ssl.SSLWantReadError):
        talk.client.do_handshake()
    hello = talk._to["server"].read()[5:]
    for part in (hello[:50], hello[50:]):
        talk.tape.say(20, "client", b"\x16\3\1" + len(part).to_bytes(2) + part)
    (shake,) = requests_of(talk.tape)
    assert shake.said == "ClientHello to shop"


def test_what_breaks_the_rules_is_a_turn() -> None:
    tape = Tape()
    tape.open()
    tape.say(20, "client", b"\x16\3\1\0\x04\1\0\0\0")
    tape.say(60, "server", b"what?")
    shake, turn = requests_of(tape)
    assert (shake.protocol, shake.whole) == ("TLS", False)
    assert (turn.protocol, turn.said, turn.received) == ("", "client: 9 bytes", 5)


@pytest.mark.parametrize(
    ("message", "hello"),
    [
        (b"", None),
        (b"\1\0\0\2\3\3", None),
        (b"\x0e\0\0\0", None),
        (b"\2\0\0\x28\3\3" + bytes(32) + b"\0\x13\1\0", Hello("1.2")),
        (
            b"\2\0\0\x30\3\3" + bytes(32) + b"\0\x13\1\0\0\6\0\x2b\0\2\3\4",
            Hello("1.3"),
        ),
        (b"\2\0\0\x30\3\3" + bytes(32) + b"\0\x13\1\0\0\6\0\x2b\0\2\x7f\x1c", Hello("0x7f1c")),
        (
            b"\2\0\0\x28\3\3"
            + bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
            + b"\0\x13\1\0",
            Hello("1.2", retry=True),
        ),
        # an extension that runs past the end, and a name that is none
        (
            b"\1\0\0\x40\3\3"
            + bytes(32)
            + b"\0\0\2\x13\1\1\0\0\x0b\0\0\0\7\0\5\1\0\2ab\0\x10\xff\xff",
            Hello("1.2"),
        ),
    ],
)
def test_the_fields_of_a_hello(message: bytes, hello: Hello | None) -> None:
    assert hello_of(message) == hello
