"""``trioecho watch`` on the real kernel: other programs' traffic, as any user would see it."""

# covers: cli/watch_screen, watch/nursery

from __future__ import annotations

import json
import os
import re
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import warm
import wrapped
from frames import tcp
from needs import missing, need_namespaces, need_tool
from network import ECHO, Network
from programs import PATIENCE

from trioecho.model import SYN
from trioecho.render.notation import parse

ENV = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}
WATCH = (sys.executable, "-W", "error", "-m", "trioecho", "watch")


#: A client whose server takes 300 ms to answer.
SLOW = """
import socket, threading, time
listener = socket.create_server(("127.0.0.1", 7000))
client = socket.create_connection(("127.0.0.1", 7000))
server, _ = listener.accept()
client.sendall(b"?")
server.recv(1)
time.sleep(0.3)
server.sendall(b"!")
client.recv(1)
client.close()
server.close()
"""


class Watching:
    """``trioecho watch`` in a process of its own, which captures already."""

    def __init__(self, process: warm.Process | subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.output = process.stdout
        self.title = self.output.readline().rstrip("\n")

    def end(self, number: signal.Signals = signal.SIGINT, code: int | None = None) -> str:
        """Send a signal and wait.

        Returns:
            What it printed since the title.
        """
        self.process.send_signal(number)
        text, said = self.process.communicate(timeout=PATIENCE)
        assert said == ""
        assert self.process.returncode == (128 + number if code is None else code)
        return text


@contextmanager
def watching(process: warm.Process | subprocess.Popen[str]) -> Iterator[Watching]:
    """A watch for the length of a block; its first line says that it captures."""
    with process:
        try:
            yield Watching(process)
        finally:
            process.kill()


def started(network: Network, *options: str) -> warm.Process:
    return warm.Process("watch", *options, env=ENV, encoding="utf-8", network=network.pid)


def watch(network: Network, *options: str) -> Any:
    return watching(started(network, *options))


def objects(path: Path, kind: str) -> list[Any]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [one for one in found if one["type"] == kind]


# ---- what is seen --------------------------------------------------------------------------------


def test_the_ladder_of_another_programs_connection(network: Network) -> None:
    with watch(network, "--format", "ladder") as run:
        network.python(ECHO)
        lines = parse(run.end())
    steps = [(one.sender, one.flags, one.seq, one.length) for one in lines]
    assert steps[:7] == [
        ("client", "S", 0, 0),
        ("server", "S.", 0, 0),
        ("client", ".", 1, 0),
        ("client", "P.", 1, 5),
        ("server", ".", 1, 0),
        ("server", "P.", 1, 5),
        ("client", ".", 6, 0),
    ]
    assert [one.states for one in lines][-1] == ("TIME-WAIT", "CLOSED")
    assert run.title == "# watching lo"


def test_where_the_time_goes_is_told_where_it_is_asked_for(
    network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "seen.jsonl"
    for asked in ([], ["--why"]):
        with watch(network, "--port", "7000", "-o", str(path), *asked) as run:
            network.python(SLOW)
            text = run.end()
        accounts = objects(path, "account")
        if not asked:
            assert not accounts
            assert "took its time" not in text
            continue
        (account,) = accounts
        cause = account["causes"][0]
        assert (cause["cause"], cause["end"]) == ("think-time", "server")
        assert 0.3 <= cause["time"] <= account["duration"]
        assert account["headline"].split(" (")[0] in " ".join(text.split())


def test_json_has_a_rung_a_line_and_the_summary_last(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    with watch(network, "--port", "7000", "-o", str(path)) as run:
        network.python(ECHO)
        network.python(ECHO, "::1")
        text = run.end()
    rungs = objects(path, "rung")
    assert [one["number"] for one in rungs] == list(range(1, len(rungs) + 1))
    assert [one["frame"] for one in rungs] == list(range(1, len(rungs) + 1))
    (summary,) = objects(path, "summary")
    assert [one["server"] for one in summary["connections"]] == ["127.0.0.1:7000", "[::1]:7000"]
    assert {one["closed_by"] for one in summary["connections"]} == {"fin"}
    assert summary["capture"] == {"interface": "lo", "frames": len(rungs), "dropped": 0}
    assert run.title == "watching lo; port 7000"
    assert "#2 " in text
    assert "#2 " in text
    assert "the kernel dropped 0" in text


SEND = """
import socket, sys
for line in sys.argv[1:]:
    address, port, protocol, payload = line.split()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_RAW if int(protocol) else socket.SOCK_DGRAM
    with socket.socket(family, kind, int(protocol)) as sock:
        sock.sendto(bytes.fromhex(payload), (address, int(port)))
"""


@pytest.mark.parametrize(
    "options",
    [(), ("--port", "40000"), ("--host", "198.51.100.2"), ("--filter", "udp or proto 47")],
)
def test_what_is_in_a_tunnel_is_seen(
    network: Network, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """As `read` sees it, and a port and a host are those of the inner ends."""
    path = tmp_path / "seen.jsonl"
    vxlan = struct.pack("!II", 0x08000000, 42 << 8)
    inside = wrapped.ethernet(wrapped.ip4())
    other = wrapped.ethernet(tcp("client", SYN, 0, port=9))
    with watch(network, *options, "-o", str(path)) as run:
        network.python(
            SEND,
            f"127.0.0.1 4789 0 {(vxlan + inside).hex()}",
            f"::1 8472 0 {(vxlan + inside).hex()}",
            f"127.0.0.1 0 47 {wrapped.gre(wrapped.ip4()).hex()}",
            f"127.0.0.1 4789 0 {(vxlan + other).hex()}",
            f"127.0.0.1 5000 0 {(vxlan + inside).hex()}",
        )
        run.end()
    bounded = bool({"--port", "--host"} & set(options))
    assert len(objects(path, "rung")) == (3 if bounded else 4)


def test_it_ends_by_itself_after_so_many_segments(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    with watch(network, "--count", "4", "-o", str(path)) as run:
        network.python(ECHO)
        run.process.wait(PATIENCE)
        assert run.process.returncode == 0
    assert [one["number"] for one in objects(path, "rung")] == [1, 2, 3, 4]
    (summary,) = objects(path, "summary")
    assert summary["capture"]["frames"] == 4


def test_it_ends_by_itself_after_so_long(network: Network) -> None:
    with watch(network, "--for", "0") as run:
        assert run.process.wait(PATIENCE) == 0


AWAY = """
away = socket.socket()
away.setblocking(False)
assert away.connect_ex(("10.9.9.2", 80)) == 115  # nobody answers there
"""


@pytest.mark.parametrize("named", [True, False])
def test_two_interfaces_one_ladder(network: Network, tmp_path: Path, named: bool) -> None:
    """A frame that crosses a pair of interfaces is seen on both, and is one segment."""
    for words in (
        "link add left address 02:00:00:00:00:01 type veth peer name right",
        "address add 10.9.9.1/24 dev left",
        "link set left up",
        "link set right up",
        "neighbour add 10.9.9.2 lladdr 02:00:00:00:00:02 dev left",
    ):
        network.ip(words)
    jsonl, pcapng = tmp_path / "seen.jsonl", tmp_path / "seen.pcapng"
    options = ["-i", "lo", "-i", "left", "-i", "right"] if named else []
    with watch(network, *options, "-o", str(jsonl), "-o", str(pcapng)) as run:
        assert run.title.startswith("watching lo, ")
        network.python(ECHO + AWAY)
        run.process.send_signal(signal.SIGINT)
        _, said = run.process.communicate(timeout=PATIENCE)
        assert run.process.returncode == 130
    assert re.fullmatch(
        r"trioecho: \d+ frames? crossed a second interface, and are shown once\n", said
    )
    rungs = objects(jsonl, "rung")
    assert [one["frame"] for one in rungs] == sorted(one["frame"] for one in rungs)
    assert [one["time"] for one in rungs] == sorted(one["time"] for one in rungs)
    (summary,) = objects(jsonl, "summary")
    local, away = summary["connections"]
    assert local["closed_by"] == "fin"
    assert away["server"] == "10.9.9.2:80"
    (first, *again) = [one for one in rungs if one["connection"] == 2]
    assert first["flags"] == ["SYN"]
    assert all("retransmission" in [note["kind"] for note in one["notes"]] for one in again)
    used = summary["capture"]["interface"].split(", ")
    assert used[0] == "lo"
    assert len(used) == 2
    read = tshark(pcapng, "frame.interface_name", "ip.dst")
    assert set(read) == {"lo|127.0.0.1", f"{used[1]}|10.9.9.2"}


MOVED = """
import os, socket
for device in ("left", "west"):
    assert os.system(f"ip route replace 10.9.9.9 dev {device} src 10.9.9.1") == 0
    with socket.socket() as away:
        away.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        away.bind(("10.9.9.1", 40000))
        away.setblocking(False)
        assert away.connect_ex(("10.9.9.9", 80)) == 115  # nobody answers there
"""


def test_ports_that_are_used_again_through_another_interface(
    network: Network, tmp_path: Path
) -> None:
    for number, (here, there) in enumerate((("left", "right"), ("west", "east")), 1):
        network.ip(f"link add {here} type veth peer name {there}")
        network.ip(f"link set {here} up")
        network.ip(f"link set {there} up")
        network.ip(f"address add 10.9.9.{number}/32 dev {here}")
        network.ip(f"neighbour add 10.9.9.9 lladdr 02:00:00:00:00:09 dev {here}")
    path = tmp_path / "seen.jsonl"
    with watch(network, "-o", str(path)) as run:
        network.python(MOVED)
        run.process.send_signal(signal.SIGINT)
        run.process.communicate(timeout=PATIENCE)
    syns = [one for one in objects(path, "rung") if one["flags"] == ["SYN"]]
    assert {one["connection"] for one in syns} == {1, 2}
    (summary,) = objects(path, "summary")
    assert [one["client"] for one in summary["connections"]] == ["10.9.9.1:40000"] * 2
    assert len(summary["capture"]["interface"].split(", ")) == 2


def tshark(path: Path, *fields: str) -> list[str]:
    words = [word for field in fields for word in ("-e", field)]
    return subprocess.run(
        [need_tool("tshark"), "-r", path, "-T", "fields", "-E", "separator=|", *words],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


# ---- what is let through -------------------------------------------------------------------------

BULK = """
import socket
with socket.create_server(("127.0.0.1", 7000)) as server, socket.create_server(
    ("127.0.0.1", 7001)) as other:
    for at in (other, server):
        client = socket.create_connection(at.getsockname())
        end, _ = at.accept()
        client.setblocking(False)
        sent = got = 0
        while sent < 1_000_000:
            try:
                sent += client.send(bytes(1 << 20))
            except BlockingIOError:
                got += len(end.recv(1 << 20))
        while got < sent:
            got += len(end.recv(1 << 20))
"""


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "7000"],
        ["--filter", "tcp port 7000"],
        ["--filter", "tcp", "--port", "7000", "--host", "127.0.0.1"],
        ["--host", "127.0.0.1", "--port", "7000", "-i", "lo"],
    ],
)
def test_filters_keep_whole_frames(network: Network, tmp_path: Path, options: list[str]) -> None:
    if "--filter" in options:
        need_libpcap()
    path = tmp_path / "seen.pcapng"
    with watch(network, *options, "-o", str(path)) as run:
        network.python(BULK)
        run.end()
    rows = [row.split("|") for row in tshark(path, "frame.len", "frame.cap_len", "tcp.port")]
    assert all("7000" in ports for _, _, ports in rows)
    assert all(length == kept for length, kept, _ in rows)
    assert max(int(length) for length, _, _ in rows) > 65_000


def need_libpcap() -> None:
    from ctypes.util import find_library

    if find_library("pcap") is None:
        missing("libpcap is not installed")


def test_another_host_stays_out(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    with watch(network, "--host", "::0:1", "-o", str(path)) as run:
        network.python(ECHO)
        network.python(ECHO, "::1")
        run.end()
    assert run.title == "watching lo; host ::1"
    (summary,) = objects(path, "summary")
    assert [one["server"] for one in summary["connections"]] == ["[::1]:7000"]


# ---- who it is -----------------------------------------------------------------------------------

NAMED = """
import os, socket, sys
open("/proc/self/comm", "wb").write(os.fsencode(sys.argv[1]))
with socket.create_server(("127.0.0.1", 7000)) as server:
    client = socket.create_connection(("127.0.0.1", 7000))
    end, _ = server.accept()
    print(os.getpid(), flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("name", "shown"), [("plain", "plain"), ("\x1b[31m\u202ered[b]", r"\x1b[31m\u202ered[b]")]
)
def test_each_end_has_a_process(network: Network, tmp_path: Path, name: str, shown: str) -> None:
    path = tmp_path / "seen.jsonl"
    with watch(network, "-o", str(path)) as run, network.talking(NAMED, name) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        seen = ""
        while seen.count(f"(pid {pid})") < 2:
            line = run.output.readline()
            assert line
            seen += line
        rest = run.end()
    assert seen.count(f"{shown} (pid {pid})") == 2
    assert "\x1b" not in seen + rest
    assert "\u202e" not in seen + rest
    assert objects(path, "process") == [
        {"type": "process", "connection": 1, "end": end, "pid": pid, "name": shown}
        for end in ("client", "server")
    ]


# ---- a table -------------------------------------------------------------------------------------


def test_a_table_instead_of_a_ladder(network: Network) -> None:
    with started(network, "--table", "--count", "10") as process:
        assert process.stdout is not None
        while process.poll() is None:
            network.python(ECHO)
        text = process.stdout.read()
    assert process.returncode == 0
    assert "handshake" in text
    assert "127.0.0.1:7000" in text
    assert "captured 10 frames on lo, the kernel dropped 0" in text
    assert "1 of 3" not in text


CROWD = """
import socket, sys
with socket.create_server(("127.0.0.1", 7000), backlog=20) as server:
    for _ in range(int(sys.argv[1])):
        held = globals().setdefault("held", [])
        held.append(socket.create_connection(("127.0.0.1", 7000)))
        held.append(server.accept()[0])
    print("ready")
    sys.stdin.readline()
"""


def test_on_a_terminal_a_table_takes_the_ladders_place(network: Network) -> None:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        network.command(*WATCH),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**ENV, "TERM": "xterm", "LINES": "40", "COLUMNS": "120"},
    ) as process:
        os.close(theirs)
        seen = b""
        while b"rung" not in seen:
            seen += os.read(ours, 65536)
        with network.talking(CROWD, "9"):
            while b"9 open" not in seen:
                seen += os.read(ours, 65536)
        process.send_signal(signal.SIGTERM)
        while b"kernel dropped" not in seen:
            seen += os.read(ours, 65536)
        assert process.wait(PATIENCE) == 143
    os.close(ours)
    assert b"Traceback" not in seen
    assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l"), "the cursor is back"


@pytest.mark.parametrize("width", [40, 200])
def test_a_ladder_and_then_a_table_of_more_than_three(
    network: Network, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a screen of any width, nothing wraps."""
    monkeypatch.setitem(ENV, "COLUMNS", str(width))
    with watch(network) as run:
        for _ in range(4):
            network.python(ECHO)
        lines = run.end().splitlines()
    assert max(map(len, lines)) <= width
    ladder, table = " ".join(" ".join(lines).split()).split(" 4 connections; ")
    assert "#4" in ladder
    assert table.startswith("-o FILE.pcapng keeps all for trioecho read")


# ---- how it ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_files_are_complete_after_a_signal(
    network: Network, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    paths = [tmp_path / f"seen{suffix}" for suffix in (".pcapng", ".jsonl", ".ladder", ".txt")]
    with watch(network, *(word for path in paths for word in ("-o", str(path)))) as run:
        network.python(ECHO)
        run.end(number, code)
    pcapng, jsonl, ladder, text = paths
    (summary,) = objects(jsonl, "summary")
    frames = summary["capture"]["frames"]
    assert len(tshark(pcapng, "frame.number")) == frames
    assert len(parse(ladder.read_text())) == frames
    assert "the kernel dropped 0" in text.read_text("utf-8")


def test_an_interface_that_goes_down_ends_it_when_it_was_the_last(
    network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "seen.jsonl"
    with watch(network, "-o", str(path)) as run:
        network.python(ECHO)
        network.ip("link set lo down")
        _, said = run.process.communicate(timeout=PATIENCE)
        assert run.process.returncode == 1
    assert said == ("trioecho: The interface lo is down. sudo ip link set lo up brings it up\n")
    assert objects(path, "summary")[0]["capture"]["frames"] >= 10


def test_an_interface_that_goes_down_while_another_is_watched(network: Network) -> None:
    network.ip("link add left type veth peer name right")
    network.ip("link set left up")
    with watch(network) as run:
        assert run.process.stderr is not None
        network.ip("link set left down")
        assert run.process.stderr.readline() == "trioecho: The interface left is down\n"
        network.python(ECHO)
        assert "ESTABLISHED" in run.end()


# ---- what cannot be ------------------------------------------------------------------------------


def refused(network: Network, *options: str) -> tuple[int, str]:
    done = warm.shown("watch", *options, env=ENV, network=network.pid)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["-i", "eth99"], 1, "There is no interface 'eth99'. There are lo"),
        (["-i", "et\udcff"], 1, r"There is no interface 'et\udcff'. There are lo"),
        (["-o", "x.doc"], 2, "must end in one of .txt, .jsonl, .ladder, .pcapng"),
        (["-o", "/nonexistent/x.txt"], 1, "Cannot write '/nonexistent/x.txt': No such file"),
        (["--host", "example.org"], 2, "'example.org' is not an IP address"),
        (["--host", "1.2.3"], 2, "'1.2.3' is not an IP address"),
        (["--port", "65536"], 2, "port"),
        (["--table", "--format", "json"], 2, "it requires --format terminal"),
        (["--count", "0"], 2, "count"),
    ],
)
def test_bad_input(network: Network, options: list[str], code: int, said: str) -> None:
    got, text = refused(network, *options)
    assert got == code
    assert said in text


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("tcp port", "The filter 'tcp port' is not understood by libpcap: "),
        ("\x1b[2J", r"The filter '\x1b[2J' is not understood"),
        ("tcp and udp", "expression rejects all packets"),
        ("host 1.2.3.4 and (", "syntax error"),
    ],
)
def test_a_filter_that_is_none(network: Network, expression: str, said: str) -> None:
    need_libpcap()
    code, text = refused(network, "--filter", expression)
    assert code == 1
    assert said in text
    assert "\x1b" not in text


def test_an_interface_that_is_down(network: Network) -> None:
    network.ip("link add left type veth peer name right")
    code, text = refused(network, "-i", "left")
    assert (code, text) == (
        1,
        "trioecho: The interface left is down. sudo ip link set left up brings it up",
    )


def test_nothing_is_up(network: Network) -> None:
    network.ip("link set lo down")
    code, text = refused(network)
    assert code == 1
    assert "No interface is up" in text


def test_without_the_right_to_capture(network: Network) -> None:
    without = [need_tool("setpriv"), "--bounding-set=-all", "--inh-caps=-all", "--"]
    done = subprocess.run(
        network.command(*without, *WATCH), capture_output=True, text=True, env=ENV, check=False
    )
    assert done.returncode == 1
    assert "takes CAP_NET_RAW" in done.stderr
    assert "Traceback" not in done.stderr


# ---- sudo ----------------------------------------------------------------------------------------


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that other users may write to, as those of tmp_path are not."""
    with TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


def test_called_by_sudo_it_becomes_the_user(open_to_all: Path) -> None:
    """The files are the user's, no right of root's is left, and the frames are all there."""
    uid, gid, enter = become_root()
    path = open_to_all / "seen.jsonl"
    script = 'ip link set lo up; exec env SUDO_UID="$0" SUDO_GID="$1" "${@:2}"'
    command = [*enter, need_tool("bash"), "-c", script, str(uid), str(gid)]
    words = [*command, *WATCH, "-o", str(path)]
    with watching(
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)
    ) as run:
        pid = run.process.pid
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        assert len(set(status["Uid"].split())) == 1
        assert status["Uid"].split()[0] != str(os.geteuid())
        for rights in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(status[rights], 16) == 0, rights
        echo = [need_tool("nsenter"), "-t", str(pid), "-U", "-n", "--preserve-credentials", "--"]
        if os.geteuid() == 0:
            echo.remove("-U")
        subprocess.run([*echo, sys.executable, "-I", "-c", ECHO], check=True)
        run.end()
    assert path.stat().st_uid == int(status["Uid"].split()[0])
    assert path.stat().st_gid == int(status["Gid"].split()[0])
    assert stat.S_ISREG(path.stat().st_mode)
    assert objects(path, "summary")[0]["capture"]["frames"] >= 10


def _closed(place: Path) -> list[Path]:
    """The directories on the way to a place that others may not pass, the outermost first."""
    way = reversed([place, *place.parents])
    return [one for one in way if one.is_dir() and not one.stat().st_mode & stat.S_IXOTH]


def become_root() -> tuple[int, int, list[str]]:
    """How to be a root who can become somebody else: that user, and the words before a command.

    Real root makes a network namespace, and where others may not pass its home, in which its Python
    may be, or what holds this source, a view of it in which they may. Everybody else needs
    subordinate ids, of newuidmap(1).
    """
    need_namespaces()
    unshare = need_tool("unshare")
    need_tool("ip")
    if os.geteuid() != 0:
        need_tool("newuidmap")
        words = [unshare, "-Ur", "--map-auto", "-n", "--"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
            missing("this user has no subordinate ids (subuid(5))")
        return 1, 1, words
    places = (Path(sys.base_prefix), Path(sys.prefix), Path(__file__))
    closed = dict.fromkeys(home for place in places for home in _closed(place.resolve())[:1])
    words = [unshare, "-mn"]
    for home in closed:
        view = (
            "mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work && mount -t overlay overlay"
            f" -o lowerdir={home},upperdir=/mnt/upper,workdir=/mnt/work {home} && chmod 755 {home}"
            ' && exec "$@"'
        )
        words += ["sh", "-c", view, "sh"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
            missing(f"{home}, where this Python is, is closed to other users")
    return 65534, 65534, words
