# covers: cli/serve_echo, cli/serve_report

from __future__ import annotations

import json
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import warm
from loopback import need_ipv6
from programs import PATIENCE, TRIOECHO, Pipe, Server, limited, pipe_at, serving, trioecho

TIME = re.compile(r"^ *\d+\.\d{3}  ")


def call(server: Server) -> str:
    """The next line, which is a call, without its time."""
    line = server.line()
    assert TIME.match(line), line
    return TIME.sub("", line)


def test_each_call_before_it_listens() -> None:
    with serving("--backlog", "5") as server:
        times = [float(line.split()[0]) for line in server.opening]
        calls = [TIME.sub("", line.rstrip()) for line in server.opening]
        rest = server.end()[1]
    assert times == sorted(times)
    fd = calls[0].split()[3]
    assert calls == [
        f"listening socket fd {fd} socket(AF_INET)",
        f"listening socket fd {fd} setsockopt(SO_REUSEADDR 1)",
        f"listening socket fd {fd} bind(127.0.0.1:0)",
        f"listening socket fd {fd} listen(5)",
    ]
    assert [TIME.sub("", line) for line in rest[:-1]] == [f"listening socket fd {fd} close"]


def test_each_call_of_a_connection() -> None:
    with serving() as server:
        assert server.first == f"listening on 127.0.0.1:{server.port}\n"
        with server.dial() as client:
            peer = f"127.0.0.1:{client.getsockname()[1]}"
            accept = call(server).split()
            client.sendall(b"a\x1b[31m\xff")
            lines = [call(server), call(server)]
            client.shutdown(socket.SHUT_WR)
            lines += [call(server), call(server)]
        code, rest = server.end()
    assert accept[:3] == ["listening", "socket", "fd"]
    assert accept[4:9] == ["accept", "->", "connection", "socket", "fd"]
    assert accept[10:] == ["peer", peer]
    assert accept[3] != accept[9]
    fd = accept[9].rstrip(",")
    assert lines == [
        f"connection fd {fd}: recv(65536) -> 7 bytes b'a\\x1b[31m\\xff'",
        f"connection fd {fd}: send -> 7 bytes",
        f"connection fd {fd}: recv(65536) -> 0 bytes: the client has closed its direction",
        f"connection fd {fd}: close",
    ]
    assert code == 143
    assert rest[1:] == ["1 connection: 1 closed by the client; 7 bytes received, 7 bytes sent"]


def test_a_reset_is_told() -> None:
    with serving() as server:
        with server.dial() as client:
            server.line()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert server.line().endswith("ECONNRESET: the client has reset the connection")
        assert server.line().endswith(": close")
        assert server.end()[1][-1] == "1 connection: 1 reset; 0 bytes received, 0 bytes sent"


def test_small_receives() -> None:
    with serving("--recv-size", "16") as server:
        assert trioecho("send", "x" * 40, "--to", server.port).returncode == 0
        lines = server.end()[1]
    sizes = [line.partition("-> ")[2].partition(" ")[0] for line in lines if "recv(16)" in line]
    assert sizes == ["16", "16", "8", "0"]


def test_quiet() -> None:
    with serving("-q") as server:
        trioecho("send", "hi", "--to", server.port)
        assert server.end()[1] == [
            "1 connection: 1 closed by the client; 2 bytes received, 2 bytes sent"
        ]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_lets_connections_finish(number: signal.Signals, code: int) -> None:
    with serving("--grace", "60") as server, server.dial() as client:
        server.line()
        server.process.send_signal(number)
        assert call(server).endswith(": close")  # of the listening socket
        assert server.line().startswith("stopping: 1 connection may finish within 60 s")
        client.sendall(b"last words")
        assert client.recv(100) == b"last words"
        client.shutdown(socket.SHUT_WR)
        rest, _ = server.process.communicate(timeout=PATIENCE)
        assert server.process.returncode == code
    assert rest.splitlines()[-1].startswith("1 connection: 1 closed by the client; 10 bytes")


def test_a_second_signal_cuts_off() -> None:
    with serving("--grace", "60") as server, server.dial() as client:
        server.line()
        server.process.send_signal(signal.SIGINT)
        server.line()
        code, rest = server.end(signal.SIGINT)
        assert code == 130
        assert rest[-1].startswith("1 connection: 1 cut off; ")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_after_the_grace_it_cuts_off() -> None:
    with serving("--grace", "0") as server, server.dial():
        server.line()
        code, rest = server.end(signal.SIGINT)
    assert code == 130
    assert rest[-1].startswith("1 connection: 1 cut off; ")


def test_json() -> None:
    with serving("--json") as server:
        trioecho("send", "hi", "--to", server.port)
        _, rest = server.end()
    assert json.loads(server.first) == {
        "type": "listening",
        "address": f"127.0.0.1:{server.port}",
    }
    objects = [json.loads(line) for line in (*server.opening, *rest)]
    calls = [(value["socket"], value["name"]) for value in objects[:-1]]
    assert calls == [
        *(("listening", name) for name in ("socket", "setsockopt", "bind", "listen", "accept")),
        *(("connection", name) for name in ("recv", "send", "recv", "close")),
        ("listening", "close"),
    ]
    assert {value["type"] for value in objects[:-1]} == {"call"}
    assert objects[-1] == {
        "type": "summary",
        "connections": 1,
        "received": 2,
        "sent": 2,
        "finished": 1,
        "ended": 0,
        "reset": 0,
        "cut": 0,
    }


def test_several_addresses() -> None:
    need_ipv6()
    with serving("[::1]:0") as server:
        second = server.line()
        assert second.startswith("listening on [::1]:")
        assert trioecho("send", "hi", "--to", second.removeprefix("listening on ")).returncode == 0
        assert trioecho("send", "hi", "--to", server.port).returncode == 0


def test_a_port_in_use() -> None:
    with serving() as server:
        done = trioecho("serve", server.port)
    assert done.returncode == 1
    *_, bind, close = done.stdout.decode().splitlines()
    assert bind.endswith(f"bind(127.0.0.1:{server.port}) -> EADDRINUSE")
    assert close.endswith(": close")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"trioecho: 127.0.0.1:{server.port} is in use: ")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares connections out")
def test_a_port_in_use_by_other_workers() -> None:
    with serving("--workers", "2") as server:
        done = trioecho("serve", server.port, "--workers", "2")
    assert done.returncode == 1
    assert f"127.0.0.1:{server.port} is in use: " in done.stderr.decode()


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("192.0.2.1:0", 1, "is not an address of this machine"),
        ("a..b:7", 1, "Cannot find the address"),
        ("nonsense", 2, "is not an address"),
        ("localhost:65536", 2, "with a port from 0 to 65535"),
        ("::1:7", 2, "in brackets"),
    ],
)
def test_what_cannot_be_listened_on(address: str, code: int, says: str) -> None:
    done = trioecho("serve", address)
    assert done.returncode == code
    assert b"listen(" not in done.stdout
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("trioecho: ")
    assert says in line


def test_it_ends_when_nobody_reads_its_output() -> None:
    with subprocess.Popen(
        [*TRIOECHO, "serve", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while b"listening on" not in (line := process.stdout.readline()):
            assert line
        port = int(line.rpartition(b":")[2])
        process.stdout.close()
        with socket.create_connection(("127.0.0.1", port)):
            assert process.wait(PATIENCE) == 141
        assert process.stderr.read() == b""


@contextmanager
def stuck(pipe: Pipe, *options: str) -> Iterator[tuple[warm.Process, int]]:
    """A server whose output is full and whose queue has run over, and its port."""
    with limited(pipe.start("serve", "127.0.0.1:0", "--recv-size", "16", *options)) as process:
        line = pipe.until(b'"address"' if "--json" in options else b"listening on").splitlines()[-1]
        port = int(line.strip(b'"}').rpartition(b":")[2])
        pipe.fill()
        message = b"x" * 300_000  # 16 bytes a line, and each twice
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(message)
            assert receive(client, len(message)) == message
        yield process, port


def receive(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := client.recv(size - len(data))):
        data += piece
    return data


def test_an_output_that_nobody_reads_holds_up_nothing(tmp_path: Path) -> None:
    with pipe_at(tmp_path / "pipe") as pipe, stuck(pipe) as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as other:
            other.sendall(b"hi")
            assert receive(other, 2) == b"hi"
        process.send_signal(signal.SIGTERM)
        assert process.communicate()[1] == b""
        assert process.returncode == 143


@pytest.mark.parametrize(
    ("options", "missing", "end"),
    [
        ([], b" calls not shown: standard output is too slow\n", b" 300,000 bytes sent\n"),
        (["--json"], b'{"type":"missing",', b'"type":"summary"'),
    ],
)
def test_what_was_not_shown_is_counted(
    tmp_path: Path, options: list[str], missing: bytes, end: bytes
) -> None:
    with pipe_at(tmp_path / "pipe") as pipe, stuck(pipe, *options) as (process, _):
        pipe.until(missing)
        process.send_signal(signal.SIGTERM)
        pipe.until(end)
        assert process.wait() == 143


def test_a_server_that_behaves_badly() -> None:
    with serving("-q", "--behave", "close-after=4", "--behave", "split=3") as server:
        assert server.opening == [
            "close-after=4: it closes the connection after N bytes; a lesson on it:"
            " trioecho lab reset-unread-data\n",
            "split=3: it sends an echo in pieces of N bytes, a segment each; a lesson on it:"
            " trioecho lab message-split\n",
        ]
        done = trioecho("send", "testing purposes", "--to", server.port)
        assert done.returncode == 1
        _, lines = server.end()
        assert lines[-1].startswith("1 connection: 1 ended by the server; ")
    done = trioecho("serve", "--behave", "nicely")
    assert done.returncode == 2
    assert done.stderr.startswith(b"trioecho: No server behaves 'nicely'. It can: delay, slow")


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
@pytest.mark.parametrize("options", [(), ("-q",)])
def test_no_descriptor_is_left_is_said_and_survived(options: tuple[str, ...]) -> None:
    import resource

    with serving(*options) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (20, 20))
        clients = [server.dial() for _ in range(30)]
        line = server.until("EMFILE")
        assert line.endswith("EMFILE: this process has no file descriptor left; retrying")
        for client in clients:
            client.close()
        with server.dial() as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
