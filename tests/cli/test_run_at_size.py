"""Many connections under ``run`` and ``trace``: what a person sees stands on one screen."""

# covers: cli/pick, cli/selecting

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
from needs import need_tool, need_wires
from programs import shown
from running import ECHO, Ran, python, run

CROWD = dedent("""
    import socket, sys
    crowd = [socket.create_connection(("10.0.0.2", 7)) for _ in range(int(sys.argv[1]))]
    for number, one in enumerate(crowd):
        one.sendall(b"%d" % number)
    for one in crowd:
        one.recv(10)
    for one in crowd:
        one.close()
""")
SILENCE = dedent("""
    import socket, sys, time
    waiting = []
    for _ in range(12):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("10.0.0.2", 7))
        waiting.append(one)
    time.sleep(0.5)
""")
ENDLESS = dedent("""
    import socket
    while True:
        with socket.create_connection(("10.0.0.2", 7)) as one:
            one.sendall(b"again")
            one.recv(10)
""")
SCREEN = 50  # lines


def crowd(count: int, *options: str) -> Ran:
    return run(
        python(ECHO, "10.0.0.2"), python(CROWD, str(count)), "--format", "terminal", *options
    )


def said(text: str) -> str:
    return " ".join(text.split())


def test_nginx_and_200_connections_of_wrk_stand_on_one_screen(tmp_path: Path) -> None:
    nginx, wrk = need_tool("nginx"), need_tool("wrk")
    places = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        "user root; daemon off; master_process off; error_log stderr;"
        f"pid {tmp_path}/pid; events {{ worker_connections 1024; }}"
        f"http {{ access_log off; {places}"
        'server { listen 8080; location / { return 200 "hello"; } } }'
    )
    load = [wrk, "-t1", "-c200", "-d1s", "http://10.0.0.2:8080/"]
    done = run(
        [nginx, "-c", str(tmp_path / "nginx.conf")], load, "--port", "8080", "--format", "terminal"
    )
    assert done.code == 0, done
    assert done.out.count("\n") + done.err.count("\n") <= SCREEN, done
    count = re.search(r"^(\d+) connections; --connection N", done.out, re.MULTILINE)
    assert count, done.out
    assert int(count[1]) >= 200
    assert "--ladder all; -o FILE.pcapng keeps all for trioecho read" in said(done.out)


@pytest.mark.parametrize("options", [[], ["--table"]])
def test_a_crowd_is_a_table(options: list[str]) -> None:
    done = crowd(60, *options)
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert len(lines) <= SCREEN, done.out
    assert max(map(len, lines)) <= 80
    assert " connections so far, " in done.out
    assert "60 connections; --connection N shows one as a ladder" in said(done.out)


def test_json_and_files_have_every_segment(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    done = crowd(12, "-o", str(path))
    assert "12 connections; " in done.out
    objects = [json.loads(line) for line in path.read_text().splitlines()]
    rungs = [one for one in objects if one["type"] == "rung"]
    assert {rung["connection"] for rung in rungs} == set(range(1, 13))
    assert len(objects[-1]["connections"]) == 12


def test_one_of_a_crowd_is_a_ladder(tmp_path: Path) -> None:
    path = tmp_path / "third.jsonl"
    done = crowd(12, "--connection", "3", "-o", str(path))
    assert done.code == 0, done
    assert done.out.count("── SYN seq") == 1
    assert "conn" not in done.out.splitlines()[2]
    assert "1 of 12 connections" in done.out
    objects = [json.loads(line) for line in path.read_text().splitlines()]
    assert {one["connection"] for one in objects if one["type"] == "rung"} == {3}


def test_the_one_that_lost_most_comes_first_with_what_held_it_up(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    lossy = "--fault", "drop client data connection 4"
    done = crowd(6, *lossy, "--sort", "lost", "--limit", "1", "-o", str(path))
    assert done.code == 0, done
    (row,) = [line for line in done.out.splitlines() if "->" in line]
    assert row.split()[0] == "4"
    objects = [json.loads(line) for line in path.read_text().splitlines()]
    accounts = [one for one in objects if one["type"] == "account"]
    assert [one["connection"] for one in accounts] == list(range(1, 7))
    assert {one["tap"] for one in accounts} == {"wire"}
    assert accounts[3]["causes"][0]["cause"] == "timeout"
    assert accounts[3]["headline"] in said(done.out)
    assert objects[-1]["type"] == "summary"


def test_one_that_is_not_there_is_an_error() -> None:
    done = crowd(2, "--connection", "3")
    assert done.code == 1
    assert done.err.splitlines()[-1] == (
        "trioecho: The run has no connection 3: there are 2 connections"
    )


def test_only_those_with_trouble() -> None:
    """The other connection, without trouble, is in no output."""
    options = "--fault", "drop client data connection 2", "--only", "trouble"
    done = run(python(ECHO, "10.0.0.2"), python(CROWD, "2"), *options)
    assert done.code == 0, done
    assert 2 in {rung["connection"] for rung in done.objects("rung")}
    (summary,) = done.objects("summary")
    assert all(one["troubles"] for one in summary["connections"])
    assert len(summary["connections"]) + summary.get("others", 0) == 2


def test_attempts_that_nobody_answers_stand_once() -> None:
    silent = "--fault", "drop syn all always"
    done = run(python(ECHO, "10.0.0.2"), python(SILENCE), *silent, "--format", "terminal")
    assert done.code == 0, done
    assert done.out.count("no answer to any SYN") == 1
    assert "\n12 attempts to 10.0.0.2:7 got no answer to any SYN: a filter that" in done.out
    assert "connections 1-12; the first began at" in done.out
    assert "->" not in done.out


def test_an_endless_client_is_bounded() -> None:
    """It is told now and then how far it is, and all stands on a screen when its time is up."""
    done = run(
        python(ECHO, "10.0.0.2"),
        python(ENDLESS),
        "--timeout",
        "3",
        "--format",
        "terminal",
        "--table",
    )
    assert done.code == 124, done
    assert done.out.count("\n") <= SCREEN, done.out
    assert re.search(r"^[\d.]+ s: \d+ connections so far", done.out, re.MULTILINE)
    assert re.search(r"^[\d,]+ connections; --connection N", done.out, re.MULTILINE)


def test_the_table_takes_no_other_format() -> None:
    done = run(python(ECHO, "10.0.0.2"), python(CROWD, "1"), "--table", "--format", "json")
    assert done.code == 2
    assert "requires --format terminal" in said(done.err.replace("│", " "))


@pytest.mark.parametrize(("count", "table"), [(3, False), (4, True)])
def test_a_trace_of_more_than_three_is_a_table(count: int, table: bool) -> None:
    need_wires()
    text = traced("--connections", str(count), "hi")
    assert (f"\n{count} connections; --connection N" in text) is table
    assert ("── SYN seq" in text) is not table
    assert "── SYN seq" in traced("--connections", str(count), "--ladder", "hi")


def test_a_trace_of_many_shows_one_of_them_or_only_trouble() -> None:
    need_wires()
    crowd = "--connections", "6", "hi", "--fault", "drop client data 1 connection 3"
    one = traced(*crowd, "--connection", "3")
    assert one.count("── SYN seq 0") == one.count("retransmission of rung") == 1
    bad = traced(*crowd, "--only", "trouble")
    assert bad.count("── SYN seq 0") == bad.count("retransmission of rung") == 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_nothing_wraps(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ladder, a table, a summary, a lesson: each line fits on the screen."""
    need_wires()
    monkeypatch.setenv("COLUMNS", str(width))
    path = str(tmp_path / "seen.pcapng")
    text = "GET /a/rather/long/name HTTP/1.1 " * 9
    fault = "--fault", "drop client data 2", "--kernel"
    outputs = [
        traced("--size", "9000", "-o", path, *fault, width=width),
        traced("--connections", "2", text, width=width),
        traced("--connections", "9", "--table", width=width),
        crowd(2, "--fault", "drop client data 1").out,
        crowd(9).out,
        shown("read", path, columns=width).stdout,
        shown("read", path, "--table", columns=width).stdout,
        shown("lab", columns=width).stdout,
        shown("lab", "refused", columns=width).stdout,
        shown("lab", "refused", "--answer", columns=width).stdout,
    ]
    for output in outputs:
        wide = [line for line in output.splitlines() if len(line) > width]
        assert not [line for line in wide if ".toml" not in line and "/" not in line]


def traced(*arguments: str, width: int = 80) -> str:
    return shown("trace", *arguments, columns=width).stdout
