"""What /proc tells, from a /proc made up for the test."""

from __future__ import annotations

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


class Proc:
    """A /proc of so many sockets and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "net").mkdir()
        for name in ("tcp", "tcp6"):
            (path / "net" / name).write_text("  sl  local_address rem_address   st ...\n")

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


@pytest.mark.parametrize("listening", ["192.0.2.2", "0.0.0.0", "::"])
def test_a_server_that_has_not_accepted_is_known_by_its_listening_socket(
    proc: Proc, listening: str
) -> None:
    name = "tcp6" if ":" in listening else "tcp"
    proc.socket(written(listening, 7), written("0.0.0.0", 0), 300, state="0A", name=name)
    proc.process(20, b"httpd", 300)
    assert find_processes([ONE], proc.path) == [Holder(1, "server", 20, "httpd")]


def test_a_socket_that_is_no_ones_any_more(proc: Proc) -> None:
    proc.socket(written(CLIENT.ip, 40000), written(SERVER.ip, 7), 0, state="06")
    proc.process(10, b"curl", 0)
    assert find_processes([ONE], proc.path) == []


def test_the_youngest_of_several(proc: Proc) -> None:
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
