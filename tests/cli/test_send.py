# covers: cli/send_report

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import (
    at_the_end,
    early,
    flipping,
    plain_server,
    resetting,
    silent,
    talkative,
    tutorial,
)
from programs import PATIENCE, TRIOECHO, Server, limited, pipe_at, serving, trioecho

# Runs a command, and then says how much memory it took at the most.
MEASURED = """
import atexit, sys
from trioecho.cli import main

def peak():
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)

atexit.register(peak)
main()
"""


def test_a_message() -> None:
    with serving("-q") as server:
        done = trioecho("send", "testing purposes", "--to", f"127.0.0.1:{server.port}")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [
        f"Sending 16 bytes to 127.0.0.1 port {server.port}",
        "Message received from the server: b'testing purposes'",
    ]
    assert done.stderr == b""


def test_what_comes_back_cannot_steer_the_terminal() -> None:
    with serving("-q") as server:
        done = trioecho("send", "--to", server.port, stdin=b"\x1b[2J\x9b\xe2\x80\xae\r\n\0")
    shown = done.stdout.decode().splitlines()[1].partition(": ")[2]
    assert shown == r"b'\x1b[2J\x9b\xe2\x80\xae\r\n\x00'"


@pytest.mark.parametrize("message", [b"", b"\0", os.urandom(300_000)])
def test_standard_input(message: bytes, tmp_path: Path) -> None:
    back = tmp_path / "back"
    with serving("-q") as server:
        done = trioecho("send", "--to", server.port, "-o", str(back), stdin=message)
    assert done.returncode == 0
    assert back.read_bytes() == message
    assert done.stdout.startswith(b"Sending standard input to 127.0.0.1 port ")


def test_a_large_file(tmp_path: Path) -> None:
    path, back = tmp_path / "message", tmp_path / "back"
    path.write_bytes(os.urandom(1 << 20) * 50)
    with serving("-q") as server:
        done = trioecho("send", "--file", str(path), "-o", str(back), "--to", server.port)
    assert done.returncode == 0
    assert done.stdout.startswith(b"Sending 52,428,800 bytes to ")
    assert done.stdout.rstrip().endswith("… (52,428,800 bytes)".encode())
    assert len(done.stdout) < 2000
    assert path.read_bytes() == back.read_bytes()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
@pytest.mark.parametrize("piped", [False, True])
def test_memory_does_not_grow_with_the_message(tmp_path: Path, piped: bool) -> None:
    peaks = []
    with serving("-q") as server:
        for size in (1 << 20, 256 << 20):
            path = tmp_path / "message"
            with path.open("wb") as file:
                file.truncate(size)
            command = [sys.executable, "-c", MEASURED, "send", "--to", server.port]
            if piped:
                with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
                    done = subprocess.run(
                        command, stdin=cat.stdout, check=True, capture_output=True
                    )
            else:
                command += ["--file", str(path)]
                done = subprocess.run(command, check=True, capture_output=True)
            assert f"({size:,} bytes)" in done.stdout.decode()
            peaks.append(int(done.stderr))
    small, large = peaks
    assert large < small + 20 * 1024, "KiB"


def test_repeating() -> None:
    with serving("-q") as server:
        done = trioecho("send", "hi", "--to", server.port, "--count", "3", "--interval", "0.001")
    lines = done.stdout.decode().splitlines()
    assert lines[0] == f"Sending 2 bytes to 127.0.0.1 port {server.port}, 3 times"
    for number, line in enumerate(lines[1:4], 1):
        assert line.startswith(f"Message received from the server: b'hi' ({number} of 3, ")
    times = r"[\d.]+ (ns|µs|ms|s)"
    assert re.fullmatch(rf"Round trip min/median/p99/max: {times}(/{times}){{3}}", lines[4])


def test_repeating_what_is_piped_in() -> None:
    with serving("-q") as server:
        done = trioecho("send", "--to", server.port, "--count", "2", stdin=b"hi")
    assert done.stdout.decode().count("b'hi'") == 2


def test_json() -> None:
    with serving("-q") as server:
        done = trioecho("send", "hi", "--to", server.port, "--count", "2", "--json")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    calls = [value for value in objects if value["type"] == "call"]
    assert [call["name"] for call in calls] == [
        *("socket", "connect", "connect"),
        *("send", "recv", "send", "recv", "shutdown", "recv", "close"),
    ]
    assert {call["end"] for call in calls} == {"client"}
    messages = [value for value in objects if value["type"] == "message"]
    assert [(value["number"], value["bytes"], value["data"]) for value in messages] == [
        (1, 2, "aGk="),
        (2, 2, "aGk="),
    ]
    summary = objects[-1]
    trip = summary.pop("round_trip")
    assert list(trip) == ["min", "median", "p99", "max"]
    assert trip["min"] <= trip["median"] <= trip["p99"] <= trip["max"]
    assert summary == {
        "type": "summary",
        "address": f"127.0.0.1:{server.port}",
        "complete": True,
        "messages": 2,
        "sent": 4,
        "received": 4,
        "server_end": "fin",
    }


def test_the_server_of_every_tutorial() -> None:
    with plain_server(tutorial, hold=True) as port:
        done = trioecho("send", "testing purposes", "--to", str(port))
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[1:] == [
        "Message received from the server: b'testing purposes'",
        "The server keeps its direction open; not waiting any longer",
    ]


def test_a_server_that_answers_only_at_the_end() -> None:
    with plain_server(at_the_end) as port:
        done = trioecho("send", "testing purposes", "--to", str(port))
    assert done.returncode == 0
    assert b"b'testing purposes'" in done.stdout


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (flipping, "The echo differs at offset 8: sent 0x70 b'p', received 0x50 b'P'. "),
        (talkative, "The server sent back more than it received: 0x21 b'!' at offset 16. "),
        (resetting, "The connection was reset half way: "),
        (early, "The server closed the connection too early: 4 of 16 bytes had come back. "),
    ],
)
def test_what_is_no_echo(handler: object, says: str) -> None:
    with plain_server(handler) as port:  # type: ignore[arg-type]
        done = trioecho("send", "testing purposes", "--to", str(port))
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"trioecho: {says}")


def test_no_echo_in_time() -> None:
    with plain_server(silent, hold=True) as port:
        done = trioecho("send", "hi", "--to", str(port), "--timeout", "0.05")
    assert done.returncode == 1
    assert done.stderr.startswith(b"trioecho: No echo within 0.05 s: 0 of 2 bytes had come back. ")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["hi", "--to", "127.0.0.1:1"], 1, "127.0.0.1:1 refused the connection"),
        (["hi", "--to", "a..b:1"], 1, "Cannot find the address of 'a..b'"),
        (["hi", "--to", "nonsense"], 2, "'nonsense' is not an address"),
        (
            ["hi", "--to", "127.0.0.1:0"],
            2,
            "'127.0.0.1:0' is not an address. Write HOST:PORT, :PORT, PORT or "
            "[IPV6]:PORT, with a port from 1 to 65535",
        ),
        (["--file", "/does/not/exist"], 1, "Cannot read '/does/not/exist': No such file"),
        (["--file", "/"], 1, "Cannot read '/': it is a directory"),
        (["hi", "-o", "/does/not/exist"], 1, "Cannot write '/does/not/exist': No such file"),
    ],
)
def test_each_failure_has_its_own_line(arguments: list[str], code: int, says: str) -> None:
    done = trioecho("send", *arguments)
    assert done.returncode == code
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"trioecho: {says}")


def test_the_file_that_is_sent_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(b"precious")
    assert trioecho("send", "--file", str(path), "-o", str(path)).returncode == 2
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal(number: signal.Signals, code: int) -> None:
    with (
        plain_server(silent, hold=True) as port,
        subprocess.Popen(
            [*TRIOECHO, "send", "hi", "--to", str(port), "--timeout", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"Sending 2 bytes")
        process.send_signal(number)
        assert process.wait(PATIENCE) == code
        assert process.stderr.read() == b""


def until(server: Server, end: str) -> None:
    """Read what a server prints up to a line that ends so."""
    while not (line := server.line()).endswith(end):
        assert line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_signal_while_nobody_reads_its_output(
    tmp_path: Path, options: list[str], number: signal.Signals
) -> None:
    with serving() as server, pipe_at(tmp_path / "pipe") as pipe:
        filled = pipe.fill()
        with limited(pipe.start("send", "hi", "--to", server.port, *options)) as process:
            until(server, ": close")
            process.send_signal(number)
            _, error = process.communicate()
        assert (process.returncode, error) == (128 + number, b"")
        assert pipe.read() == filled


def test_a_named_pipe_takes_what_came_back(tmp_path: Path) -> None:
    message = os.urandom(300_000)
    with serving("-q") as server, pipe_at(tmp_path / "pipe") as pipe:
        filled = pipe.fill()
        command = [*TRIOECHO, "send", "--to", server.port, "-o", str(pipe.path)]
        with limited(subprocess.Popen(command, stdin=subprocess.PIPE)) as process:
            assert process.stdin is not None
            process.stdin.write(message)
            process.stdin.close()
            came = pipe.until(message[-16:])
            assert process.wait(PATIENCE) == 0
    assert came == filled + message


def test_a_signal_while_a_named_pipe_is_full(tmp_path: Path) -> None:
    with serving() as server, pipe_at(tmp_path / "pipe") as pipe:
        pipe.fill()
        command = [*TRIOECHO, "send", "hi", "--to", server.port, "-o", str(pipe.path)]
        with limited(subprocess.Popen(command, stderr=subprocess.PIPE)) as process:
            until(server, ": send -> 2 bytes")
            process.send_signal(signal.SIGINT)
            _, error = process.communicate()
    assert (process.returncode, error) == (130, b"")


def test_a_signal_while_a_named_pipe_has_no_reader(tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    os.mkfifo(source)
    os.mkfifo(back)
    command = [*TRIOECHO, "send", "--file", str(source), "-o", str(back)]
    with limited(subprocess.Popen(command, stderr=subprocess.PIPE)) as process:
        os.close(os.open(source, os.O_WRONLY))  # opens when it has been opened there
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert (process.returncode, error) == (130, b"")


def test_a_signal_while_standard_input_is_silent() -> None:
    with (
        serving("-q") as server,
        subprocess.Popen(
            [*TRIOECHO, "send", "--to", server.port],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read() == b""


class Terminal:
    """``trioecho send`` at a terminal."""

    def __init__(self, port: str) -> None:
        self.screen, end = pty.openpty()
        self.process = subprocess.Popen(
            [*TRIOECHO, "send", "--to", port],
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)

    def until(self, text: bytes) -> bytes:
        """Read up to ``text``, or to the end when it never comes."""
        seen = b""
        with contextlib.suppress(OSError):
            while text not in seen:
                seen += os.read(self.screen, 4096)
        return seen

    def close(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(PATIENCE)
        os.close(self.screen)
        return code


PROMPT = b"Type your message for the server here: "


def test_it_asks_at_a_terminal() -> None:
    with serving("-q") as server:
        terminal = Terminal(server.port)
        assert terminal.until(PROMPT) == PROMPT
        os.write(terminal.screen, b"testing purposes\n")
        assert b"Sending 16 bytes" in terminal.until(b"b'testing purposes'")
        assert terminal.close() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_prompt(number: signal.Signals) -> None:
    terminal = Terminal("1")
    terminal.until(PROMPT)
    terminal.process.send_signal(number)
    assert terminal.until(b"never") == b"\r\n"
    assert terminal.close() == 128 + number


def test_the_end_of_input_at_the_prompt() -> None:
    terminal = Terminal("1")
    terminal.until(PROMPT)
    os.write(terminal.screen, b"\x04")
    assert b"Nothing was typed" in terminal.until(b"never")
    assert terminal.close() == 1
