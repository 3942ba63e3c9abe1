"""Servers and clients that people have, each with its own habits, on the private wire."""

# covers: hosts/keeper

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from getpass import getuser
from pathlib import Path
from shlex import join
from shutil import chown
from tempfile import TemporaryDirectory

import pytest
from needs import missing, need_tool
from running import ECHO, LINES, PYTHON, Ran, python, run
from terminals import SIZES, on_a_terminal, without_their_lines

pytestmark = pytest.mark.usefixtures("wires")


def as_user(name: str) -> list[str]:
    """The words before the command of a server that root may not run."""
    if os.geteuid() != 0:
        return []
    return [need_tool("setpriv"), f"--reuid={name}", f"--regid={name}", "--init-groups", "--"]


def closed_by_fin(done: Ran) -> list[tuple[int, int]]:
    """The bytes that each end sent on each connection, every one of which was closed in order."""
    assert done.code == 0, done
    (summary,) = done.objects("summary")
    connections = summary["connections"]
    assert {one["closed_by"] for one in connections} == {"fin"}
    assert sum(one["retransmissions"] for one in connections) == 0
    return [(one["client_bytes"], one["server_bytes"]) for one in connections]


def test_redis(tmp_path: Path) -> None:
    server = [need_tool("redis-server"), "--protected-mode", "no", "--dir", str(tmp_path)]
    client = [need_tool("redis-cli"), "-h", "10.0.0.2", "set", "name", "value"]
    done = run([*server, "--save", ""], client, "--quiet-kernel")
    assert done.wrote("client") == ["OK"]
    asked = b"*3\r\n$3\r\nset\r\n$4\r\nname\r\n$5\r\nvalue\r\n"
    assert closed_by_fin(done) == [(len(asked), len(b"+OK\r\n"))]


@pytest.fixture
def postgres() -> Iterator[tuple[list[str], list[str]]]:
    """The words of a new PostgreSQL, which trusts everyone, and of a psql that asks it.

    It listens some time before it answers; its other socket tells when it does.
    """
    psql, ready = need_tool("psql"), need_tool("pg_isready")
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        missing("postgres is not installed")
    user = as_user("postgres")
    with TemporaryDirectory(prefix="pg", dir="/tmp") as place:  # short, and open to that user
        if user:
            chown(place, "postgres")
        setup = [*user, str(binaries[-1] / "initdb"), "-D", f"{place}/data", "-A", "trust", "-N"]
        subprocess.run(setup, check=True, capture_output=True)
        Path(place, "data", "pg_hba.conf").write_text("host all all 10.0.0.0/24 trust\n")
        server = [str(binaries[-1] / "postgres"), "-D", f"{place}/data", "-k", place, "-F"]
        name = "postgres" if user else getuser()
        where = f"host=10.0.0.2 dbname=postgres user={name}"
        ask = f"exec {psql} -At '{where}' -c 'select 6 * 7'"
        wait = f"until {ready} -q -h {place}; do sleep 0.05; done"
        yield (
            [*user, *server, "-c", "listen_addresses=10.0.0.2"],
            ["sh", "-c", f"{wait}; {ask}"],
        )


def test_postgresql(postgres: tuple[list[str], list[str]]) -> None:
    done = run(*postgres, "--quiet-kernel")
    assert done.wrote("client") == ["42"]
    assert len(closed_by_fin(done)) == 1


def test_node_and_an_http_server(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("a page")
    ask = """fetch("http://10.0.0.2:8000/page", {headers: {connection: "close"}})
        .then(answer => answer.text()).then(console.log)"""
    server = [PYTHON, "-u", "-m", "http.server", "-d", str(tmp_path), "8000"]
    done = run(server, [need_tool("node"), "-e", ask], "--quiet-kernel")
    assert done.wrote("client") == ["a page"]
    assert len(closed_by_fin(done)) == 1


def seen_on_a_terminal(programs: Sequence[Sequence[str]], columns: int, rows: int) -> str:
    """All but what the programs wrote, which stands on one screen above the shell's next line."""
    server, client = map(join, programs)
    words = ["run", "--server", server, "--client", client, "--quiet-kernel"]
    lines = without_their_lines(on_a_terminal(words, columns, rows))
    assert max(map(len, lines)) <= columns
    assert len(lines) < rows, "\n".join(lines)
    text = " ".join(" ".join(lines).split())
    for said in ("SYN seq 0", "FIN ACK", "; handshake ", "closed by FIN", "; 0 retransmissions"):
        assert said in text
    assert "shortened to fit this terminal; --all shows all" in text or "quiet kernel" in text
    return text


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_what_a_person_sees_of_postgresql(
    columns: int, rows: int, postgres: tuple[list[str], list[str]]
) -> None:
    seen_on_a_terminal(postgres, columns, rows)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_what_a_person_sees_of_others(columns: int, rows: int, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("a page")
    http = [PYTHON, "-u", "-m", "http.server", "-d", str(tmp_path), "8000"]
    redis = [need_tool("redis-server"), "--protected-mode", "no", "--dir", str(tmp_path)]
    redis += ["--save", ""]
    page = "http://10.0.0.2:8000/page"
    ask = f'fetch("{page}").then(answer => answer.text()).then(console.log)'
    for programs in (
        (redis, [need_tool("redis-cli"), "-h", "10.0.0.2", "set", "name", "value"]),
        (http, [need_tool("curl"), "-sS", page]),
        (http, [need_tool("node"), "-e", ask]),
    ):
        text = seen_on_a_terminal(programs, columns, rows)
        assert ("1 of 3: the client opens" in text) is (rows == 50)


def root_of_many() -> list[str]:
    """The words before a command that make its user a root with more ids than one."""
    if os.geteuid() == 0:
        return []
    need_tool("newuidmap")
    words = [need_tool("unshare"), "-Ur", "--map-auto", "--"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        missing("this user has no subordinate ids (subuid(5))")
    return words


def test_a_server_that_changes_its_user() -> None:
    """As nginx does when root starts it."""
    change = "import os, socket, threading; os.setgroups([]); os.setgid(7); os.setuid(7)"
    server, client = python(f"{change}\n{ECHO}", "10.0.0.2"), python(LINES, "10.0.0.2")
    done = run(server, client, stdin="hello\n", before=root_of_many())
    assert done.wrote("client") == ["got hello"]
