"""``trioecho why --requests``: the requests in a file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from programs import PATIENCE, TRIOECHO, trioecho
from tapes import Tape

SHOP = Path(__file__).parents[2] / "docs" / "captures" / "shop.pcap"


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two connections with three requests each, of which the last takes longest."""
    frames = []
    for port in range(2):
        tape = Tape(port=port)
        tape.open()
        for number in range(3):
            at = 100 + 200 * number
            tape.say(at, "client", f"GET /{number} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
            tape.say(at + 30 + 50 * number + port, "server", answer)
        tape.close(800)
        frames += tape.frames
    tape.frames = sorted(frames, key=lambda one: one.time)
    path = tmp_path_factory.mktemp("requests") / "six.pcap"
    path.write_bytes(tape.file())
    return str(path)


def why(*arguments: str, stdin: bytes = b"") -> list[str]:
    done = trioecho("why", "--requests", *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def test_the_table(capture: str) -> None:
    said = why(capture)
    rows = [line.split() for line in said if "GET" in line]
    assert [row[:5] for row in rows] == [
        ["1", "1", "GET", "/0", "200"],
        ["2", "2", "GET", "/0", "200"],
        ["3", "1", "GET", "/1", "200"],
        ["4", "2", "GET", "/1", "200"],
        ["5", "1", "GET", "/2", "200"],
        ["6", "2", "GET", "/2", "200"],
    ]
    assert sum(line.startswith("   think-time of the server: 110 ms") for line in said) == 1
    assert any(line.startswith("6 requests: half took at most") for line in said)


def test_the_slowest(capture: str) -> None:
    """The first of each connection has its handshake, and the wait until it is asked, too."""
    said = why(capture, "--limit", "3")
    assert [line.split()[3] for line in said if "GET" in line] == ["/0", "/0", "/2"]
    assert said[-1] == "3 quicker requests not shown; --limit shows more of them, --format json all"


def test_one_connection(capture: str) -> None:
    said = why(capture, "--connection", "2")
    assert [line.split()[:4] for line in said if "GET" in line] == [
        ["1", "2", "GET", "/0"],
        ["2", "2", "GET", "/1"],
        ["3", "2", "GET", "/2"],
    ]


def test_json_from_a_pipe(capture: str) -> None:
    data = Path(capture).read_bytes()
    found = [json.loads(line) for line in why("-", "--format", "json", stdin=data)]
    assert sorted(one["number"] for one in found) == [1, 2, 3, 4, 5, 6]
    assert {one["type"] for one in found} == {"request"}
    for one in found:
        assert sum(cause["time"] for cause in one["causes"]) == pytest.approx(one["times"]["total"])


def test_turns_need_no_package() -> None:
    assert any("client: " in line for line in why(str(SHOP)))


def test_no_package_is_one_sentence(
    capture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "h11.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    command = [*TRIOECHO, "why", "--requests", capture]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == 0
    assert line == "trioecho: there is HTTP/1, and what reads it is not installed: pip install h11"
    assert b"client: 31 bytes" in done.stdout


def test_a_name_is_no_business_of_a_connection_that_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dnslib.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    tape, path = Tape(), tmp_path / "named.pcap"
    tape.tell(0, (1, 5000), (53, 53), b"a question")
    tape.open(10)
    tape.say(40, "client", b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
    path.write_bytes(tape.file())
    command = [*TRIOECHO, "why", "--requests", str(path)]
    for options, said in (
        ((), "trioecho: there is DNS, and what reads it is not installed: pip install dnslib\n"),
        (("--connection", "1"), ""),
    ):
        done = subprocess.run(
            [*command, *options], capture_output=True, timeout=PATIENCE, check=True
        )
        assert done.stderr.decode() == said


def test_a_capture_without_tcp(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(Tape().file())
    (line,) = why(str(path))
    assert line.startswith(f"{path}: ")


def test_a_connection_that_says_nothing(tmp_path: Path) -> None:
    tape, path = Tape(), tmp_path / "quiet.pcap"
    tape.open()
    path.write_bytes(tape.file())
    assert why(str(path)) == [f"{path}: there is no request, and no turn of a talk"]
