"""Makes the capture file of the page on requests: ``python tools/web_capture.py``.

A name is asked for; a connection carries four requests, of which one is slow by its server and one
by a lost segment; another connection is TLS. It is captured at the client, 20 ms from the server. A
test makes the file again and compares.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from dnslib import QTYPE, RR, A, DNSRecord  # noqa: E402
from tapes import Tape  # noqa: E402

PATH = ROOT / "docs" / "captures" / "web.pcap"

CLIENT, RESOLVER = (1, 50_000), (53, 53)
SERVER = "10.0.0.2"


def named(tape: Tape) -> None:
    """The name is asked for, and answered after 24 ms."""
    question = DNSRecord.question("shop.example", "A")
    question.header.id = 7
    reply = question.reply()
    reply.add_answer(RR("shop.example", QTYPE.A, rdata=A(SERVER)))
    tape.tell(0, CLIENT, RESOLVER, bytes(question.pack()))
    tape.tell(24, RESOLVER, CLIENT, bytes(reply.pack()))


def asks(tape: Tape, at: float, request: str, body: bytes = b"") -> int:
    """A request of HTTP/1.1; returns its sequence number."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{request} HTTP/1.1\r\nHost: shop.example\r\n{length}\r\n"
    return tape.say(at, "client", head.encode() + body)


def answers(tape: Tape, at: float, status: str, size: int) -> None:
    """Its answer, in segments of 1,460 bytes."""
    data = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size)
    for number, start in enumerate(range(0, len(data), 1460)):
        tape.say(at + number / 10, "server", data[start : start + 1460])
        tape.put(at + number / 10, "client", 16)


def web(tape: Tape) -> None:
    """Four requests on one connection."""
    tape.open(25)
    asks(tape, 46, "GET /")
    answers(tape, 78, "200 OK", 3_000)
    asks(tape, 90, "GET /report?year=2026")
    answers(tape, 490, "200 OK", 12_000)
    start = len(tape.frames)
    seq = asks(tape, 500, "POST /order", b"apples")
    again = tape.frames[start].data[40:]
    tape.put(720, "client", 24, again, seq=seq)
    answers(tape, 745, "201 Created", 80)
    asks(tape, 760, "GET /logo.png")
    answers(tape, 783, "404 Not Found", 0)
    tape.close(800)
    tape.put(820, "client", 16)


def record(kind: int, data: bytes, version: int = 0x0303) -> bytes:
    """A record of TLS."""
    return struct.pack("!BHH", kind, version, len(data)) + data


def extension(kind: int, data: bytes) -> bytes:
    """An extension of a Hello."""
    return struct.pack("!HH", kind, len(data)) + data


def hello(kind: int, extensions: bytes) -> bytes:
    """A Hello of TLS 1.3 with one cipher suite."""
    suite = b"\0\2\x13\1\1\0" if kind == 1 else b"\x13\1\0"
    body = b"\3\3" + bytes(range(32)) + b"\0" + suite
    body += struct.pack("!H", len(extensions)) + extensions
    return record(22, bytes([kind]) + len(body).to_bytes(3) + body)


def tls(tape: Tape) -> None:
    """A handshake, and one question in it."""
    name = b"pay.example"
    offered = extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name)
    offered += extension(16, b"\0\x0c\2h2\x08http/1.1") + extension(43, b"\2\3\4")
    tape.open(100)
    tape.say(121, "client", hello(1, offered))
    flight = hello(2, extension(43, b"\3\4")) + record(20, b"\1") + record(23, bytes(900))
    tape.say(143, "server", flight)
    tape.say(144, "client", record(20, b"\1") + record(23, bytes(53)))
    tape.say(145, "client", record(23, bytes(120)))
    tape.say(225, "server", record(23, bytes(700)))
    tape.put(225, "client", 16)
    tape.say(226, "client", record(23, bytes(19)))
    tape.close(226)
    tape.put(246, "client", 16)


def capture() -> bytes:
    """The file's bytes."""
    names, first, second = Tape(), Tape(), Tape(port=1)
    named(names)
    web(first)
    tls(second)
    names.frames += first.frames + second.frames
    names.frames.sort(key=lambda frame: frame.time)
    return names.file()


if __name__ == "__main__":
    PATH.write_bytes(capture())
