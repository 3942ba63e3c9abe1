from __future__ import annotations

import json
import signal
import socket
import sys
from pathlib import Path

import pytest
import warm
from programs import PATIENCE, serving, trioecho

if sys.platform != "linux":
    pytest.skip("only Linux can measure a load", allow_module_level=True)


def test_what_was_measured_is_printed_and_written(tmp_path: Path) -> None:
    path = tmp_path / "times.hgrm"
    with serving("-q") as server:
        options = ("--connections", "3", "--duration", "0.3", "--size", "100")
        done = trioecho("send", "--to", server.port, *options, "--histogram", str(path))
        assert done.returncode == 0, done.stderr
        first, second, third, heads, times, kernel = done.stdout.decode().splitlines()
        assert " round trips of 100 bytes over 3 connections in 0.3" in first
        assert " a second, " in second
        assert third == "Every byte that came back is as it was sent"
        assert heads.split() == ["min", "p50", "p90", "p99", "p99.9", "p99.99", "max"]
        assert len(times.split()) == 14  # with their units
        assert kernel.startswith("The kernel: round trip ")
        assert path.read_text().startswith("       Value     Percentile TotalCount")


def test_json_and_a_rate() -> None:
    with serving("-q") as server:
        options = ("--connections", "2", "--rate", "50", "--duration", "0.4", "--json")
        done = trioecho("send", "hi", "--to", server.port, *options)
        (line,) = done.stdout.splitlines()
        told = json.loads(line)
        assert (told["type"], told["connections"], told["bytes"], told["rate"]) == (
            "load",
            2,
            2,
            50,
        )
        assert told["round_trips"] <= 20
        assert list(told["round_trip"]) == ["min", "p50", "p90", "p99", "p99.9", "p99.99", "max"]
        assert len(told["kernels"]) == 2
        assert {kernel["state"] for kernel in told["kernels"]} <= {"ESTABLISHED", "CLOSE-WAIT"}
        assert all(kernel["total_retransmits"] >= 0 for kernel in told["kernels"])


def test_ctrl_c_ends_it_and_prints_what_was_measured() -> None:
    options = ("--connections", "1", "--rate", "100", "--duration", "0")
    with serving() as server, warm.Process("send", "--to", server.port, *options) as load:
        server.until(" recv")
        load.send_signal(signal.SIGINT)
        output, _ = load.communicate(timeout=PATIENCE)
        assert load.returncode == 130
        assert b" over 1 connection in " in output.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rate", "4"), "--rate: it is for a load, with --connections"),
        (("--size", "4"), "--size: it is for a load, with --connections"),
        (("--connections", "1", "--count", "2"), "--count: a load with --connections sends"),
        (("--connections", "1", "--ping", "echo"), "--ping: a load with --connections sends"),
        (("--connections", "1", "--interval", "0"), "--interval: a load with --connections sends"),
        (("hi", "--connections", "1", "--size", "2"), "use either MESSAGE or --size, not both"),
        (("", "--connections", "1"), "a load needs a byte to send"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], said: str) -> None:
    done = trioecho("send", *options)
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_percentiles_that_cannot_be_written() -> None:
    with serving("-q") as server:
        options = ("--connections", "1", "--duration", "0.1", "--histogram", "/nowhere/x.hgrm")
        done = trioecho("send", "--to", server.port, *options)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "trioecho: Cannot write '/nowhere/x.hgrm': No such file or directory\n"
    )


def test_what_breaks_or_never_answers_is_a_failure() -> None:
    with serving("-q", "--behave", "never-read") as server:
        options = ("--connections", "2", "--duration", "0.1")
        done = trioecho("send", "--to", server.port, *options)
        assert done.returncode == 1
        (line,) = done.stdout.decode().splitlines()
        assert line.startswith("0 round trips of 64 bytes over 2 connections")


def test_ctrl_c_while_it_connects() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as nobody:  # it never accepts
        port = str(nobody.getsockname()[1])
        options = ("--connections", "9", "--timeout", "0")
        with (
            socket.create_connection(("127.0.0.1", int(port))),
            warm.Process("send", "--to", port, *options) as load,
        ):
            while load.poll() is None and not _connecting(int(port)):
                pass
            load.send_signal(signal.SIGINT)
            output, _ = load.communicate(timeout=PATIENCE)
        assert (load.returncode, output) == (130, b"")


def _connecting(port: int) -> bool:
    """Whether a SYN to a port waits for an answer."""
    rows = Path("/proc/net/tcp").read_text().splitlines()
    return any(row.split()[2:4] == [f"0100007F:{port:04X}", "02"] for row in rows)


def test_nobody_listens() -> None:
    done = trioecho("send", "--to", "1", "--connections", "3")
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("trioecho: 127.0.0.1:1 refused the connection")
