"""How a run of other people's programs ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest
from needs import need_tool, need_wires
from programs import PATIENCE
from running import ECHO, LINES, Terminal, alive, command, python, run, started


@pytest.mark.parametrize(
    ("script", "code", "remark"),
    [("exit 7", 7, "ended with exit code 7"), ("kill -9 $$", 137, "ended with SIGKILL")],
)
def test_the_exit_code_is_the_clients(script: str, code: int, remark: str) -> None:
    done = run(python(ECHO, "10.0.0.2"), ["sh", "-c", script])
    assert done.code == code
    assert f"client {remark}\n" in done.err
    assert done.objects("summary")


def test_a_server_that_never_listens() -> None:
    done = run(["sleep", "1000"], ["true"], "--wait", "0.3")
    assert done.code == 1
    assert done.err.endswith(
        "trioecho: The server did not listen within 0.3 s. Give it longer with --wait SECONDS\n"
    )
    assert done.objects("summary")


@pytest.mark.parametrize("options", [[], ["--wait", "0.5"], ["--port", "7"]])
def test_a_server_that_no_other_host_can_reach(options: list[str]) -> None:
    """Without --wait it is told long before the 10 s are over."""
    done = run(python(ECHO, "127.0.0.1"), ["true"], *options)
    assert done.code == 1
    assert "listens only at 127.0.0.1:7, which another host cannot reach. Let it bind" in done.err
    assert ("give it longer with --wait" in done.err) == ("--wait" not in options)
    (stopped,) = done.objects("stopped")
    assert stopped["why"] == "no client could reach it"


def test_a_server_that_listens_on_the_loopback_first() -> None:
    first = 'import socket; one = socket.create_server(("127.0.0.1", 9))\n'
    assert run(python(first + ECHO, "10.0.0.2"), ["true"]).code == 0


def test_a_server_that_listens_elsewhere() -> None:
    done = run(python(ECHO, "10.0.0.2"), ["true"], "--wait", "2", "--port", "8")
    assert "did not listen on port 8 within 2 s; it listens at 10.0.0.2:7." in done.err
    (stopped,) = done.objects("stopped")
    assert stopped["why"] == "it did not listen"


def test_only_the_port_that_is_waited_for_is_out_of_reach() -> None:
    first = 'import socket; one = socket.create_server(("127.0.0.1", 9))\n'
    done = run(python(first + ECHO, "10.0.0.2"), ["true"], "--port", "9")
    assert "The server listens at 127.0.0.1:9, which another host cannot reach" in done.err


def test_a_server_that_ends_at_once() -> None:
    done = run(["sh", "-c", "echo no such file; exit 3"], ["true"])
    assert done.code == 1
    assert done.wrote("server") == ["no such file"]
    assert "The server ended with exit code 3 before it listened" in done.err


def test_a_server_that_ends_before_the_client() -> None:
    once = "import socket, sys; socket.create_server(('10.0.0.2', 7)).accept(); sys.exit(5)"
    read = "import socket; print(socket.create_connection(('10.0.0.2', 7)).recv(9)); input()"
    words = command(python(once), python(read), "--format", "json")
    ended = b"server ended with exit code 5, before the client"
    with started(words, ended, subprocess.PIPE) as (process, _):
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_a_server_that_takes_no_signal() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ECHO
    done = run(python(deaf, "10.0.0.2"), ["true"])
    assert done.code == 0
    assert "server did not end on SIGTERM, and was killed" in done.err


UNREAD = dedent("""
    import socket, time
    listener = socket.create_server(("10.0.0.2", 7))
    connection, _ = listener.accept()
    time.sleep(1000)
""")
SENDS = dedent("""
    import socket
    with socket.create_connection(("10.0.0.2", 7)) as connection:
        connection.sendall(b"hello")
        assert connection.getpeername()
""")


def test_a_server_that_we_stopped_is_no_server_that_closed_at_once() -> None:
    done = run(python(UNREAD), python(SENDS))
    assert done.code == 0, done
    *_, stopped, reset, _account, _summary = [json.loads(line) for line in done.out.splitlines()]
    assert (stopped["type"], stopped["end"], stopped["signal"], stopped["why"]) == (
        *("stopped", "server", "SIGTERM"),
        "the client has ended",
    )
    assert [note["cause"] for note in reset["notes"]] == ["program-stopped"]
    assert stopped["time"] < reset["time"]


def test_a_time_limit() -> None:
    done = run(python(ECHO, "10.0.0.2"), ["sleep", "1000"], "--timeout", "1")
    assert done.code == 124
    assert [(one["end"], one["signal"], one["why"]) for one in done.objects("stopped")] == [
        ("client", "SIGINT", "the time of --timeout is up"),
        ("server", "SIGTERM", "the client has ended"),
    ]
    assert "trioecho: The programs were stopped after 1 s (--timeout)\n" in done.err
    assert done.objects("summary")


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 1)])
def test_a_fault_that_did_nothing_is_said(options: list[str], code: int) -> None:
    done = run(
        python(ECHO, "10.0.0.2"),
        python(LINES, "10.0.0.2"),
        *("--fault", "drop client data 50", "--format", "terminal", *options),
        stdin="one\n",
    )
    assert done.code == code
    assert "! 'drop client data 50' never matched" in done.out
    assert ("trioecho: 'drop client data 50' never matched: " in done.err) == bool(options)


def test_strict_is_content_with_faults_that_matched() -> None:
    ends = python(ECHO, "10.0.0.2"), python(LINES, "10.0.0.2")
    done = run(*ends, "--fault", "drop client data", "--strict", stdin="one\n")
    assert (done.code, done.wrote("client")) == (0, ["got one"])


def test_what_a_client_leaves_running_ends_with_it() -> None:
    mark = f"9{os.getpid()}.25"
    done = run(python(ECHO, "10.0.0.2"), ["sh", "-c", f"sleep {mark} & echo gone"])
    assert (done.code, done.wrote("client")) == (0, ["gone"])
    assert not alive(mark)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
@pytest.mark.parametrize("calls", [[], ["--calls"]])
def test_a_signal(tmp_path: Path, number: signal.Signals, code: int, calls: list[str]) -> None:
    """The first ends both programs, and the ladder is whole; none is left, whatever happens."""
    need_wires()
    if calls:
        need_tool("strace")
    mark = f"mark-{os.getpid()}-{number}-{len(calls)}"
    path = tmp_path / "run.jsonl"
    client = (
        "import socket, time; one = socket.create_connection(('10.0.0.2', 7));"
        " print('connected', flush=True); time.sleep(1000)"
    )
    ends = python(ECHO, "10.0.0.2", mark), python(client, mark)
    words = command(*ends, "-o", str(path), *calls)
    with started(words, b"client | connected") as (process, said):
        left = [os.pidfd_open(pid) for pid in alive(mark) if pid != process.pid]
        assert left
        process.send_signal(number)
        rest = said.read()
        assert process.wait(PATIENCE) == code
    if number is not signal.SIGKILL:
        assert b"client ended with SIGINT" in rest
        (*_, last) = path.read_text().splitlines()
        summary = json.loads(last)
        assert summary["type"] == "summary"
        assert [one["closed_by"] for one in summary["connections"]] == ["fin"]
    for one in left:
        assert select.select([one], [], [], PATIENCE)[0]
        os.close(one)


def test_a_second_signal_kills() -> None:
    need_wires()
    deaf = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]\n"
    mark = f"deaf-{os.getpid()}"
    client = python(deaf + "print('deaf', flush=True)\ntime.sleep(1000)", mark)
    words = command(python(ECHO, "10.0.0.2"), client)
    with started(words, b"client | deaf") as (process, _):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) in (130, 143)
    assert not [pid for pid in alive(mark) if pid != process.pid]


def test_a_session_at_a_terminal() -> None:
    need_wires()
    terminal = Terminal(
        command(python(ECHO, "10.0.0.2"), python(LINES, "10.0.0.2"), "--fault", "delay 20ms")
    )
    terminal.until(b"server | ready")
    for number in range(3):
        terminal.type(b"typed %d\n" % number)
        terminal.until(b"client | got typed %d" % number)
    terminal.type(b"\x04")
    assert terminal.end() == 0
    assert b"closed by FIN" in terminal.seen


@pytest.mark.parametrize("calls", [[], ["--calls"]])
def test_ctrl_c_at_a_terminal(calls: list[str]) -> None:
    """The terminal sends it to the client, nobody else does; the ladder is whole."""
    need_wires()
    if calls:
        need_tool("strace")
    client = dedent("""
        import signal, socket
        signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
        signal.signal(signal.SIGTERM, lambda *_: exit("terminated"))
        with socket.create_connection(("10.0.0.2", 7)):
            print("connected", flush=True)
            while True:
                signal.pause()
    """)
    terminal = Terminal(command(python(ECHO, "10.0.0.2"), python(client), *calls))
    terminal.until(b"client | connected")
    terminal.type(b"\x03")
    assert terminal.end() == 130
    assert terminal.seen.count(b"client | interrupted") == 1
    assert terminal.seen.count(b"client | terminated") == 1
    assert b"closed by FIN" in terminal.seen
