"""The main job on the real kernel, as any user would start it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import warm
from needs import need_namespaces, need_tool, without_capabilities
from programs import PATIENCE, limited, pipe_at

from trioecho.render.notation import parse

ENV = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}
COMMAND = (sys.executable, "-W", "error", "-m", "trioecho", "trace")

LADDER = """
> S  0:0(0)            | SYN-SENT     LISTEN
< S. 0:0(0) ack 1      | ESTABLISHED  SYN-RECEIVED
> .  1:1(0) ack 1      | ESTABLISHED  ESTABLISHED
> P. 1:17(16) ack 1    | ESTABLISHED  ESTABLISHED
< .  1:1(0) ack 17     | ESTABLISHED  ESTABLISHED
< P. 1:17(16) ack 17   | ESTABLISHED  ESTABLISHED
> .  17:17(0) ack 17   | ESTABLISHED  ESTABLISHED
"""
# The server's ACK of the FIN rides on its own FIN, unless its program takes longer to close than
# the kernel delays an ACK, 40 ms, which happens on a loaded machine.
CLOSES = {
    "fin": [
        """
> F. 17:17(0) ack 17   | FIN-WAIT-1   CLOSE-WAIT
< F. 17:17(0) ack 18   | TIME-WAIT    LAST-ACK
> .  18:18(0) ack 18   | TIME-WAIT    CLOSED
""",
        """
> F. 17:17(0) ack 17   | FIN-WAIT-1   CLOSE-WAIT
< .  17:17(0) ack 18   | FIN-WAIT-2   CLOSE-WAIT
< F. 17:17(0) ack 18   | TIME-WAIT    LAST-ACK
> .  18:18(0) ack 18   | TIME-WAIT    CLOSED
""",
        # On a busy machine the delayed ACK may be sent on one processor while the FIN leaves on
        # another, and be overtaken by it; Linux answers it, and so TIME-WAIT ends (RFC 1337).
        """
> F. 17:17(0) ack 17   | FIN-WAIT-1   CLOSE-WAIT
< F. 17:17(0) ack 18   | TIME-WAIT    LAST-ACK
> .  18:18(0) ack 18   | TIME-WAIT    CLOSED
< .  17:17(0) ack 18   | TIME-WAIT    CLOSED        paws
> .  18:18(0) ack 18   | TIME-WAIT    CLOSED        duplicate-ack 1 of 10
< R  18:18(0)          | CLOSED       CLOSED        connection-rst time-wait-assassination
""",
    ],
    "rst": [
        """
> R. 17:17(0) ack 17   | CLOSED       CLOSED        connection-rst aborted
"""
    ],
}


def started(*arguments: str, wrapper: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``trioecho trace``; cold where a wrapper starts it."""
    if not wrapper:
        return warm.shown("trace", *arguments, env=ENV)
    return subprocess.run(
        [*wrapper, *COMMAND, *arguments],
        capture_output=True,
        env=ENV,
        timeout=120,
        encoding="utf-8",
        check=False,
    )


def trace(*arguments: str, wrapper: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``trioecho trace`` and see that it succeeds without a word on standard error."""
    need_namespaces()
    done = started(*arguments, wrapper=wrapper)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done


def objects(text: str, kind: str) -> list[Any]:
    found = [json.loads(line) for line in text.splitlines()]
    return [one for one in found if one["type"] == kind]


def steps(text: str) -> str:
    """A ladder without times, windows and options, which differ from run to run."""
    lines = parse(text)
    return "\n".join(
        f"{one.sender} {one.flags} {one.seq}+{one.length} ack {one.ack} {one.states} {one.notes}"
        for one in lines
    )


def assert_climbs(ladder: str, close: str = "fin") -> None:
    """The ladder is that of one message, echoed, and of a close."""
    wanted = [steps(LADDER + ending) for ending in CLOSES[close]]
    assert steps(ladder) in wanted, f"\n{ladder}"


@pytest.mark.parametrize("close", CLOSES)
def test_each_step_and_each_state(close: str) -> None:
    got = trace("testing purposes", "--format", "ladder", "--close", close).stdout
    assert_climbs(got, close)


def test_half_close() -> None:
    text = trace("testing purposes", "--format", "json", "--close", "half").stdout
    calls = [call["name"] for call in objects(text, "call") if call["end"] == "client"]
    assert calls.index("shutdown") < len(calls) - 1 - calls[::-1].index("recv")
    rungs = objects(text, "rung")
    fin = next(rung for rung in rungs if "FIN" in rung["flags"])
    assert (fin["from"], fin["client_state"], fin["server_state"]) == (
        *("client", "FIN-WAIT-1", "CLOSE-WAIT"),
    )
    assert (rungs[-1]["client_state"], rungs[-1]["server_state"]) == ("TIME-WAIT", "CLOSED")


def test_ten_runs_of_ten_without_any_capability() -> None:
    """SYN, SYN-ACK, ACK, data, echo and close, each time, for a user with no rights at all."""
    wrapper = without_capabilities()
    for _ in range(10):
        got = trace("testing purposes", "--format", "ladder", wrapper=wrapper).stdout
        assert_climbs(got)


def test_the_file_says_what_the_screen_says_and_tshark_reads_it(tmp_path: Path) -> None:
    tshark = need_tool("tshark")
    path = tmp_path / "trace.pcapng"
    text = trace("--size", "300000", "--format", "json", "-o", str(path)).stdout
    rungs = objects(text, "rung")
    names = (
        *("frame.number", "tcp.seq", "tcp.ack", "tcp.len", "tcp.flags", "tcp.window_size"),
        *("frame.comment", "frame.interface_name"),
    )
    fields = [word for name in names for word in ("-e", name)]
    read = subprocess.run(
        [tshark, "-r", path, "-T", "fields", "-E", "separator=|", *fields],
        capture_output=True,
        text=True,
        check=True,
    )
    complaints = [one for one in read.stderr.splitlines() if "Running as user" not in one]
    assert complaints == []
    bits = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16}
    want = [
        "|".join(
            (
                str(rung["number"]),
                str(rung["seq"]),
                str(rung["ack"] or 0),
                str(rung["length"]),
                f"0x{sum(bits[flag] for flag in rung['flags']):04x}",
                str(rung["window"]),
                "; ".join(note["text"] for note in rung["notes"]),
                "lo",
            )
        )
        for rung in rungs
    ]
    assert read.stdout.splitlines() == want


def test_ten_million_bytes() -> None:
    text = trace("--size", "10000000", "--format", "json").stdout
    (summary,) = objects(text, "summary")
    assert summary["capture"]["dropped"] == 0
    (connection,) = summary["connections"]
    assert connection["client_bytes"] == connection["server_bytes"] == 10_000_000
    rungs = objects(text, "rung")
    assert len(rungs) == summary["capture"]["frames"]
    for end in ("client", "server"):
        # A receive buffer that overflows makes even loopback lose and repeat segments.
        covered = 1
        for rung in sorted((r for r in rungs if r["from"] == end), key=lambda r: int(r["seq"])):
            assert rung["seq"] <= covered, "a gap"
            covered = max(covered, rung["seq"] + rung["length"] + ("FIN" in rung["flags"]))
        assert covered == 10_000_002


def test_on_the_screen_ten_million_bytes_are_folded_and_the_limit_is_said() -> None:
    text = trace("--size", "10000000").stdout
    assert "folded (--all shows them)" in " ".join(text.split())
    assert "the kernel dropped 0" in text
    assert "client 10,000,000 bytes" in text
    assert "TIME-WAIT" in text


def test_calls_and_both_sockets_of_the_server() -> None:
    calls = objects(trace("hi", "--format", "json").stdout, "call")
    server = [c for c in calls if c["end"] == "server"]
    names = {
        socket: [c["name"] for c in server if c["socket"] == socket]
        for socket in ("listening", "connection")
    }
    # Which of the two closes first is a matter of a moment: the client is done.
    assert names == {
        "listening": ["socket", "setsockopt", "bind", "listen", "accept", "close"],
        "connection": ["recv", "send", "recv", "close"],
    }
    accept = next(c for c in calls if c["name"] == "accept")
    sockets = {c["fd"] for c in server if c["socket"] == "connection"}
    assert sockets == {accept["result"]}
    assert [c["name"] for c in calls if c["end"] == "client"] == [
        *("socket", "connect", "connect", "send", "recv", "close")
    ]
    assert {c["connection"] for c in calls if c["end"] == "client"} == {1}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--size", "10000000"),
        ("--size", "3000000", "--close", "half", "--sniffer", "scapy"),
        ("--connections", "200", "--size", "20000"),
    ],
    ids=" ".join,
)
def test_everything_is_in_order_of_time(arguments: tuple[str, ...]) -> None:
    text = trace(*arguments, "--format", "json").stdout
    *events, account, _ = map(json.loads, text.splitlines())
    assert account["type"] == "account"
    times = [event["time"] for event in events if event["type"] != "account"]
    assert times == sorted(times)


def test_a_slow_reader_changes_nothing_in_the_order() -> None:
    need_namespaces()
    with subprocess.Popen(
        [*COMMAND, "--size", "10000000", "--format", "json"], stdout=subprocess.PIPE, env=ENV
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        # It reads nothing until the whole run has piled up behind the full pipe.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    *events, account, _ = map(json.loads, lines)
    assert account["type"] == "account"
    times = [event["time"] for event in events]
    assert times == sorted(times)


def test_two_signals_end_it_although_nobody_reads(tmp_path: Path) -> None:
    """Two different ones, since of two that are alike one may be lost on the way."""
    need_namespaces()
    with pipe_at(tmp_path / "screen") as screen, pipe_at(tmp_path / "file.jsonl") as file:
        screen.fill()
        with limited(screen.start("trace", "hi", "--format", "json", "-o", str(file.path))) as one:
            file.until(b"TIME-WAIT")  # all of it is there, and the screen has not taken a line
            one.send_signal(signal.SIGINT)
            one.send_signal(signal.SIGTERM)
            assert one.wait(PATIENCE) in (130, 143)


def test_an_empty_message_is_sent_as_it_is() -> None:
    (summary,) = objects(trace("", "--format", "json").stdout, "summary")
    assert summary["connections"][0]["client_bytes"] == 0
    assert summary["connections"][0]["closed_by"] == "fin"


def test_connections_are_open_at_the_same_time() -> None:
    calls = objects(trace("hi", "--connections", "30", "--format", "json").stdout, "call")
    names = [c["name"] for c in calls if c["end"] == "client"]
    assert names.index("send") > max(at for at, name in enumerate(names) if name == "connect")


def test_a_narrow_screen() -> None:
    need_namespaces()
    done = warm.run("trace", "hi", env={**ENV, "COLUMNS": "30"})
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_call_comes_before_the_segment_it_causes() -> None:
    text = trace("hi", "--format", "json").stdout
    *events, _, _ = map(json.loads, text.splitlines())  # the account and the summary are the last
    at = {
        (one.get("name") or "+".join(one["flags"]), one.get("end") or one["from"]): number
        for number, one in reversed(list(enumerate(events)))
    }
    assert at["connect", "client"] < at["SYN", "client"] < at["SYN+ACK", "server"]
    assert at["ACK", "client"] < at["accept", "server"] < at["recv", "server"]
    assert at["send", "client"] < at["PSH+ACK", "client"] < at["recv", "server"]
    assert at["close", "client"] < at["FIN+ACK", "client"]


def test_a_message_that_comes_in_parts() -> None:
    text = trace("x" * 40, "--recv-size", "16", "--format", "json").stdout
    received = [c["result"] for c in objects(text, "call") if c["name"] == "recv"]
    assert received.count(16) >= 4
    assert max(received) == 16


@pytest.mark.parametrize("sniffer", ["ring", "scapy"])
def test_either_sniffer(sniffer: str) -> None:
    got = trace("testing purposes", "--format", "ladder", "--sniffer", sniffer).stdout
    assert_climbs(got)


def test_ipv6_many_connections_and_many_messages() -> None:
    text = trace(
        *("hello", "--ipv6", "--connections", "20", "--count", "3", "--format", "json")
    ).stdout
    (summary,) = objects(text, "summary")
    assert len(summary["connections"]) == 20
    assert {one["server"] for one in summary["connections"]} == {"[::1]:65432"}
    assert {one["closed_by"] for one in summary["connections"]} == {"fin"}
    assert {one["client_bytes"] for one in summary["connections"]} == {15}
    assert {one["number"] for one in summary["connections"]} == set(range(1, 21))


def test_no_calls_absolute_and_verbose() -> None:
    plain = trace("hi", "--no-calls").stdout
    assert "connect" not in plain
    assert "socket" not in plain
    raw = trace("hi", "--absolute", "--format", "terminal").stdout
    assert "SYN seq 0 " not in raw
    verbose = trace("hello there", "--verbose", "--no-calls").stdout
    assert "  dataofs " in verbose
    assert "68 65 6c 6c 6f 20 74 68 65 72 65" in verbose


def test_nagle_off_is_told() -> None:
    calls = objects(trace("hi", "--no-nagle", "--format", "json").stdout, "call")
    assert {"TCP_NODELAY 1"} == {
        c["arguments"] for c in calls if c["name"] == "setsockopt" and c["end"] == "client"
    }


def test_files_of_every_format_are_complete(tmp_path: Path) -> None:
    suffixes = (".txt", ".jsonl", ".ladder", ".pcapng")
    options = [word for suffix in suffixes for word in ("-o", str(tmp_path / f"t{suffix}"))]
    screen = trace("testing purposes", *options).stdout
    assert "the kernel dropped 0" in (tmp_path / "t.txt").read_text("utf-8")
    assert objects((tmp_path / "t.jsonl").read_text(), "summary")
    ladder = (tmp_path / "t.ladder").read_text()
    assert_climbs(ladder)
    assert screen.count("SYN-SENT     ──") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_files_are_complete_when_a_signal_cuts_the_run(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    need_namespaces()
    tshark = need_tool("tshark")
    paths = [tmp_path / "cut.pcapng", tmp_path / "cut.jsonl"]
    with subprocess.Popen(
        [*COMMAND, "x" * 1000, "--count", "1000000", "--format", "json"]
        + [word for path in paths for word in ("-o", str(path))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(50):
            assert process.stdout.readline().startswith(b"{")
        process.send_signal(number)
        rest = process.stdout.read().splitlines()
        assert process.stderr.read() == b""
        assert process.wait() == code
    summary = json.loads(rest[-1])
    assert summary["type"] == "summary"
    lines = [json.loads(line) for line in paths[1].read_text().splitlines()]
    assert lines[-1] == summary
    read = subprocess.run(
        [tshark, "-r", paths[0]], capture_output=True, text=True, check=True
    ).stdout
    assert len(read.splitlines()) == summary["capture"]["frames"]


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    need_namespaces()
    with subprocess.Popen(
        [*COMMAND, "--size", "3000000", "--all"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def run_badly(*arguments: str, wrapper: Sequence[str] = ()) -> tuple[int, str]:
    done = started(*arguments, wrapper=wrapper)
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-o", "x.doc"], 2, "must end in one of .txt, .jsonl, .ladder, .pcapng"),
        (["hi", "--size", "3"], 2, "not both"),
        (["--close", "slam"], 2, "fin"),
        (["--recv-size", "0"], 2, "recv-size"),
        (["-o", "/nonexistent/x.txt"], 1, "Cannot write '/nonexistent/x.txt': No such file"),
        (["--interface", "eth99"], 1, "'eth99' is none"),
    ],
)
def test_bad_input(arguments: list[str], code: int, said: str) -> None:
    got, text = run_badly(*arguments)
    assert got == code
    assert said in text
    assert "Traceback" not in text


def test_where_nothing_is_allowed_it_says_what_would_allow_it() -> None:
    """No namespaces (an inner limit of 0) and no CAP_NET_RAW either."""
    need_namespaces()
    unshare, setpriv = need_tool("unshare"), need_tool("setpriv")
    limit = "echo 0 > /proc/sys/user/max_user_namespaces"
    code, text = run_badly(
        *("hi",),
        wrapper=[
            *(unshare, "-Ur", "sh", "-c"),
            f'{limit} && exec {setpriv} --bounding-set=-all --inh-caps=-all -- "$@"',
            "sh",
        ],
    )
    assert code == 1
    assert "user.max_user_namespaces" in text
    assert "setcap cap_net_raw" in text
    assert "Traceback" not in text


def test_the_machines_own_loopback_where_namespaces_are_not_allowed() -> None:
    need_namespaces()
    unshare = need_tool("unshare")
    limit = "echo 0 > /proc/sys/user/max_user_namespaces"
    done = subprocess.run(
        [
            *(unshare, "-Urn", "sh", "-c", f'ip link set lo up; {limit} && exec "$@"', "sh"),
            *COMMAND,
            *("testing purposes", "--format", "ladder"),
        ],
        capture_output=True,
        text=True,
        env=ENV,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "own loopback is used instead" in done.stderr
    assert_climbs(done.stdout)


def test_other_traffic_on_the_machines_loopback_stays_out() -> None:
    """``--interface lo`` shows the one server's port and nothing else."""
    try:
        socket.socket(getattr(socket, "AF_PACKET", 17), socket.SOCK_RAW).close()
    except OSError:
        need_namespaces()
        pytest.skip("no CAP_NET_RAW here")
    with socket.create_server(("127.0.0.1", 0)) as other:
        need_namespaces()
        with socket.create_connection(other.getsockname()) as chatter:
            text = trace("hi", "--interface", "lo", "--port", "0", "--format", "json").stdout
            chatter.sendall(b"noise")
    (summary,) = objects(text, "summary")
    assert len(summary["connections"]) == 1
    assert summary["capture"]["frames"] == 10
