"""Whatever two ends send, each request is given once, and its times make sense."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tapes import Tape, requests_of

from trioecho.requests.flow import MOST_MISSING

HELLO = bytes.fromhex("16030100310100002d0303") + bytes(32) + b"\0\0\2\x13\1\1\0\0\2\0\0"
PIECES = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 101 Switching\r\nUpgrade: b\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\0\0\6\4\0\0\0\0\0\0\1\xff\xff\xff\xff",
    b"\0\0\3\1\5\0\0\0\1\x82\x86\x84",
    b"\0\0\1\1\5\0\0\0\1\x88",
    b"\0\0\5\0\1\0\0\0\1hello",
    b"\0\0\4\3\0\0\0\0\1\0\0\0\0",
    HELLO,
    b"\x14\3\3\0\1\1",
    b"\x15\3\3\0\2\2\x28",
    b"\x17\3\3\0\5hello",
    b"0\r\n\r\n",
]
said = st.tuples(
    st.sampled_from(("client", "server")),
    st.one_of(st.sampled_from(PIECES), st.binary(max_size=80)),
    st.integers(0, 30),  # bytes that are cut off
    st.integers(0, 50),  # milliseconds
    st.sampled_from(("seen", "seen", "seen", "missed", "cut")),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(said, max_size=20),
    st.sampled_from((None, 10.0)),
    st.sampled_from(("fin", "rst", "open")),
    st.integers(1, 30),
)
def test_any_talk(
    talk: Sequence[tuple[str, bytes, int, int, str]], way: float | None, ending: str, batch: int
) -> None:
    tape, at = Tape(way), 40.0
    tape.open()
    for end, data, less, later, seen in talk:
        at += later
        tape.say(at, end, data[: len(data) - less], lost=way is not None and seen == "missed")
        last = tape.frames[-1]
        if way is None and seen == "missed":
            tape.frames.pop()
        elif seen == "cut":
            short = type(last)(last.number, last.time, last.data[:50], last.link, last.length)
            tape.frames[-1] = short
    if ending == "fin":
        tape.close(at + 5)
    elif ending == "rst":
        tape.reset(at + 5, "server")
    requests = requests_of(tape, batch=batch)
    assert [one.number for one in requests] == list(range(1, len(requests) + 1))
    for one in requests:
        times = [one.queue, one.thought, one.after, one.path, one.transfer, one.total, one.connect]
        assert all(time is None or time >= 0 for time in times)
        assert all(time > 0 for time in one.costs.values())
        begun, over = one.seen
        assert sum(one.costs.values()) <= over - begun


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6), st.integers(0, 1 << 30))
def test_a_gap_of_any_size(talk: list[bytes], gap: int) -> None:
    tape = Tape()
    tape.open()
    tape.say(40, "client", PIECES[0])
    tape.say(60, "server", b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n")
    tape.next["server"] = (tape.next["server"] + gap) % (1 << 32)
    for data in talk:
        tape.say(70, "server", data)
    tape.say(80, "client", PIECES[0])
    requests = requests_of(tape)
    assert requests[0].status == "200"
    assert requests[0].received <= MOST_MISSING + 1000
