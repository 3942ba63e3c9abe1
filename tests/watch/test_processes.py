"""Who holds the ends of connections, with a made-up /proc and with the real one."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from socket import AF_INET6, inet_pton

import pytest

from trioecho.hosts.sockdiag import Held
from trioecho.model import Endpoint, State
from trioecho.watch.processes import Asked, Holder, find_processes

CLIENT, SERVER = Endpoint("192.0.2.1", 40000), Endpoint("192.0.2.2", 7)
ONE = Asked(1, CLIENT, SERVER)


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
    """A machine's sockets, and its /proc."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held: list[Held] = []
        (path / "net").mkdir()
        (path / "net" / "fib_trie").write_text(ROUTES)
        (path / "net" / "if_inet6").write_text(
            f"{inet_pton(AF_INET6, '2001:db8::2').hex()} 02 40\n"
        )

    def socket(
        self, own: Endpoint, peer: Endpoint | None, inode: int, state: State = State.ESTABLISHED
    ) -> None:
        self.held.append(Held(own, peer, state, None, inode, 1000, 0, 0))

    def find(self, asked: Asked) -> list[Holder]:
        return find_processes([asked], self.path, self.held)

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
    proc.socket(client, server, 100)
    proc.socket(server, client, 200)


def test_both_ends(proc: Proc) -> None:
    connect(proc)
    proc.process(10, b"curl", 5, 100)
    proc.process(20, b"httpd", 200)
    assert sorted(proc.find(ONE), key=lambda one: one.pid) == [
        Holder(1, "client", 10, "curl"),
        Holder(1, "server", 20, "httpd"),
    ]


def test_ipv6(proc: Proc) -> None:
    client, server = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::2", 7)
    connect(proc, client, server)
    proc.process(10, b"curl", 100)
    (found,) = proc.find(Asked(3, client, server))
    assert found == Holder(3, "client", 10, "curl")


def listen(proc: Proc, ip: str, inode: int = 300) -> None:
    proc.socket(Endpoint(ip, 7), None, inode, State.LISTEN)


@pytest.mark.parametrize("listening", ["192.0.2.2", "0.0.0.0", "::"])
@pytest.mark.parametrize("state", [None, "SYN-RECEIVED", "ESTABLISHED", "TIME-WAIT"])
def test_a_servers_socket_that_is_nobodys_is_known_by_the_one_that_listens(
    proc: Proc, listening: str, state: str | None
) -> None:
    """It does not exist yet, is not accepted yet, or is gone."""
    listen(proc, listening)
    if state:
        proc.socket(SERVER, CLIENT, 0, State(state))
    proc.process(20, b"httpd", 300)
    assert proc.find(ONE) == [Holder(1, "server", 20, "httpd")]


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
    assert bool(proc.find(asked)) is ours


def test_a_socket_that_is_no_ones_any_more(proc: Proc) -> None:
    proc.socket(CLIENT, SERVER, 0, State.TIME_WAIT)
    proc.process(10, b"curl", 0)
    assert proc.find(ONE) == []


def test_the_highest_pid_of_several(proc: Proc) -> None:
    connect(proc)
    for pid in (9, 10, 8):
        proc.process(pid, b"worker", 100)
    assert proc.find(ONE) == [Holder(1, "client", 10, "worker")]


def test_a_name_is_safe_to_show(proc: Proc) -> None:
    connect(proc)
    proc.process(10, b"\x1b[2J\xff\xe2\x80\xae\n", 100)
    (found,) = proc.find(ONE)
    assert found.name == r"\x1b[2J\xff\u202e\n"


def test_no_proc_at_all(tmp_path: Path) -> None:
    assert find_processes([ONE], tmp_path, []) == []


def test_this_process() -> None:
    """On the real machine, whatever is on it."""
    if sys.platform == "linux":
        assert find_processes([ONE]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(
    ("ip", "listening"),
    [("127.0.0.1", ""), ("127.1.2.3", ""), ("::1", "::"), ("127.0.0.1", "::")],
)
def test_both_ends_in_this_process(ip: str, listening: str, accepted: bool) -> None:
    """Also an IPv4 connection of an IPv6 socket, and one that nobody has accepted."""
    six = listening == "::"
    family = socket.AF_INET6 if six else socket.AF_INET
    with socket.create_server((listening, 0), family=family, dualstack_ipv6=six) as server:
        port = server.getsockname()[1]
        with socket.create_connection((ip, port)) as client, ExitStack() as stack:
            if accepted:
                stack.enter_context(server.accept()[0])
            asked = Asked(1, Endpoint(*client.getsockname()[:2]), Endpoint(ip, port))
            found = {(one.end, one.pid) for one in find_processes([asked])}
            away = Asked(2, Endpoint("192.0.2.1", 1), Endpoint("203.0.113.1", port))
            assert find_processes([away]) == []
    assert found == {("client", os.getpid()), ("server", os.getpid())}
