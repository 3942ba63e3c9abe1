"""The socket calls of other people's programs, among the segments."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest
from needs import need_tool, need_wires
from programs import PATIENCE
from running import ECHO, LINES, command, python, run


@pytest.mark.parametrize("where", [["--fault", "drop syn 1"], ["--same-host"]])
def test_calls_among_the_segments(where: list[str]) -> None:
    need_tool("strace")
    host = "127.0.0.1" if where == ["--same-host"] else "10.0.0.2"
    done = run(python(ECHO, host), python(LINES, host), "--calls", *where, stdin="one\n")
    assert (done.code, done.wrote("client")) == (0, ["got one"]), done
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [events.pop()["type"], events.pop()["type"]] == ["summary", "account"]
    times = [event["time"] for event in events]
    assert times == sorted(times)
    story = []
    for event in events:
        if event["type"] == "call":
            error = event["error"] or event["result"] is None
            story.append(f"{event['end']} {event['name']}" + " ..." * bool(error))
        elif event["type"] == "stopped":
            story.append(f"{event['end']} stopped")
        elif event["lost"] or "FIN" in event["flags"] or event["length"]:
            story.append(f"{event['from']} {'lost' if event['lost'] else event['length']}")
    wanted = [
        *("server socket", "server setsockopt", "server bind", "server listen"),
        *("client socket", "client connect ..."),
        *(["client lost"] if host == "10.0.0.2" else []),
        *("client connect", "server accept"),
        *("client send", "client 4", "server recv", "server send", "server 4", "client recv"),
        *("client close", "client 0", "server recv", "server close", "server 0"),
        "server stopped",
    ]
    # Both see the handshake's end at once; the server's two last may be told after its FIN's.
    assert [one for one in story if one.startswith("client")] == [
        one for one in wanted if one.startswith("client")
    ]
    assert sorted(story) == sorted(wanted)
    for one in ("client send", "client close", "server send", "server close"):
        sent = story.index(one)
        size = "0" if "close" in one else "4"
        assert sent < story.index(f"{one.split()[0]} {size}")
    assert story.index("server recv") > story.index("client 4")
    numbered = [event for event in events if event["type"] == "call" and event["peer"]]
    assert {event["connection"] for event in numbered} == {1}
    syns = [one for one in events if one["type"] == "rung" and one["flags"] == ["SYN"]]
    assert {one["server_state"] for one in syns} == {"LISTEN"}


def test_calls_of_several_programs_and_threads() -> None:
    need_tool("strace")
    client = dedent("""
        import os, socket
        for number in range(3):
            if not os.fork():
                with socket.create_connection(("10.0.0.2", 7)) as one:
                    one.sendall(b"%d" % number)
                    one.recv(10)
                os._exit(0)
        for _ in range(3):
            os.wait()
    """)
    done = run(python(ECHO, "10.0.0.2"), python(client), "--calls")
    assert done.code == 0, done
    calls = done.objects("call")
    for name in ("connect", "send", "recv", "close"):
        of = {one["connection"] for one in calls if one["name"] == name and one["end"] == "client"}
        assert of >= {1, 2, 3}, name
    assert {one["connection"] for one in calls if one["name"] == "accept"} >= {1, 2, 3}


def test_without_strace(tmp_path: Path) -> None:
    need_wires()
    for name in ("nsenter", "true"):
        os.symlink(need_tool(name), tmp_path / name)
    done = subprocess.run(
        command(["true"], ["true"], "--calls"),
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tmp_path)},
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "through strace, which is not installed. Install the package strace" in done.stderr


def test_strace_that_may_not_trace() -> None:
    """As in a container without SYS_PTRACE: the kernel refuses ptrace."""
    need_tool("strace")
    need_wires()
    # seccomp(2): load the call's number; ptrace (101 on x86-64, 117 elsewhere) fails with EPERM.
    refuse = dedent("""
        import ctypes, os, platform, struct, sys
        number = 101 if platform.machine() == "x86_64" else 117
        steps = [(32, 0, 0, 0), (21, 0, 1, number), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)]
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in steps))
        program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
        libc = ctypes.CDLL(None, use_errno=True)
        assert not libc.prctl(38, 1, 0, 0, 0)
        assert not libc.prctl(22, 2, ctypes.c_char_p(program)), ctypes.get_errno()
        os.execv(sys.argv[1], sys.argv[1:])
    """)
    done = subprocess.run(
        python(refuse, *command(python(ECHO, "10.0.0.2"), ["true"], "--calls")),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    *_, error = done.stderr.splitlines()
    assert error.startswith("trioecho: The server's calls cannot be shown: strace says '")
    assert "Operation not permitted'. Leave out --calls" in error


def test_strace_as_a_root_without_an_id() -> None:
    """Linux maps root's id for no one who lacks CAP_SETFCAP."""
    need_tool("strace")
    need_wires()
    if os.geteuid():
        pytest.skip("only root has capabilities to lose")
    for kept, code in (("", 1), (",+setfcap", 0)):
        done = subprocess.run(
            [
                *(need_tool("setpriv"), f"--bounding-set=-all{kept}", "--inh-caps=-all", "--"),
                *command(python(ECHO, "10.0.0.2"), ["true"], "--calls"),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, "Without CAP_SETFCAP" in done.stderr) == (code, bool(code)), done


def test_a_server_that_spins_is_told_in_a_few_rows() -> None:
    """The server of many a tutorial: at the end of input it sends nothing, for ever."""
    need_tool("strace")
    server = dedent("""
        import socket
        listener = socket.create_server(("10.0.0.2", 7))
        connection, _ = listener.accept()
        while True:
            connection.send(connection.recv(1024))
    """)
    client = dedent("""
        import socket, time
        with socket.create_connection(("10.0.0.2", 7)) as connection:
            connection.sendall(b"7 bytes")
            assert connection.recv(100) == b"7 bytes"
            connection.shutdown(socket.SHUT_WR)
            time.sleep(1)
    """)
    done = run(python(server), python(client), "--calls")
    assert done.code == 0, done
    calls = [one for one in done.objects("call") if one["end"] == "server" and not one["result"]]
    for name in ("recv", "send"):
        times = [one.get("times", 1) for one in calls if one["name"] == name]
        assert times[:3] == [1, 1, 1]
        assert 4 <= len(times) <= 6, times
        assert sum(times) > 500
