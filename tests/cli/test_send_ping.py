from __future__ import annotations

import json
import signal
import socket

import trio
import trio.testing
import warm
from loopback import HOST, early, flipping, plain_server, silent
from programs import PATIENCE, serving, trioecho

from trioecho.cli.line_writer import LineWriter
from trioecho.cli.send_ping import Pinging, _Ping
from trioecho.sockets.address import Address


def test_echoes_on_one_connection() -> None:
    with serving() as server:
        done = trioecho(
            "send", "--ping", "echo", "--to", server.port, "--count", "3", "--interval", "0"
        )
        assert done.returncode == 0, done.stderr
        *lines, summary = done.stdout.decode().splitlines()
        assert [line.rpartition(",")[0] for line in lines] == [
            f"echo from 127.0.0.1:{server.port}: number {number}" for number in (1, 2, 3)
        ]
        assert summary.startswith("3 pings, 3 answered; min/median/p99/max ")
        accepts = [line for line in server.end()[1] if "accept" in line]
        assert len(accepts) == 1


def test_a_connection_each() -> None:
    with serving() as server:
        options = ("--ping", "connect", "--to", server.port, "--count", "2", "--interval", "0")
        done = trioecho("send", *options, "--json")
        first, second, summary = map(json.loads, done.stdout.splitlines())
        assert [first["type"], first["number"], second["number"]] == ["ping", 1, 2]
        assert first["time"] > 0
        assert (summary["type"], summary["sent"], summary["answered"]) == ("summary", 2, 2)
        assert len([line for line in server.end()[1] if "accept" in line]) == 2


def test_nobody_answers() -> None:
    with socket.create_server((HOST, 0)) as closed:
        port = str(closed.getsockname()[1])
    done = trioecho("send", "--ping", "connect", "--to", port, "--count", "2", "--interval", "0")
    assert done.returncode == 1
    first, _, summary = done.stdout.decode().splitlines()
    assert first.startswith(f"number 1: 127.0.0.1:{port} refused the connection")
    assert summary == "2 pings, 0 answered"


def test_no_echo_and_a_wrong_one_and_an_end() -> None:
    for handler, said in (
        (silent, "number 1: no echo within 0.2 s"),
        (flipping, "number 1: The echo differs at offset 8: sent"),
        (early, "number 1: the server closed the connection"),
    ):
        with plain_server(handler) as port:
            options = ("--to", str(port), "--count", "1", "--timeout", "0.2")
            done = trioecho("send", "testing purposes", "--ping", "echo", *options)
        assert done.returncode == 1
        assert said in done.stdout.decode()


def test_ctrl_c_ends_it_with_the_summary() -> None:
    with serving() as server, warm.Process("send", "--ping", "echo", "--to", server.port) as ping:
        server.until(" send")
        ping.send_signal(signal.SIGINT)
        output, _ = ping.communicate(timeout=PATIENCE)
        assert ping.returncode == 130
        assert output.splitlines()[-1].startswith(b"1 ping, ")


def test_a_file_cannot_be_pinged_with() -> None:
    done = trioecho("send", "--ping", "echo", "--file", "/etc/hostname")
    assert done.returncode == 2
    assert b"--ping sends MESSAGE" in done.stderr


async def test_it_waits_for_whoever_reads_its_lines(autojump_clock: trio.testing.MockClock) -> None:
    lines = LineWriter(json=False, limit=1000)  # nobody writes them
    pinging = Pinging(Address(HOST, 1), "connect", b"", None, 0.01, 1, json=False)
    ping = _Ping(pinging, lines)
    with trio.move_on_after(60):
        await ping.run()
    assert 0 < ping.sent < 100
