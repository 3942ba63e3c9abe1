"""``read --requests`` and ``run --requests``: requests on the ladder, and a real client's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from needs import need_tool, need_wires
from programs import trioecho
from running import python, run
from tapes import Tape

SERVER = Path(__file__).parents[2] / "bench" / "request_server.py"


@pytest.fixture
def capture(tmp_path: Path) -> str:
    tape, path = Tape(), tmp_path / "one.pcap"
    tape.open()
    tape.say(20, "client", b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n")
    tape.say(80, "server", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    path.write_bytes(tape.file())
    return str(path)


def test_a_ladder_says_what_is_asked(capture: str) -> None:
    said = " ".join(trioecho("read", capture, "--requests").stdout.decode().split())
    assert "GET /a 80.000" in said
    assert "200, first byte after 60 ms: 40 ms the server, 20 ms the path" in said
    plain = trioecho("read", capture).stdout.decode()
    assert "first byte" not in plain


def test_json_has_the_figures(capture: str) -> None:
    lines = trioecho("read", capture, "--requests", "--format", "json").stdout.splitlines()
    notes = [note for line in map(json.loads, lines) for note in line.get("notes", ())]
    (asked,) = (note for note in notes if note["kind"] == "request")
    (answered,) = (note for note in notes if note["kind"] == "answer")
    assert (asked["said"], asked["protocol"], asked["text"]) == ("GET /a", "HTTP/1.1", "GET /a")
    assert (answered["status"], answered["thought"], answered["path"]) == (
        "200",
        40_000_000,
        20_000_000,
    )


def test_not_with_follow(capture: str) -> None:
    done = trioecho("read", capture, "--requests", "--follow", "1")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--follow shows bytes" in done.stderr


@pytest.mark.parametrize(
    ("protocol", "option", "named"),
    [
        ("http1", "--http1.1", "HTTP/1.1"),
        ("http2", "--http2-prior-knowledge", "HTTP/2"),
        ("h2c", "--http2", "HTTP/2"),
    ],
)
def test_what_curl_asks(tmp_path: Path, protocol: str, option: str, named: str) -> None:
    need_wires()
    record = tmp_path / "run.pcapng"
    url = "http://10.0.0.2:8000"
    done = trioecho(
        *("run", "--requests", "--fault", "delay 5ms", "-o", str(record), "--server"),
        f"{sys.executable} {SERVER} {protocol} 8000",
        "--client",
        f"{need_tool('curl')} -sS -o {tmp_path}/a {option} {url}/20/30000",
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.decode().split())
    assert "GET /20/30000" in said
    assert "first byte after" in said
    (request,) = map(json.loads, why(str(record)))
    assert (request["protocol"], request["request"]) == (named, "GET /20/30000")
    assert (request["status"], request["whole"]) == ("200", True)
    assert request["received"] >= 30_000
    times = request["times"]
    parts = ("connect", "queue", "server", "path", "transfer")
    assert all(times[name] is not None for name in parts)
    assert times["server"] >= 0.02  # it slept, and no sleep is too short
    assert times["connect"] >= 0.01  # twice the delay
    phases = list(request["phases"].values())
    assert phases[1] <= phases[3] <= phases[4] <= phases[5]
    assert sum(one["time"] for one in request["causes"]) == pytest.approx(times["total"])


NAMES = """
from dnslib import A, RR
from dnslib.server import DNSServer
import time

class Zone:
    def resolve(self, request, handler):
        time.sleep(0.05)
        answer = request.reply()
        answer.add_answer(RR(request.q.qname, rdata=A("10.0.0.9"), ttl=60))
        return answer

print("ready", flush=True)
DNSServer(Zone(), port=53, address="10.0.0.2", tcp=True).start()
"""
ASK = """
from dnslib import DNSRecord
print(DNSRecord.parse(DNSRecord.question("shop.example").send("10.0.0.2", tcp=True)).short())
"""


def test_what_is_asked_of_dns_by_tcp(tmp_path: Path) -> None:
    record = str(tmp_path / "run.pcapng")
    done = run(python(NAMES), python(ASK), "--requests", "-o", record, "--format", "terminal")
    assert done.wrote("client") == ["10.0.0.9"], done
    said = " ".join(done.out.split())
    assert "A shop.example" in said
    assert "NOERROR, first byte after" in said
    (request,) = map(json.loads, why(record))
    assert (request["protocol"], request["request"]) == ("DNS", "A shop.example")
    assert request["times"]["server"] >= 0.05
    assert request["whole"]


def why(record: str) -> list[bytes]:
    return trioecho("why", record, "--requests", "--format", "json").stdout.splitlines()


def test_an_echo_is_turns() -> None:
    need_wires()
    words = "trace", "hello", "--count", "2", "--requests", "--format", "json"
    notes = [
        note
        for one in map(json.loads, trioecho(*words).stdout.splitlines())
        for note in one.get("notes", ())
    ]
    assert [one["status"] for one in notes if one["kind"] == "answer"] == ["answer to 5 bytes"] * 2
