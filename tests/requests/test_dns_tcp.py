"""DNS over TCP: each question with its answer, whatever their order."""

from __future__ import annotations

import sys

import dnslib
import pytest
from tapes import Tape, ms, requests_of


def question(number: int, name: str = "shop.example", kind: str = "A") -> dnslib.DNSRecord:
    asked = dnslib.DNSRecord.question(name, kind)
    asked.header.id = number
    return asked


def packed(*records: dnslib.DNSRecord) -> bytes:
    return b"".join(len(data).to_bytes(2) + data for data in (one.pack() for one in records))


def answer(asked: dnslib.DNSRecord, count: int = 1) -> dnslib.DNSRecord:
    told = asked.reply()
    for at in range(count):
        told.add_answer(dnslib.RR(asked.q.qname, rdata=dnslib.A(f"10.0.0.{at + 2}"), ttl=60))
    return told


def talk() -> Tape:
    tape = Tape(way=10, server=53)
    tape.open()
    return tape


def test_answers_in_another_order_and_in_pieces() -> None:
    tape, first, second = talk(), question(1), question(2, "other.example", "AAAA")
    tape.say(20, "client", packed(first, second))
    data = packed(answer(second, 40), answer(first))
    tape.say(50, "server", data[:1])
    tape.say(60, "server", data[1:500])
    tape.say(90, "server", data[500:])
    one, two = requests_of(tape)
    assert [(each.protocol, each.said, each.status) for each in (one, two)] == [
        ("DNS", "A shop.example", "NOERROR"),
        ("DNS", "AAAA other.example", "NOERROR"),
    ]
    assert (one.whole, ms(one.thought), ms(one.transfer)) == (True, 60, 0)
    assert (two.whole, ms(two.thought), ms(two.transfer)) == (True, 20, 40)
    assert one.received + two.received == len(data)


def test_a_zone_comes_in_many_messages() -> None:
    tape, asked = talk(), question(7, "shop.example", "AXFR")
    tape.say(20, "client", packed(asked))
    for at in (50, 60, 70):
        tape.say(at, "server", packed(answer(asked, 9)))
    tape.close(90)
    (one,) = requests_of(tape)
    assert (one.said, one.whole, ms(one.transfer)) == ("AXFR shop.example", True, 20)


def test_a_name_that_is_not_there_and_a_question_without_an_answer() -> None:
    tape, asked = talk(), question(1)
    refused = asked.reply()
    refused.header.rcode = dnslib.RCODE.NXDOMAIN
    tape.say(20, "client", packed(asked))
    tape.say(40, "server", packed(refused))
    tape.say(60, "client", packed(question(2, "silent.example")))
    one, two = requests_of(tape)
    assert (one.status, one.whole) == ("NXDOMAIN", True)
    assert (two.said, two.status, two.whole) == ("A silent.example", "", False)


@pytest.mark.parametrize("data", [b"\xff" * 40, b"\0\x0c" + bytes(12), b"GET / HTTP/1.1\r\n\r\n"])
def test_other_bytes_to_that_port_are_turns(data: bytes) -> None:
    tape = talk()
    tape.say(20, "client", data)
    tape.say(40, "server", b"what?")
    (one,) = requests_of(tape)
    assert (one.protocol, one.said) == ("", f"client: {len(data)} bytes")


def test_an_answer_that_is_none_ends_what_can_be_read() -> None:
    tape = talk()
    tape.say(20, "client", packed(question(0x6261)))
    tape.say(40, "server", b"\0\4ab\0\0" + b"rubbish")
    one, *_ = requests_of(tape)
    assert (one.said, one.whole) == ("A shop.example", False)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dnslib", None)
    tape = talk()
    tape.say(20, "client", packed(question(1)))
    tape.say(40, "server", packed(answer(question(1))))
    (one,) = requests_of(tape, missing={"DNS"})
    assert (one.protocol, one.whole) == ("", True)
