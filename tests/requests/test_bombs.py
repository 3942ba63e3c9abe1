"""What is made to cost much: it is bounded, in what is kept and in what it takes."""

from __future__ import annotations

import tracemalloc
from importlib import import_module

import pytest
from tapes import Tape, requests_of

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HELLO = bytes.fromhex("16030100310100002d0303") + bytes(32) + b"\0\0\2\x13\1\1\0\0\2\0\0"
SIZE = 200_000  # bytes of a bomb
MOST = 12 << 20  # bytes that reading one may take at a time, with its segments


def frame(kind: int, flags: int, stream: int, data: bytes = b"") -> bytes:
    return len(data).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + data


def many(piece: bytes) -> bytes:
    return piece * (SIZE // len(piece))


def dns(name: bytes, records: bytes = b"", count: int = 0) -> bytes:
    answers = count.to_bytes(2)
    return b"ab\x81\x80\0\1" + answers + bytes(4) + name + b"\0\1\0\1" + records


# A table of one entry of 4,000 bytes, and blocks that say it 16,000 times.
ENTRY = frame(1, 5, 1, b"\x82\x86\x84\x40\x01a\x7f\xa1\x1e" + b"b" * 4_000)
HEADERS = b"".join(b"X-%d: y\r\n" % number for number in range(SIZE // 12))
LONG_NAME = many(b"\1a") + b"\0"

BOMBS = {
    "headers that a client sends": (b"GET / HTTP/1.1\r\n" + HEADERS, b""),
    "headers that a server sends": (GET, b"HTTP/1.1 200 OK\r\n" + HEADERS),
    "a request line without end": (b"GET /" + many(b"y"), b""),
    "a chunk's extensions": (GET, CHUNKED + b"5;" + many(b"x")),
    "extensions of each chunk": (GET, CHUNKED + many(b"1;" + b"e" * 60 + b"\r\nx\r\n")),
    "trailers without end": (GET, CHUNKED + b"0\r\n" + many(b"X: y\r\n")),
    "100 Continue without end": (GET, many(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "requests without answers": (many(GET), b""),
    "a length of 20 digits": (
        GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ),
    "empty CONTINUATIONs": (PREFACE + frame(1, 0, 1, b"\x82") + many(frame(9, 0, 1)), b""),
    "CONTINUATIONs": (PREFACE + frame(1, 0, 1, b"\x82") + many(frame(9, 0, 1, b"\x82" * 99)), b""),
    "a table said again and again": (
        PREFACE + ENTRY + many(frame(1, 5, 3, b"\x82\x86\x84" + b"\xbe" * 16_000)),
        b"",
    ),
    "a table of 4 GB": (PREFACE + ENTRY, frame(4, 0, 0, b"\0\1\xff\xff\xff\xff") + many(ENTRY)),
    "changes of a table's size": (PREFACE + many(frame(1, 5, 1, b"\x20" * 5_000 + b"\x82")), b""),
    "settings": (PREFACE + many(frame(4, 0, 0, b"\0\1\0\0\0\0" * 10_000)), b""),
    "streams that are opened and reset": (
        PREFACE
        + b"".join(
            frame(1, 5, number, b"\x82\x86\x84") + frame(3, 0, number, bytes(4))
            for number in range(1, 6_000, 2)
        ),
        b"",
    ),
    "streams without end": (
        PREFACE
        + b"".join(frame(1, 4, number, b"\x82\x86\x84") for number in range(1, SIZE // 6, 2)),
        b"",
    ),
    "DATA of 2 ** 24 bytes": (PREFACE + b"\xff\xff\xff\0\0\0\0\0\1" + many(b"x"), b""),
    "an unknown frame of 2 ** 24 bytes": (
        PREFACE + b"\xff\xff\xff\xee\0\0\0\0\1" + many(b"x"),
        b"",
    ),
    "a TLS record of 2 ** 16 bytes": (b"\x16\3\1\xff\xff\1" + many(b"x"), b""),
    "a ClientHello of 2 ** 24 bytes": (
        b"\x16\3\1\x40\0\1\xff\xff\xff" + b"x" * 16_380 + many(b"\x16\3\1\x40\0" + b"x" * 16_384),
        b"",
    ),
    "TLS records without data": (HELLO + many(b"\x17\3\3\0\0"), b""),
    "TLS alerts": (HELLO, many(b"\x15\3\3\0\2\1\0")),
    "TLS records of a byte": (HELLO, many(b"\x17\3\3\0\1x")),
}


def taken(tape: Tape) -> int:
    """Bytes of memory that it takes to read a tape, at its greatest."""
    for name in ("h11", "hpack", "hyperframe.frame", "dnslib"):
        import_module(name)  # which takes memory, too
    tracemalloc.start()
    try:
        found = requests_of(tape)
        for one in found:
            assert len(one.what) <= 3_000
            assert len(one.status) <= 3_000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", BOMBS)
def test_memory_is_bounded(name: str) -> None:
    tape = Tape(way=1)
    tape.open()
    at = 10.0
    for end, data in zip(("client", "server"), BOMBS[name], strict=True):
        for start in range(0, len(data), 1_400):
            at += 0.5
            tape.say(at, end, data[start : start + 1_400])
    assert taken(tape) < MOST


@pytest.mark.parametrize(
    "message",
    [
        dns(LONG_NAME[:60_000] + b"\0"),
        dns(b"\1a\0", (b"\xc0\x0c\0\1\0\1" + bytes(4) + b"\0\4\1\2\3\4") * 4_000, 0xFFFF),
        # Records whose names point to a long one, in the first of them.
        dns(
            b"\1a\0",
            b"\0\0\x10\0\1" + bytes(4) + (30_000).to_bytes(2) + LONG_NAME[:29_999] + b"\0"
            + (b"\xc0\x1e\0\1\0\1" + bytes(4) + b"\0\4\1\2\3\4") * 2_000,
            2_001,
        ),
        dns(b"\xc0\x0c"),
        dns(b"\xff" * 300),
    ],
    ids=["a long name", "many records", "pointers to a long name", "a loop", "no name"],
)  # fmt: skip
def test_a_datagram_takes_as_long_as_it_is(message: bytes) -> None:
    """dnslib alone would take minutes for some of these."""
    tape = Tape()
    tape.open()
    for at in range(20):
        tape.tell(2 * at, (1, 5353), (2, 53), b"ab\1\0\0\1" + bytes(6) + b"\1a\0\0\1\0\1")
        tape.tell(2 * at + 1, (2, 53), (1, 5353), message[:65_000])
    assert taken(tape) < MOST
