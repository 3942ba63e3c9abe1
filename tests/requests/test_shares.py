"""Which causes fell into a request, in whatever order intervals and requests come."""

from __future__ import annotations

from msgspec.structs import replace
from tapes import CLIENT, SERVER

from trioecho.account.causes import Certainty
from trioecho.account.spans import Span
from trioecho.requests import Request
from trioecho.requests.request import Moment
from trioecho.requests.shares import MOST_WAITING, Shares


def request(number: int, start: int, end: int) -> Request:
    first, last = Moment(start, start, 1), Moment(end, end, 2)
    return Request(number, 1, CLIENT, SERVER, "", first, first, ended=last, whole=True, costs={})


def span(start: int, end: int, cause: str = "think-time") -> Span:
    return Span(start, end, cause, "server", Certainty.INFERRED, 1, 2)


def test_an_interval_before_the_request_is_known() -> None:
    shares, one = Shares(), request(1, 10, 50)
    assert not list(shares.take(span(0, 30)))
    shares.begin(one)
    assert not list(shares.end(one))
    assert list(shares.take(span(30, 60))) == [one]
    assert one.costs == {("think-time", "server"): 40}


def test_what_an_open_request_was_given_too_much_is_taken_back() -> None:
    shares, one = Shares(), request(1, 10, 20)
    shares.begin(one)
    assert not list(shares.take(span(0, 30)))
    assert not list(shares.take(span(30, 60, "idle")))
    assert list(shares.end(one)) == [one]
    assert one.costs == {("think-time", "server"): 10}


def test_an_asker_that_has_asked_keeps_nobody_waiting() -> None:
    """What it says before the answer, such as a WINDOW_UPDATE, was not waited for."""
    shares, one = Shares(), request(1, 10, 90)
    one.last, one.answered = Moment(20, 20, 1), Moment(70, 70, 2)
    shares.begin(one)
    assert not list(shares.end(one))
    for start, end, cause in ((0, 40, "application"), (40, 80, "think-time")):
        assert not list(shares.take(replace(span(start, end, cause), blamed="client")))
    assert list(shares.take(span(80, 100))) == [one]
    assert one.costs == {
        ("application", "client"): 10,
        ("think-time", "client"): 10,
        ("think-time", "server"): 20 + 30 + 10,
    }


def test_those_that_wait_are_bounded() -> None:
    shares, given = Shares(), list[Request]()
    for number in range(MOST_WAITING + 10):
        one = request(number, 10, 20)
        shares.begin(one)
        given += shares.end(one)
    assert [one.number for one in given] == list(range(10))
    assert len(list(shares.rest())) == MOST_WAITING
