"""What a rung asks or answers, as notes on a ladder."""

# covers: requests/finder

from __future__ import annotations

import sys

import pytest
from tapes import Tape

from trioecho.capture.source import ToldFrames
from trioecho.model import Fact
from trioecho.reading.reading import Reading
from trioecho.requests.notes import Answers, Asks, Noting, Secures
from trioecho.tcp.glossary import WORDS

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def told(tape: Tape, noting: Noting | None = None) -> list[tuple[int, str, str]]:
    """The rungs with a note on a request: the rung, the note's kind, and what it says."""
    reading, noting = Reading(), noting or Noting()
    wire = any(one.way for one in tape.frames)
    rungs = reading.rungs(ToldFrames(tape.frames) if wire else tape.frames)
    return [
        (rung.number, note.kind, note.text(rung))
        for rung in noting.of([*rungs, *reading.rest()])
        for note in rung.notes
        if isinstance(note, Asks | Answers | Secures)
    ]


def test_a_request_and_its_answer() -> None:
    tape = Tape(way=1)
    tape.open()
    tape.say(20, "client", GET)
    tape.say(60, "server", OK)
    assert told(tape) == [
        (4, "request", "GET /a"),
        (5, "answer", "200, first byte after 41 ms: 39 ms the server, 2.0 ms the path"),
    ]


def test_the_rung_that_makes_it_known() -> None:
    """A header in two segments is known with the second."""
    tape = Tape(way=1)
    tape.open()
    tape.say(20, "client", GET[:10])
    tape.say(21, "client", GET[10:])
    tape.say(60, "server", OK[:10])
    tape.say(70, "server", OK[10:])
    assert [number for number, *_ in told(tape)] == [5, 7]


def test_two_in_one_segment_and_the_queue() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(20, "client", GET + GET.replace(b"/a", b"/b"))
    tape.say(60, "server", OK)
    tape.say(90, "server", OK)
    assert told(tape)[1:] == [
        (4, "request", "GET /b"),
        (5, "answer", "200, first byte after 50 ms: 30 ms the server, 20 ms the path"),
        (
            6,
            "answer",
            "200, first byte after 80 ms: 30 ms behind the answer before, 30 ms the server, 20 ms"
            " the path",
        ),
    ]


def test_turns_are_told_with_their_answer() -> None:
    tape = Tape(way=10)
    tape.open()
    tape.say(30, "server", b"220 mail\r\n")
    tape.say(90, "client", b"EHLO a\r\n")
    tape.say(110, "server", b"250 a\r\n")
    assert [text for *_, text in told(tape)] == [
        "answer to 10 bytes, first byte after 70 ms: 50 ms the client, 20 ms the path",
        "answer to 8 bytes, first byte after 30 ms: 10 ms the server, 20 ms the path",
    ]


@pytest.mark.parametrize("note", [Asks, Answers, Secures])
def test_each_kind_is_explained(note: type[Fact]) -> None:
    assert str(note.__struct_config__.tag) in WORDS


def test_no_control_character_comes_through() -> None:
    tape = Tape()
    tape.open()
    (rung, *_) = Reading().rungs(tape.frames)
    assert Asks(1, "HTTP/2", "GET /\x1b[2J", ("\u202eh2",)).text(rung).isprintable()
    assert Answers(1, "HTTP/2", "\x9b200", 1, 1, 1, 1, "server").text(rung).isprintable()


def test_without_the_package_there_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h11", None)
    noting, tape = Noting(), Tape()
    tape.open()
    tape.say(20, "client", GET)
    told(tape, noting)
    assert [sentence.split(",")[0] for sentence in noting.advice()] == ["there is HTTP/1"]
