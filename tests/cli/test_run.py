"""Other people's programs on the private wire, on the real kernel, as any user would start them."""

# covers: cli/screen, cli/stderr

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest
from needs import need_namespaces, need_tool, need_wires
from programs import PATIENCE, TRIOECHO
from running import ECHO, LINES, LISTEN_SIX, PYTHON, command, python, run, started


def test_ncat_both_ways() -> None:
    ncat = need_tool("ncat")
    answer = 'read line; echo "$line" >&2; echo from the server'
    serve = [ncat, "-l", "7000", "--sh-exec", answer]
    # Either end of ncat goes as soon as the other has closed its direction; so neither does.
    done = run(serve, [ncat, "--no-shutdown", "10.0.0.2", "7000"], stdin="from the client\n")
    assert done.code == 0, done
    assert done.wrote("server") == ["from the client"]
    assert done.wrote("client") == ["from the server"]
    (summary,) = done.objects("summary")
    (connection,) = summary["connections"]
    assert (connection["client_bytes"], connection["server_bytes"]) == (16, 16)
    assert connection["closed_by"] == "fin"


@pytest.mark.parametrize("faults", [[], ["drop syn-ack"]])
def test_curl_and_an_http_server(tmp_path: Path, faults: list[str]) -> None:
    curl = need_tool("curl")
    (tmp_path / "page").write_text("a page\n")
    serve = [PYTHON, "-u", "-m", "http.server", "-d", str(tmp_path), "8000"]
    options = [word for fault in faults for word in ("--fault", fault)]
    done = run(serve, [curl, "-sS", "http://10.0.0.2:8000/page"], *options)
    assert done.code == 0, done
    assert done.wrote("client") == ["a page"]
    assert '"GET /page HTTP/1.1" 200' in done.wrote("server")[-1]
    assert [rung["fault"] for rung in done.objects("rung") if rung["lost"]] == faults
    (connection,) = done.objects("summary")[0]["connections"]
    assert connection["retransmissions"] >= len(faults)  # a busy machine lets a timer run out
    assert connection["closed_by"] == "fin"


def test_a_long_session_over_a_slow_wire() -> None:
    """Lines one way, each answered the other way, and in between both ends think."""
    think = dedent("""
        import subprocess, sys, time
        client = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(20):
            client.stdin.write(b"line %d\\n" % number)
            client.stdin.flush()
            print(client.stdout.readline().decode(), end="", flush=True)
            time.sleep(0.02)
        client.stdin.close()
        sys.exit(client.wait())
    """)
    client = python(think, *python(LINES, "10.0.0.2"))
    done = run(python(ECHO, "10.0.0.2"), client, "--fault", "delay 20ms", "--all")
    assert done.code == 0, done
    assert done.wrote("client") == [f"got line {number}" for number in range(20)]
    (connection,) = done.objects("summary")[0]["connections"]
    assert connection["client_bytes"] == connection["server_bytes"] == 150
    assert connection["client_rtt"]["min"] >= 0.04
    assert connection["closed_by"] == "fin"


def test_several_connections_at_once() -> None:
    client = dedent("""
        import socket
        all = [socket.create_connection(("10.0.0.2", 7)) for _ in range(12)]
        for number, one in enumerate(all):
            one.sendall(b"%d" % number)
        print(",".join(one.recv(10).decode() for one in all))
        for one in all:
            one.close()
    """)
    done = run(python(ECHO, "10.0.0.2"), python(client))
    assert done.code == 0, done
    assert done.wrote("client") == [",".join(map(str, range(12)))]
    connections = done.objects("summary")[0]["connections"]
    assert len(connections) == 12
    assert {one["closed_by"] for one in connections} == {"fin"}


def test_ipv6() -> None:
    done = run(python(LISTEN_SIX), python(LINES, "fd00::2"), stdin="six\n")
    assert (done.code, done.wrote("client")) == (0, ["got six"]), done
    assert done.objects("summary")[0]["connections"][0]["server"] == "[fd00::2]:7"


def test_both_on_one_host() -> None:
    done = run(python(ECHO, "127.0.0.1"), python(LINES, "127.0.0.1"), "--same-host", stdin="one\n")
    assert (done.code, done.wrote("client")) == (0, ["got one"]), done
    (summary,) = done.objects("summary")
    assert summary["capture"]["interface"] == "lo"
    assert summary["capture"]["dropped"] == 0
    assert [one["closed_by"] for one in summary["connections"]] == ["fin"]
    assert [rung["number"] for rung in done.objects("rung")] == [
        rung["frame"] for rung in done.objects("rung")
    ]


def test_standard_input_is_the_clients() -> None:
    text = "".join(f"line {number}\n" for number in range(2000))
    count = "import sys; print(len(sys.stdin.read()))"
    done = run(python(ECHO, "10.0.0.2"), python(count), stdin=text)
    assert (done.code, done.wrote("client")) == (0, [str(len(text))]), done
    assert done.wrote("server") == ["ready"]


def test_hostile_output_is_safe_and_bounded() -> None:
    write = dedent("""
        import sys
        sys.stdout.buffer.write(b"\\x1b[2Jcleared\\x07\\xff\\n" + b"x" * 5000 + b"\\r\\nlast")
        sys.stdout.flush()
        sys.stderr.write("to the other\\n")
    """)
    done = run(python(ECHO, "10.0.0.2"), python(write))
    wrote = done.wrote("client")
    assert wrote[0] == r"\x1b[2Jcleared\x07\xff"
    assert wrote[1:6] == ["x" * 1000] * 5
    assert wrote[6:] == ["lastto the other"]
    assert all(line.isprintable() for line in done.err.splitlines())


@pytest.mark.parametrize(
    ("limit", "shown", "more"),
    [(20, ["ab", "cd"], 0), (6, ["ab", "cd"], 0), (4, ["ab", "c"], 2), (0, [], 6)],
)
def test_output_beyond_a_limit_is_counted(limit: int, shown: list[str], more: int) -> None:
    """Each program's by itself: the server's has six bytes, too."""
    ends = python(ECHO, "10.0.0.2"), ["printf", r"ab\ncd\n"]
    done = run(*ends, "--output-limit", str(limit))
    assert (done.code, done.wrote("client")) == (0, shown)
    assert done.wrote("server") == (["ready"[:limit]] if limit else [])
    for end in ("client", "server"):
        beyond = f"{end} writes more, which is counted (--output-limit)\n"
        assert done.err.count(beyond) == bool(more)
        assert (f"{end} wrote {more} bytes more\n" in done.err) == bool(more)


def test_a_low_port_as_a_user_without_capabilities() -> None:
    need_namespaces()
    ends = python(ECHO, "127.0.0.1"), python(LINES, "127.0.0.1")
    words = command(*ends, "--same-host")
    if os.geteuid() == 0:
        words[:0] = [need_tool("setpriv"), "--bounding-set=-all", "--inh-caps=-all", "--"]
    done = subprocess.run(words, input=b"one\n", capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert b"client | got one\n" in done.stderr


def test_a_prompt_is_shown_before_its_line_ends(tmp_path: Path) -> None:
    need_wires()
    ask = "import sys; print('name?', end=' ', flush=True); print('hello', sys.stdin.readline())"
    words = command(python(ECHO, "10.0.0.2"), python(ask), "--format", "json")
    with started(words, b"name?", subprocess.PIPE) as (process, said):
        assert process.stdin is not None
        process.stdin.write(b"you\n")
        process.stdin.close()
        assert b"| hello you" in said.read()


def test_lines_have_the_ladders_time() -> None:
    done = run(python(ECHO, "10.0.0.2"), python(LINES, "10.0.0.2"), stdin="one\n")
    times = {
        text: float(time)
        for time, text in re.findall(r"^ *(\d+\.\d+) \w+ \| (.*)$", done.err, re.MULTILINE)
    }
    rungs = [rung["time"] * 1000 for rung in done.objects("rung")]
    assert 0 < times["ready"] < rungs[0]
    echoed = next(
        rung["time"] * 1000
        for rung in done.objects("rung")
        if rung["from"] == "server" and rung["length"]
    )
    assert echoed < times["got one"]


def test_every_format_says_the_same(tmp_path: Path) -> None:
    tshark = need_tool("tshark")
    paths = [tmp_path / f"run{suffix}" for suffix in (".pcapng", ".jsonl", ".ladder", ".txt")]
    files = [word for path in paths for word in ("-o", str(path))]
    done = run(python(ECHO, "10.0.0.2"), python(LINES, "10.0.0.2"), *files, stdin="one\ntwo\n")
    assert done.code == 0, done
    assert paths[1].read_text() == done.out
    rungs = len(done.objects("rung"))
    assert done.objects("summary")[0]["capture"]["frames"] == rungs
    assert len([one for one in paths[2].read_text().splitlines() if one.startswith("+")]) == rungs
    assert "handshake, data and close seen" in paths[3].read_text()
    read = subprocess.run(
        [tshark, "-r", paths[0], "-T", "fields", "-e", "tcp.seq"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [int(line) for line in read.stdout.split()] == [
        rung["seq"] for rung in done.objects("rung")
    ]


def test_the_kernel_is_asked() -> None:
    done = run(python(ECHO, "10.0.0.2"), python(LINES, "10.0.0.2"), "--kernel", stdin="one\n")
    states = [rung.get("client_kernel", {}).get("state") for rung in done.objects("rung")]
    assert "ESTABLISHED" in states


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--server", "a"], "--client"),
        (["--client", "a"], "--server"),
        (["--server", "a 'b", "--client", "c"], "no closing quotation"),
        (["--server", "", "--client", "c"], "it is empty; name a program"),
        (["--server", "a", "--client", "c", "--same-host", "--fault", "drop syn"], "no wire"),
        (["--server", "a", "--client", "c", "--same-host", "--kernel"], "no wire"),
        (["--server", "a", "--client", "c", "-o", "x.gif"], "must end in one of"),
    ],
)
def test_usage_errors(arguments: list[str], words: str) -> None:
    done = subprocess.run(
        [*TRIOECHO, "run", *arguments], capture_output=True, check=False, text=True
    )
    assert done.returncode == 2
    text = " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())
    assert words in text
    assert "Traceback" not in text


@pytest.mark.parametrize("end", ["--server", "--client"])
def test_a_program_that_is_not_there(end: str) -> None:
    other = command(python(ECHO, "10.0.0.2"), ["true"], end, "no-such-program")
    need_wires()
    done = subprocess.run(other, capture_output=True, check=False, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "trioecho: There is no program 'no-such-program' to start\n" in done.stderr


def test_a_fault_that_makes_no_sense() -> None:
    need_namespaces()
    done = run(["true"], ["true"], "--fault", "lose syn")
    assert done.code == 1
    assert "'lose'" in done.err
