"""TLS records in a payload: by their headers alone, and never by what merely looks like one."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.packet.records import Record, records, told

CHANGE = bytes.fromhex("140303000101")


def record(kind: int, body: bytes, minor: int = 3) -> bytes:
    return bytes((kind, 3, minor)) + len(body).to_bytes(2) + body


def message(kind: int, size: int = 10) -> bytes:
    return bytes((kind,)) + size.to_bytes(3) + bytes(size)


HELLO = record(22, message(1, 200), minor=1)
HIDDEN = record(23, bytes(53))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (HELLO, "TLS: ClientHello"),
        (
            record(22, message(2)) + CHANGE + HIDDEN * 4,
            "TLS: ServerHello, ChangeCipherSpec, 4 encrypted records",
        ),
        (HIDDEN, "TLS: encrypted record"),
        (
            HIDDEN * 2 + HIDDEN[:20],
            "TLS: 2 encrypted records, 20 of 58 bytes of an encrypted record",
        ),
        (HELLO[:100], "TLS: 100 of 209 bytes of a ClientHello"),
        (HELLO[:5], "TLS: 5 of 209 bytes of a handshake record"),
        (HIDDEN + HELLO[:4], "TLS: encrypted record"),
        (
            record(22, message(2) + message(11) + message(14)),
            "TLS: ServerHello + Certificate + ServerHelloDone",
        ),
        (record(21, b"\x01\x00"), "TLS: alert close_notify"),
        (record(21, b"\x02\x2a"), "TLS: alert bad_certificate"),
        (record(21, b"\x02\x63"), "TLS: alert 99"),
        (record(21, bytes(26)), "TLS: encrypted record"),
        # TLS 1.2: the Finished behind a ChangeCipherSpec is encrypted, and its type is not read.
        (
            CHANGE + record(22, b"\x01\x00\x00\x1c" + bytes(36)),
            "TLS: ChangeCipherSpec, encrypted record",
        ),
        (record(22, b"\xee" * 40), "TLS: handshake record"),
    ],
)
def test_what_a_payload_holds(payload: bytes, words: str) -> None:
    assert told(records(payload)) == words


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x16\x03\x01",  # the header is cut
        b"GET / HTTP/1.1\r\n",
        HELLO[1:],  # from the middle of one
        b"\x16\x02\x01" + HELLO[3:],
        b"\x16\x03\x05" + HELLO[3:],
        record(22, b""),
        record(23, bytes(16384 + 2049)),
        record(20, b"\x01\x01"),
        record(19, bytes(8)),
        record(22, message(1)) + b"and then something else",
    ],
)
def test_what_is_no_record(payload: bytes) -> None:
    assert records(payload) == []


def test_thousands_are_a_few_words() -> None:
    words = told(records(CHANGE * 10_000))
    assert words == f"TLS: {'ChangeCipherSpec, ' * 8}9,992 more"
    words = told(records(record(22, bytes(4) * 4_000)))
    assert words == f"TLS: {' + '.join(['HelloRequest'] * 8)}"


def test_how_much_of_each() -> None:
    assert records(HELLO + HIDDEN[:7]) == [
        Record("ClientHello", 209, 209),
        Record("encrypted record", 58, 7),
    ]


@given(st.binary(max_size=200), st.sampled_from([b"", HELLO[:3], HIDDEN[:4], CHANGE]))
def test_any_bytes(data: bytes, head: bytes) -> None:
    found = records(head + data)
    assert sum(one.held for one in found) <= len(head + data)
    assert told(found).isprintable()


def test_what_this_openssl_sends() -> None:
    """A ClientHello of its own choice, in as many segments as one likes."""
    written = ssl.MemoryBIO()
    context = ssl.create_default_context()
    tls = context.wrap_bio(ssl.MemoryBIO(), written, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = written.read()
    assert records(hello) == [Record("ClientHello", len(hello), len(hello))]
    assert records(hello[:100])[0].size == len(hello)
    assert records(hello[100:]) == []
