"""What /proc tells, from a /proc made up for the test."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton

import pytest

from trioecho.model import Endpoint
from trioecho.watch.processes import Asked, Holder, find_processes

CLIENT, SERVER = Endpoint("192.0.2.1", 40000), Endpoint("192.0.2.2", 7)
ONE = Asked(1, CLIENT, SERVER)


def written(ip: str, port: int, mapped: bool = False) -> str:
    """An endpoint as /proc writes it."""
    packed = inet_pton(AF_INET6 if ":" in ip else AF_INET, ip)
    packed = (bytes(10) + b"\xff\xff" if mapped else b"") + packed
    words = [packed[at : at + 4] for at in range(0, len(packed), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return f"{b''.join(words).hex().upper()}:{port:04X}"


# The routes of a machine that has 192.0.2.2/24, as /proc/net/fib_trie draws them.
ROUTES = """\
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
        +-- 192.0.2.0/30 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
"""


class Proc:
    """A /proc of so many sockets and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "net").mkdir()
        for name in ("tcp", "tcp6"):
            (path / "net" / name).write_text("  sl  local_address rem_address   st ...\n")
        (path / "net" / "fib_trie").write_text(ROUTES)
        (path / "net" / "if_inet6").write_text(
            f"{inet_pton(AF_INET6, '2001:db8::2').hex()} 02 40\n"
        )

    def socket(self, own: str, peer: str, inode: int, state: str = "01", name: str = "tcp") -> None:
        line = f"   0: {own} {peer} {state} 00000000:00000000 00:00000000 00000000 1000 0 {inode} 1"
        with (self.path / "net" / name).open("a") as file:
            file.write(f"{line} 0000000000000000 20 4 30 10 -1\n")

    def process(self, pid: int, name: bytes, *inodes: int) -> None:
        descriptors = self.path / str(pid) / "fd"
        descriptors.mkdir(parents=True)
        (self.path / str(pid) / "comm").write_bytes(name + b"\n")
        (descriptors / "0").symlink_to("/dev/null")
        for number, inode in enumerate(inodes, 3):
            (descriptors / str(number)).symlink_to(f"socket:[{inode}]")


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def connect(proc: Proc, client: Endpoint = CLIENT, server: Endpoint = SERVER) -> None:
    ends = written(client.ip, client.port), written(server.ip, server.port)
    name = "tcp6" if ":" in client.ip else "tcp"
    proc.socket(ends[0], ends[1], 100, name=name)
    proc.socket(ends[1], ends[0], 200, name=name)


def test_both_ends(proc: Proc) -> None:
    connect(proc)
    proc.process(10, b"curl", 5, 100)
    proc.process(20, b"httpd", 200)
    assert sorted(find_processes([ONE], proc.path), key=lambda one: one.pid) == [
        Holder(1, "client", 10, "curl"),
        Holder(1, "server", 20, "httpd"),
    ]


def test_ipv6(proc: Proc) -> None:
    client, server = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::2", 7)
    connect(proc, client, server)
    proc.process(10, b"curl", 100)
    (found,) = find_processes([Asked(3, client, server)], proc.path)
    assert found == Holder(3, "client", 10, "curl")


def test_ipv4_in_an_ipv6_socket(proc: Proc) -> None:
    own = written(SERVER.ip, SERVER.port, mapped=True)
    peer = written(CLIENT.ip, CLIENT.port, mapped=True)
    proc.socket(own, peer, 200, name="tcp6")
    proc.process(20, b"httpd", 200)
    assert find_processes([ONE], proc.path) == [Holder(1, "server", 20, "httpd")]


def listen(proc: Proc, ip: str, inode: int = 300) -> None:
    any_one = written("::" if ":" in ip else "0.0.0.0", 0)
    proc.socket(written(ip, 7), any_one, inode, state="0A", name="tcp6" if ":" in ip else "tcp")


@pytest.mark.parametrize("listening", ["192.0.2.2", "0.0.0.0", "::"])
@pytest.mark.parametrize("state", ["", "03", "01", "06"])
def test_a_servers_socket_that_is_nobodys_is_known_by_the_one_that_listens(
    proc: Proc, listening: str, state: str
) -> None:
    """It is not there yet, not accepted yet (net/tcp_states.h: 03, 01), or over (06)."""
    listen(proc, listening)
    if state:
        proc.socket(written(SERVER.ip, 7), written(CLIENT.ip, 40000), 0, state=state)
    proc.process(20, b"httpd", 300)
    assert find_processes([ONE], proc.path) == [Holder(1, "server", 20, "httpd")]


@pytest.mark.parametrize(
    ("server", "listening", "ours"),
    [
        ("192.0.2.2", "0.0.0.0", True),
        ("192.0.2.3", "0.0.0.0", False),
        ("192.0.2.3", "::", False),
        ("192.0.2.255", "0.0.0.0", False),
        ("127.0.0.1", "0.0.0.0", True),
        ("127.200.0.1", "::", True),
        ("128.0.0.1", "::", False),
        ("2001:db8::2", "::", True),
        ("2001:db8::2", "0.0.0.0", False),
        ("2001:db8::3", "::", False),
    ],
)
def test_who_listens_on_all_addresses_holds_no_end_at_another_machine(
    proc: Proc, server: str, listening: str, ours: bool
) -> None:
    listen(proc, listening)
    proc.process(20, b"httpd", 300)
    client = "2001:db8::1" if ":" in server else CLIENT.ip
    asked = Asked(1, Endpoint(client, 40000), Endpoint(server, 7))
    assert bool(find_processes([asked], proc.path)) is ours


def test_a_socket_that_is_no_ones_any_more(proc: Proc) -> None:
    proc.socket(written(CLIENT.ip, 40000), written(SERVER.ip, 7), 0, state="06")
    proc.process(10, b"curl", 0)
    assert find_processes([ONE], proc.path) == []


def test_the_highest_pid_of_several(proc: Proc) -> None:
    connect(proc)
    for pid in (9, 10, 8):
        proc.process(pid, b"worker", 100)
    assert find_processes([ONE], proc.path) == [Holder(1, "client", 10, "worker")]


def test_a_name_is_safe_to_show(proc: Proc) -> None:
    connect(proc)
    proc.process(10, b"\x1b[2J\xff\xe2\x80\xae\n", 100)
    (found,) = find_processes([ONE], proc.path)
    assert found.name == r"\x1b[2J\xff\u202e\n"


def test_no_proc_at_all(tmp_path: Path) -> None:
    assert find_processes([ONE], tmp_path) == []


def test_this_process() -> None:
    """On the real /proc, whatever is in it."""
    if sys.platform == "linux":
        assert find_processes([ONE]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.parametrize("ip", ["127.0.0.1", "127.1.2.3", "::1"])
def test_a_connection_that_this_process_has_not_accepted(ip: str) -> None:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.create_server(("::" if ":" in ip else "", 0), family=family) as server:
        port = server.getsockname()[1]
        with socket.create_connection((ip, port)) as client:
            asked = Asked(1, Endpoint(*client.getsockname()[:2]), Endpoint(ip, port))
            found = {(one.end, one.pid) for one in find_processes([asked])}
            away = Asked(2, Endpoint("192.0.2.1", 1), Endpoint("203.0.113.1", port))
            assert find_processes([away]) == []
    assert found == {("client", os.getpid()), ("server", os.getpid())}
