"""DNS: the questions, and which of them came before a connection."""

from __future__ import annotations

import sys

import pytest
from dnslib import AAAA, CNAME, QTYPE, RCODE, RD, RR, A, DNSRecord
from hypothesis import given, settings
from hypothesis import strategies as st
from tapes import Tape, ms, requests_of

from trioecho.requests import dns

CLIENT, RESOLVER = (1, 5000), (53, 53)
GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"


def ask(tape: Tape, at: float, name: str = "shop", kind: str = "A", number: int = 1) -> DNSRecord:
    """A question."""
    question = DNSRecord.question(name, kind)
    question.header.id = number
    tape.tell(at, CLIENT, RESOLVER, bytes(question.pack()))
    return question


def answer(tape: Tape, at: float, question: DNSRecord, *records: RR, code: str = "NOERROR") -> None:
    """Its answer."""
    reply = question.reply()
    reply.header.rcode = getattr(RCODE, code)
    reply.add_answer(*records)
    tape.tell(at, RESOLVER, CLIENT, bytes(reply.pack()))


def address(name: str = "shop", ip: str = "10.0.0.2") -> RR:
    return RR(name, QTYPE.A, rdata=A(ip))


def fetch(tape: Tape, at: float) -> None:
    """A connection with a request."""
    tape.open(at)
    tape.say(at + 20, "client", GET)
    tape.say(at + 50, "server", b"HTTP/1.1 204 No Content\r\n\r\n")


def test_the_question_before_a_connection() -> None:
    tape = Tape()
    answer(tape, 12, ask(tape, 0), address())
    fetch(tape, 15)
    question, request = requests_of(tape)
    assert (question.protocol, question.said, question.status) == ("DNS", "A shop", "NOERROR")
    assert (question.connection, question.whole, ms(question.total)) == (None, True, 12)
    assert (ms(request.lookup), ms(request.connect), ms(request.total)) == (12, 20, 65)
    assert {name: ms(time) for name, time in request.phases.items()} == {
        "time_namelookup": 12,
        "time_connect": 35,
        "time_appconnect": 0,
        "time_pretransfer": 35,
        "time_starttransfer": 65,
        "time_total": 65,
    }


def test_both_addresses_and_an_alias() -> None:
    """A client asks for both at once, and waits for the later one; the first has the address."""
    tape = Tape()
    one, other = ask(tape, 0), ask(tape, 1, kind="AAAA", number=2)
    alias = RR("shop", QTYPE.CNAME, rdata=CNAME("web"))
    answer(tape, 10, one, alias, address("web"))
    answer(tape, 14, other, RR("web", QTYPE.AAAA, rdata=AAAA("fd00::2")))
    fetch(tape, 15)
    first, second, request = requests_of(tape)
    assert [first.said, second.said] == ["A shop", "AAAA shop"]
    assert ms(request.lookup) == 14


@pytest.mark.parametrize(
    ("at", "named"),
    [(20, "10.0.0.2"), (3000, "10.0.0.2"), (20, "10.0.0.9")],
    ids=["in time", "long after", "another address"],
)
def test_which_connection_follows(at: float, named: str) -> None:
    tape = Tape()
    answer(tape, 12, ask(tape, 0), address(ip=named))
    fetch(tape, at)
    request = requests_of(tape)[-1]
    assert (request.lookup is not None) == (at == 20 and named == "10.0.0.2")


def test_an_answer_that_comes_later_names_no_connection() -> None:
    tape = Tape()
    question = ask(tape, 0)
    fetch(tape, 5)
    answer(tape, 200, question, address())
    assert [one.lookup for one in requests_of(tape)[1:]] == [None]


def test_only_the_first_connection_has_waited() -> None:
    tape, other = Tape(), Tape(port=1)
    answer(tape, 12, ask(tape, 0), address())
    fetch(tape, 15)
    fetch(other, 100)
    assert [ms(one.lookup) for one in requests_of(tape, other)[1:]] == [12, None]


def test_no_such_name_and_no_answer() -> None:
    tape = Tape()
    answer(tape, 12, ask(tape, 0, "nix"), code="NXDOMAIN")
    ask(tape, 20, "gone", number=2)
    ask(tape, 5020, "gone", number=2)
    first, second = requests_of(tape)
    assert (first.said, first.status) == ("A nix", "NXDOMAIN")
    assert (second.said, second.status, second.whole, second.total) == ("A gone", "", False, None)


def test_an_identification_that_is_used_again() -> None:
    tape = Tape()
    ask(tape, 0, "gone")
    answer(tape, 112, ask(tape, 100), address())
    first, second = requests_of(tape)
    assert (first.said, first.whole) == ("A gone", False)
    assert (second.said, ms(second.total)) == ("A shop", 12)


def test_a_record_whose_text_dnslib_refuses_to_make() -> None:
    tape = Tape()
    place = RR("shop", QTYPE.LOC, rdata=RD(b"\0\xff" + bytes(14)))
    answer(tape, 12, ask(tape, 0), place, address())
    fetch(tape, 15)
    assert ms(requests_of(tape)[1].lookup) == 12


def test_questions_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "MOST_REMEMBERED", 3)
    tape = Tape()
    for number in range(10):
        answer(tape, number, ask(tape, number, f"a{number}", number=number), address(ip="10.0.0.7"))
        ask(tape, number, f"b{number}", number=100 + number)
    given_back = requests_of(tape)
    assert len(given_back) == 20
    assert sum(one.whole for one in given_back) == 10


def test_without_dnslib_there_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape()
    answer(tape, 12, ask(tape, 0), address())
    monkeypatch.setitem(sys.modules, "dnslib", None)
    assert requests_of(tape, missing={"DNS"}) == []


def test_other_datagrams_need_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape()
    tape.tell(0, (1, 4000), (2, 4001), b"hello")
    monkeypatch.setitem(sys.modules, "dnslib", None)
    assert requests_of(tape) == []


QUESTION = bytes(DNSRecord.question("shop").pack())
REPLY = bytes(DNSRecord.parse(QUESTION).reply().pack())


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_any_bytes(data: st.DataObject) -> None:
    """Questions and answers, changed, and what is neither."""
    tape = Tape()
    whole = data.draw(st.sampled_from([REPLY, QUESTION, b""]))
    for at in range(data.draw(st.integers(0, 5))):
        message = bytearray(bytes(whole) + data.draw(st.binary(max_size=60)))
        for _ in range(data.draw(st.integers(0, 6))):
            if message:
                message[data.draw(st.integers(0, len(message) - 1))] = data.draw(
                    st.integers(0, 255)
                )
        ends = (CLIENT, RESOLVER) if data.draw(st.booleans()) else (RESOLVER, CLIENT)
        tape.tell(at, *ends, bytes(message))
    requests_of(tape)
