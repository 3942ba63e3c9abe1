"""Other people's programs on the private wire, on the real kernel, as any user would start them."""

# covers: cli/screen, cli/stderr

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest
import warm
from needs import need_namespaces, need_tool, need_wires, without_capabilities
from programs import PATIENCE
from running import ECHO, LINES, LISTEN_SIX, PYTHON, command, python, run, started

from trioecho.hosts.host import CONGESTION_CONTROL
from trioecho.hosts.ways import PROBES, QUIET


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
    words = [*without_capabilities(), *command(*ends, "--same-host")]
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


SACK = "net.ipv4.tcp_sack"


@pytest.mark.parametrize(
    ("options", "set_", "said"),
    [
        ([], {PROBES: "3", SACK: "1"}, "the kernel's own ways (--quiet-kernel changes them)"),
        (["--quiet-kernel"], QUIET, "quiet kernel (no tail loss probes)"),
        (["--sysctl", f"{SACK}=0"], {PROBES: "3", SACK: "0"}, f"{SACK} = 0"),
        (["--quiet-kernel", "--sysctl", f"{PROBES}=3"], {PROBES: "3"}, f"{PROBES} = 3"),
        (["--quiet-kernel", "--same-host"], QUIET, "quiet kernel (no tail loss probes)"),
        # one that can be written and never read, and one that is read back as the kernel writes it
        (["--sysctl", "net.ipv4.route.flush=1"], {}, "net.ipv4.route.flush = 1"),
        (["--sysctl", "net.ipv4.tcp_retries2=007"], {}, "net.ipv4.tcp_retries2 = 7"),
    ],
)
def test_both_hosts_have_the_ways_that_the_summary_names(
    options: list[str], set_: dict[str, str], said: str
) -> None:
    """The programs read the settings themselves, as an ordinary user's."""
    need_wires()
    tell = dedent("""
        import sys
        for name in sys.argv[2:]:
            print(name, open("/proc/sys/" + name.replace(".", "/")).read().strip(), flush=True)
    """)
    address = "127.0.0.1" if "--same-host" in options else "10.0.0.2"
    names = [CONGESTION_CONTROL, *set_]
    server = python(tell + ECHO, address, *names)
    client = python(tell + LINES, address, *names)
    done = run(server, client, *options, before=without_capabilities())
    assert done.code == 0, done
    kernel = done.objects("summary")[0]["kernel"]
    assert said in kernel
    for end in ("server", "client"):
        told = dict(line.split(maxsplit=1) for line in done.wrote(end) if line != "ready")
        assert f", congestion control {told.pop(CONGESTION_CONTROL)}" in kernel
        assert told == set_


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (f"{SACK}s=1", "No such file or directory. A network namespace of this kernel has no such"),
        (f"{SACK}=many", f"sysctl {SACK} = many: Invalid argument\n"),
        ("net.core.rmem_max=4096", "Permission denied. In a network namespace of this kernel"),
        (f"{CONGESTION_CONTROL}=none", ". On this machine it may be reno"),
        ("kernel.hostname=here", "sysctl kernel.hostname: No such file or directory"),
        ("/etc/passwd=1", "'/etc/passwd' is not a setting such as net.ipv4.tcp_retries2"),
    ],
)
def test_a_setting_that_is_refused(given: str, why: str) -> None:
    """It is said before a program has started."""
    done = run(["true"], ["true"], "--sysctl", given, before=without_capabilities())
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("trioecho: ")
    assert done.err.count("\n") == 1
    assert why in done.err


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
        (["--server", "a", "--client", "c", "--sysctl", "a.b"], "'a.b' is no NAME=VALUE"),
        (["--server", "a", "--client", "c", "--sysctl", "a.b= "], "'a.b= ' is no NAME=VALUE"),
    ],
)
def test_usage_errors(arguments: list[str], words: str) -> None:
    done = warm.shown("run", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize("end", ["--server", "--client"])
def test_a_program_that_is_not_there(end: str) -> None:
    done = run(python(ECHO, "10.0.0.2"), ["true"], end, "no-such-program")
    assert done.code == 1
    assert "trioecho: There is no program 'no-such-program' to start\n" in done.err


def test_a_program_that_may_not_be_executed(tmp_path: Path) -> None:
    path = tmp_path / "client.py"
    path.write_text("print('hi')")
    done = run(python(ECHO, "10.0.0.2"), ["true"], "--server", str(path))
    assert done.code == 1
    assert f"{str(path)!r} may not be executed. Make it executable" in done.err


def test_a_fault_that_makes_no_sense() -> None:
    need_namespaces()
    done = run(["true"], ["true"], "--fault", "lose syn")
    assert done.code == 1
    assert "'lose'" in done.err
