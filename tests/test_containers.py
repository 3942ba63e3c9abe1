"""In a container without capabilities: each command works, or says what it lacks, and what to do.

The container is bubblewrap's: no capability, no new privileges, its own processes, network and
/dev, and /proc/sys read-only, as Docker and Podman have it.
"""

from __future__ import annotations

import functools
import platform
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from needs import missing, need_tool, need_wires
from programs import PATIENCE, TRIOECHO

ROOT = Path(__file__).parents[1]
CAPTURE = str(ROOT / "docs" / "captures" / "shop.pcap")
TUN = ["--dev-bind", "/dev/net/tun", "/dev/net/tun"]
READ_ONLY = ["--ro-bind", "/proc/sys", "/proc/sys"]
# unshare(), by machine: what Docker's own filter forbids.
UNSHARE = {"x86_64": 272, "aarch64": 97}
SERVER = f"{sys.executable} -m http.server --directory {Path(__file__).parent}"
CLIENT = (
    f"{sys.executable} -c 'import sys, urllib.request;"
    " urllib.request.urlopen(sys.argv[1]).read()' http://10.0.0.2"
)


def container(*options: str, tun: bool = True, settings: bool = False) -> list[str]:
    """The words before a command in a container."""
    return [
        *(need_tool("bwrap"), "--die-with-parent", "--new-session"),
        *("--unshare-all", "--unshare-user", "--cap-drop", "ALL"),
        *("--ro-bind", "/", "/", "--tmpfs", "/tmp", "--dev", "/dev", "--proc", "/proc"),
        *("--ro-bind", str(ROOT), str(ROOT)),  # it may lie in /tmp
        *(TUN if tun else ()),
        *(() if settings else READ_ONLY),
        *options,
        "--",
    ]


@functools.cache
def why_not() -> str:
    """Why there is no container here; ``""`` where there is one."""
    done = subprocess.run([*container(), "true"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


@pytest.fixture(autouse=True)
def containers() -> None:
    need_wires()
    need_tool("bwrap")
    if reason := why_not():
        missing(f"there is no container here: {reason}")


def ran(
    words: Sequence[str], inside: Sequence[str], fds: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*inside, *TRIOECHO, *words],
        input="a\n" * 99,  # a quiz wants to be answered
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        pass_fds=fds,
    )


def test_it_has_no_rights() -> None:
    done = subprocess.run(
        [*container(), "cat", "/proc/self/status"], capture_output=True, text=True, check=True
    )
    status = dict(line.split(":\t") for line in done.stdout.splitlines() if ":\t" in line)
    sets = [int(value, 16) for name, value in status.items() if name.startswith("Cap")]
    assert len(sets) == 5
    assert set(sets) == {0}
    assert status["NoNewPrivs"] == "1"


# Each with what its output must have.
WIRES = [
    (["trace", "hi", "--fault", "drop syn"], "retransmission of rung 1"),
    (["lab", "half-close", "--check"], "As in half-close.ladder"),
    (["lab", "handshake", "--quiz"], "What comes next?"),
    (["run", "--server", f"{SERVER} 80", "--client", CLIENT], "GET / HTTP/1.1"),
]
ALONE = [
    (["read", CAPTURE], "connections"),
    (["why", CAPTURE], "connection's whole account"),
    (["faults", "drop"], "trioecho lab lost-syn"),
    (["explain", "tail-loss-probe"], "RFC 8985"),
    (["lab", "--names"], "handshake"),
    (["lab", "handshake", "--answer"], "RFC 9293"),
]


def named(cases: list[tuple[list[str], str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("words", "said"), cases, ids=[" ".join(words[:2]) for words, _ in cases]
    )


@named([(["trace", "hi"], "handshake, data and close seen"), *WIRES, *ALONE])
def test_all_commands_work(words: list[str], said: str) -> None:
    done = ran(words, container(settings=True))
    assert (done.returncode, done.stderr if words[0] != "run" else "") == (0, "")
    assert said in done.stdout


@named([(["trace", "hi"], "kernel's own ways"), WIRES[0]])
def test_where_settings_are_read_only_it_is_said(words: list[str], said: str) -> None:
    done = ran(words, container())
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "the kernel's own ways (/proc/sys is read-only here)" in " ".join(done.stdout.split())


def test_ports_below_1024_are_a_setting() -> None:
    """They are root's again where it is read-only; any other port serves."""
    done = ran(["run", "--server", f"{SERVER} 8000", "--client", f"{CLIENT}:8000"], container())
    assert done.returncode == 0, done.stderr
    assert "GET / HTTP/1.1" in done.stdout
    done = ran(["run", "--server", f"{SERVER} 80", "--client", CLIENT], container())
    assert done.returncode == 1
    assert "Permission denied" in done.stderr


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        (["lab", "silly-window"], "net.ipv4.tcp_timestamps = 0"),
        (["trace", "hi", "--sysctl", "net.ipv4.tcp_sack=0"], "net.ipv4.tcp_sack = 0"),
        (
            ["trace", "hi", "--sysctl", "net.ipv4.tcp_congestion_control=reno"],
            "net.ipv4.tcp_congestion_control = reno",
        ),
    ],
)
def test_a_setting_of_its_own_is_refused(words: list[str], setting: str) -> None:
    done = ran(words, container())
    refused(done, f"{setting}: Read-only file system", "systempaths=unconfined")


@named(WIRES)
def test_without_a_tun_device_there_is_no_wire(words: list[str], said: str) -> None:
    refused(
        ran(words, container(tun=False)), "No private wire: there is no /dev/net/tun", "--device"
    )


@named([(["trace", "hi"], "handshake, data and close seen"), *ALONE])
def test_what_needs_no_wire(words: list[str], said: str) -> None:
    done = ran(words, container(tun=False))
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout


@named([(["trace", "hi"], ""), *WIRES])
def test_a_sandbox_without_further_namespaces(words: list[str], said: str) -> None:
    done = ran(words, container("--disable-userns"))
    refused(
        done, "a sandbox around this process allows no further user namespace", "Run it outside"
    )


@named([(["trace", "hi"], ""), *WIRES])
def test_a_seccomp_filter_as_dockers(words: list[str], said: str) -> None:
    if platform.machine() not in UNSHARE:
        pytest.skip(f"the number of unshare() on {platform.machine()} is not known here")
    with tempfile.TemporaryFile() as file:
        file.write(without_unshare(UNSHARE[platform.machine()]))
        file.seek(0)
        done = ran(words, container("--seccomp", str(file.fileno())), [file.fileno()])
    refused(done, "a seccomp filter forbids it", "--security-opt seccomp=unconfined")


def refused(done: subprocess.CompletedProcess[str], what: str, remedy: str) -> None:
    """It said in a sentence what is missing, and in another what to do."""
    assert done.returncode == 1, done
    assert what in done.stderr
    assert remedy in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("trioecho: ")


def without_unshare(number: int) -> bytes:
    """A filter that lets every system call through but one, which fails with EPERM."""
    load, equal, end = (
        0x20,
        0x15,
        0x06,
    )  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
    allow, fail = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM
    steps = ((load, 0, 0, 0), (equal, 0, 1, number), (end, 0, 0, fail), (end, 0, 0, allow))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def test_a_server_and_a_client() -> None:
    """`serve` and `send`, each in the same container's network."""
    script = (
        "trioecho serve 127.0.0.1:7000 --json & "
        "until trioecho send hello --to 7000; do sleep 0.1; done; kill $!; wait $! || [ $? = 143 ]"
    )
    done = subprocess.run(
        [*container(tun=False), "sh", "-ec", script.replace("trioecho", " ".join(TRIOECHO))],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done
