"""``trioecho read`` as its user sees it."""

from __future__ import annotations

import gzip
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import warm
from capture_file import write as write_capture
from captures import Blocks, pcap
from frames import frames, tcp
from needs import need_tool
from programs import trioecho
from wrapped import OUTER4, ethernet, udp

from trioecho.cli.read_files import SHARED_FROM
from trioecho.model import ACK, PSH
from trioecho.packet.build import ip_packet
from trioecho.packet.link import RAW

ENV = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}
COMMAND = (sys.executable, "-W", "error", "-m", "trioecho", "read")

OPEN = """
+0    > S  0:0(0) win 1000 <mss 1460>
+.01  < S. 0:0(0) ack 1 win 1000 <mss 1460>
+.01  > .  1:1(0) ack 1 win 1000
"""
CLOSE = """
+.01  > F. 6:6(0) ack 1 win 1000
+.01  < F. 1:1(0) ack 7 win 1000
+.01  > .  7:7(0) ack 2 win 1000
"""
GOOD = OPEN + "+.01 > P. 1:6(5) ack 1 win 1000\n+.01 < . 1:1(0) ack 6 win 1000" + CLOSE
BAD = OPEN + "+.01 > P. 1:6(5) ack 1 win 1000\n+.3 > P. 1:6(5) ack 1 win 1000"


def numbered(ladder: str, number: int) -> str:
    """The ladder as that of another connection."""
    return ladder.replace(" > ", f" >{number} ").replace(" < ", f" <{number} ")


def capture(path: Path, ladder: str) -> str:
    packets = [
        (frame.time // 10**9, frame.time % 10**9 // 1000, frame.data, frame.length)
        for _, frame in frames(ladder)
    ]
    path.write_bytes(pcap(*packets, link=RAW))
    return str(path)


@pytest.fixture
def one(tmp_path: Path) -> str:
    return capture(tmp_path / "one.pcap", GOOD)


@pytest.fixture
def two(tmp_path: Path) -> str:
    return capture(tmp_path / "two.pcap", GOOD + numbered(BAD, 2))


def run(*arguments: str, stdin: str | BinaryIO = "") -> subprocess.CompletedProcess[str]:
    return warm.shown("read", *arguments, stdin=stdin, env=ENV)


def show(*arguments: str) -> str:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def objects(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_connection_is_a_ladder(one: str) -> None:
    text = show(one)
    assert "SYN-SENT     ── SYN seq 0" in text
    assert "TIME-WAIT" in text
    assert "closed by FIN" in text


def test_a_table_has_trouble_first(two: str) -> None:
    lines = show(two, "--table").splitlines()
    rows = [line.split() for line in lines if "->" in line]
    assert [row[0] for row in rows] == ["2", "1"]
    text = " ".join(" ".join(lines).split())
    assert "handshake, data and close seen" in text
    assert "handshake and data seen; no close: the capture ends first" in text
    assert "retransmission of rung" in text


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--sort", "number"], ["1", "2", "3"]),
        (["--limit", "1"], ["2"]),
        (["--only", "trouble", "--table"], ["2"]),
        (["--port", "7", "--limit", "2"], ["2", "1"]),
        (["--host", "10.0.0.1", "--sort", "duration"], ["2", "1", "3"]),
        (["--host", "10.9.9.9"], []),
    ],
)
def test_selections(tmp_path: Path, options: list[str], numbers: list[str]) -> None:
    three = capture(tmp_path / "three.pcap", GOOD + numbered(BAD, 2) + numbered(GOOD, 3))
    rows = [line.split() for line in show(three, *options).splitlines() if "->" in line]
    assert [row[0] for row in rows] == numbers


def test_a_selection_of_one_is_a_ladder(two: str) -> None:
    assert "retransmission of rung" in show(two, "--port", "40001")


def test_more_than_three_are_a_table_unless_a_ladder_is_asked_for(tmp_path: Path) -> None:
    four = capture(tmp_path / "four.pcap", GOOD + "".join(numbered(GOOD, one) for one in (2, 3, 4)))
    assert "4 connections; --connection N" in " ".join(show(four).split())
    assert "SYN-SENT " not in show(four)
    text = show(four, "--ladder")
    assert text.count("SYN-SENT  ") == 4
    assert "4 connections" in " ".join(text.split()), "its summary is a table"


def test_those_that_share_a_trouble_are_one_row(tmp_path: Path) -> None:
    bad = "".join(numbered(BAD, one) for one in range(2, 7))
    six = capture(tmp_path / "six.pcap", GOOD + bad)
    rows = show(six).split("\n\n", 1)[1].splitlines()
    assert rows[0].startswith("5 of 6 connections to 10.0.0.2:7: handshake and data seen")
    assert "connections 2-6; the first began" in rows[2]
    assert [row.split()[0] for row in rows if "->" in row] == ["1"]
    every = show(six, "--all").splitlines()
    assert [row.split()[0] for row in every if "->" in row] == ["2", "3", "4", "5", "6", "1"]


@pytest.mark.parametrize("options", [[], ["--sort", "lost"], ["--only", "trouble"]])
def test_what_held_connections_up_is_the_same_from_a_pipe(options: list[str]) -> None:
    """A file is read again for the rows that are shown; a pipe can't be."""
    shop = Path(__file__).parents[2] / "docs" / "captures" / "shop.pcap"
    read = trioecho("read", str(shop), *options)
    piped = trioecho("read", "-", *options, stdin=shop.read_bytes())
    assert (read.returncode, piped.returncode) == (0, 0)
    rows = [done.stdout.decode().split("\n\n", 1)[1] for done in (read, piped)]
    assert rows[0] == rows[1]
    assert rows[0].count("1.75 s of 1.79 s: the client's program did not read") == 1


def test_a_headline_stands_above_a_ladder_and_below_one_from_a_pipe(two: str) -> None:
    held = "data was lost, and the sender waited for its timer (rungs"
    text = show(two, "--connection", "2")
    assert held in " ".join(text.split("rung  client")[0].split())
    assert " ".join(text.split()).count(held) == 1
    piped = trioecho("read", "-", "--connection", "2", stdin=Path(two).read_bytes())
    before, after = piped.stdout.decode().split("rung  client")
    assert held not in " ".join(before.split())
    assert held in " ".join(after.split())


def test_the_ladder_of_one_of_many(two: str) -> None:
    text = show(two, "--connection", "2")
    assert "retransmission of rung" in text
    assert "TIME-WAIT" not in text


def test_json_has_every_connection_in_the_order_of_the_capture(two: str) -> None:
    *rungs, one, other, summary = objects(show(two, "--format", "json"))
    assert [account["connection"] for account in (one, other)] == [1, 2]
    assert one.keys() >= {"type", "client", "server", "duration", "tap", "headline", "causes"}
    assert [rung["frame"] for rung in rungs] == list(range(1, len(rungs) + 1))
    assert {rung["connection"] for rung in rungs} == {1, 2}
    assert [one["number"] for one in summary["connections"]] == [1, 2]
    assert summary["connections"][0]["closed_by"] == "fin"


def test_json_of_trouble_alone(two: str) -> None:
    *rungs, account, _ = objects(show(two, "--format", "json", "--only", "trouble"))
    assert (account["type"], account["connection"]) == ("account", 2)
    assert {rung["connection"] for rung in rungs} == {2}


def test_a_pipe_is_read_as_it_comes(one: str) -> None:
    """The first rungs are shown while the writer still holds the pipe open."""
    data = Path(one).read_bytes()
    with subprocess.Popen(
        [*COMMAND, "-", "--format", "json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(data)
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        assert first["flags"] == ["SYN"]
        process.stdin.close()
        rest = process.stdout.read().splitlines()
    assert json.loads(rest[-1])["type"] == "summary"
    assert process.returncode == 0


def test_compressed_files_and_several_at_once(one: str, two: str, tmp_path: Path) -> None:
    packed = tmp_path / "one.pcap.gz"
    packed.write_bytes(gzip.compress(Path(one).read_bytes()))
    text = show(str(packed), two)
    assert "conn" in text  # the second has two
    assert "SYN-SENT" in text


def test_a_truncated_file_shows_what_there_is_and_says_where_it_ends(
    one: str, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(Path(one).read_bytes()[:-10])
    done = run(str(cut))
    assert done.returncode == 1
    assert "SYN-SENT" in done.stdout
    (line,) = done.stderr.splitlines()
    assert "truncated in the middle of a packet at byte" in line


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"GET / HTTP/1.1\r\n\r\n", "looks like text"),
        (b"PK\x03\x04" + bytes(40), "a zip archive"),
    ],
)
def test_what_is_no_capture(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(data)
    done = run(str(path))
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_not_there() -> None:
    done = run("nowhere.pcap")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no file nowhere.pcap" in done.stderr


def talk(path: Path, payload: bytes, answer: bytes = b"") -> str:
    packets = [
        tcp("client", 2, 99),
        tcp("server", 18, 499, 100),
        tcp("client", ACK | PSH, 100, 500, payload),
        tcp("server", ACK | PSH, 500, 100 + len(payload), answer),
    ]
    path.write_bytes(pcap(*((1, at, data, len(data)) for at, data in enumerate(packets)), link=RAW))
    return str(path)


def test_follow_shows_both_streams(tmp_path: Path) -> None:
    path = talk(tmp_path / "t.pcap", b"one\r\ntwo\n", b"three")
    assert show(path, "--follow", "1").splitlines() == ["> one", "> two", "< three"]


def test_follow_writes_them_raw(tmp_path: Path) -> None:
    path = talk(tmp_path / "t.pcap", bytes(range(256)), b"\0\xff")
    show(path, "--follow", "1", "-o", str(tmp_path / "s.raw"))
    assert (tmp_path / "s.client.raw").read_bytes() == bytes(range(256))
    assert (tmp_path / "s.server.raw").read_bytes() == b"\0\xff"


EVIL = b"\x1b[2J\x1b]0;owned\x07 \xe2\x80\xae[bold red]x[/] \xc2\x9b31m\r"


@pytest.mark.parametrize("options", [[], ["--follow", "1"], ["--verbose"], ["--format", "json"]])
def test_nothing_from_the_wire_steers_the_terminal(tmp_path: Path, options: list[str]) -> None:
    text = show(talk(tmp_path / "t.pcap", EVIL, EVIL), *options)
    for character in ("\x1b", "\x07", "\u202e", "\x9b", "\r"):
        assert character not in text


def test_outputs_and_tshark(two: str, tmp_path: Path) -> None:
    tshark = need_tool("tshark")
    paths = [tmp_path / f"x{suffix}" for suffix in (".pcapng", ".jsonl", ".ladder", ".txt")]
    show(two, *(word for path in paths for word in ("-o", str(path))))
    read = subprocess.run(
        [tshark, "-r", paths[0], "-T", "fields", "-e", "tcp.stream", "-e", "frame.comment"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    rungs = [one for one in objects(paths[1].read_text()) if one["type"] == "rung"]
    assert len(read) == len(rungs)
    assert [int(line.split("\t")[0]) for line in read] == [r["connection"] - 1 for r in rungs]
    assert paths[2].read_text().count(" >2 ") == 5 - 1
    assert "#2" in paths[3].read_text("utf-8")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_its_files_complete(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    big = tmp_path / "big.pcap"
    write_capture(big, 200_000, 40)
    out = tmp_path / "out.jsonl"
    with subprocess.Popen(
        [*COMMAND, str(big), "--format", "json", "-o", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(number)
        process.stdout.read()
        assert process.stderr.read() == b""
        assert process.wait() == code
    assert objects(out.read_text())[-1]["type"] == "summary"


#: A program that waits for nothing before its progress bar appears.
AT_ONCE = (
    "from trioecho.cli import capture_files, main\ncapture_files.PATIENCE = -1\nmain()",
    "read",
    "--table",
)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_progress_bar_needs_a_terminal(tmp_path: Path, terminal: bool) -> None:
    long = tmp_path / "long.pcap"
    write_capture(long, 2_000, 10)
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        done = subprocess.run(
            [sys.executable, "-c", *AT_ONCE, str(long)],
            stdout=subprocess.DEVNULL,
            stderr=theirs if terminal else subprocess.PIPE,
            env={**ENV, "TERM": "xterm"},
            check=True,
        )
        os.close(theirs)
        with suppress(OSError):  # a terminal that nobody else has open is at its end
            assert (b"%" in screen.read(1 << 16)) is terminal
    assert not done.stderr


def test_memory_does_not_grow_with_the_length_of_the_file(tmp_path: Path) -> None:
    """Ten times the frames over as many connections: the same peak, within a tenth."""
    peaks = []
    for name, count in (("short", 20_000), ("long", 200_000)):
        path = tmp_path / name
        write_capture(path, count, 50)
        code = (
            "import resource, subprocess, sys\n"
            f"subprocess.run({[*COMMAND, str(path)]!r}, stdout=subprocess.DEVNULL, check=True)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] <= 1.1 * peaks[0]


def test_a_large_file_on_standard_input_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large.pcap"
    write_capture(path, 70_000, 20)
    assert path.stat().st_size > SHARED_FROM
    with path.open("rb") as file:
        done = subprocess.run([*COMMAND, "-"], stdin=file, capture_output=True, text=True, env=ENV)
    assert done.returncode == 0
    assert not done.stderr
    assert rows(done.stdout) == rows(show(str(path)))


def rows(table: str) -> list[str]:
    """A table's rows, without its title, which names the file."""
    return table.split("\n\n", 1)[1].splitlines()


def test_cut_while_several_processes_read_it_shows_no_half_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "large.pcap"
    write_capture(path, 400_000, 20)
    with subprocess.Popen(
        [*COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        readers: list[str] = []
        while process.poll() is None and not readers:
            readers = [child for child in children.read_text().split() if reads(child, path)]
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert readers
    assert (process.returncode, output, errors) == (130, b"", b"")
    assert not any(Path(f"/proc/{child}").exists() for child in readers)


def reads(process: str, path: Path) -> bool:
    """Whether a process has a file open."""
    with suppress(OSError):  # it ends just now
        return any(file.readlink() == path for file in Path(f"/proc/{process}/fd").iterdir())
    return False


def test_the_input_is_never_overwritten(one: str, tmp_path: Path) -> None:
    path = tmp_path / "in.pcapng"
    show(one, "-o", str(path))
    before = path.read_bytes()
    link = tmp_path / "link.pcapng"
    link.symlink_to(path)
    for output in (path, link):
        done = run(str(path), "-o", str(output))
        assert done.returncode == 2
        assert "would be overwritten" in done.stderr
    assert path.read_bytes() == before


def test_nor_by_the_streams_that_are_followed(tmp_path: Path) -> None:
    path = Path(talk(tmp_path / "x.client.raw", b"one", b"two"))
    before = path.read_bytes()
    done = run(str(path), "--follow", "1", "-o", str(tmp_path / "x.raw"))
    assert done.returncode == 2
    assert path.read_bytes() == before


def test_nor_by_what_it_is_redirected_to(one: str, tmp_path: Path) -> None:
    path = tmp_path / "in.pcapng"
    show(one, "-o", str(path))
    before = path.read_bytes()
    with path.open("rb") as file:
        assert run("-", "-o", str(path), stdin=file).returncode == 2
    assert path.read_bytes() == before


def test_what_an_output_held_is_not_lost_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text("kept")
    done = run("nowhere.pcap", "-o", str(path))
    assert done.returncode == 1
    assert "There is no file nowhere.pcap" in done.stderr
    assert path.read_text() == "kept"


def test_a_picture_shows_one_file(one: str, two: str, tmp_path: Path) -> None:
    done = run(one, two, "-o", str(tmp_path / "both.svg"))
    assert done.returncode == 2
    assert "is a picture of one file" in done.stderr


def test_only_trouble_holds_in_files_too(two: str, tmp_path: Path) -> None:
    path = tmp_path / "trouble.jsonl"
    text = show(two, "--only", "trouble", "-o", str(path))
    assert "SYN-SENT" in text
    assert {one["connection"] for one in objects(path.read_text()) if "connection" in one} == {2}


def test_only_trouble_has_the_one_that_nobody_answered(tmp_path: Path) -> None:
    """Though each of its segments is as it should be: it takes the end to tell."""
    path = capture(tmp_path / "alone.pcap", GOOD + "\n+.1 >2 S 0:0(0)")
    file = tmp_path / "alone.jsonl"
    for more in ([], ["--table"], ["--format", "json"], ["-o", str(file)]):
        text = show(path, "--only", "trouble", *more)
        assert "40001" in text or "SYN" in text
        assert "40000" not in text
    assert {one["connection"] for one in objects(file.read_text()) if "connection" in one} == {2}


def test_only_trouble_leaves_out_the_one_that_had_none(one: str) -> None:
    assert "0 of 1 connection" in " ".join(show(one, "--only", "trouble").split())
    assert "SYN" not in show(one, "--only", "trouble")


def test_a_filter_that_nothing_matches_says_how_many_there_are(two: str, tmp_path: Path) -> None:
    path = tmp_path / "none.txt"
    assert ": 0 of 2 connections" in " ".join(show(two, "--port", "99", "-o", str(path)).split())
    assert "\n0 of 2 connections\n" in path.read_text()
    *_, summary = objects(show(two, "--host", "192.0.2.9", "--format", "json"))
    assert (summary["connections"], summary["others"]) == ([], 2)


@pytest.mark.parametrize("option", ["--connection", "--follow"])
def test_a_connection_that_is_none_of_those_asked_for(two: str, option: str) -> None:
    done = run(two, option, "1", "--port", "9999")
    assert done.returncode == 1
    assert "Connection 1 of" in done.stderr
    assert "does not match the filters" in done.stderr


def test_frames_of_a_foreign_kind_are_told(tmp_path: Path) -> None:
    path = tmp_path / "usb.pcap"
    path.write_bytes(pcap((1, 0, b"\x08\x01" * 40, 80), link=189))
    done = run(str(path))
    assert done.returncode == 1
    assert "frames of link type 189, USB_LINUX" in done.stderr
    assert "0 connections in 1 frame: 1 USB_LINUX" in " ".join(done.stdout.split())


def test_a_file_without_tcp_says_what_it_holds(tmp_path: Path) -> None:
    query = ethernet(ip_packet(*OUTER4, 17, udp(53, b"")))
    other = ethernet(bytes(28), b"\x08\x06")
    path = tmp_path / "dns.pcap"
    path.write_bytes(pcap(*[(1, at, data, 42) for at, data in enumerate([query] * 49 + [other])]))
    said = " ".join(show(str(path)).split())
    assert said.endswith("0 connections in 50 frames: 49 UDP, most of them port 53; 1 ARP")


def test_only_trouble_reads_a_pipe_once(two: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"cat {two} | {shlex.join(COMMAND)} - --only trouble --format json"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *rungs, summary = objects(done.stdout)
    *wanted, same = objects(show(two, "--only", "trouble", "--format", "json"))
    assert rungs == wanted
    assert summary["connections"] == same["connections"]


def test_a_file_that_cannot_be_read_keeps_no_other_from_it(one: str, two: str) -> None:
    done = run(one, "nowhere.pcap", two)
    assert done.returncode == 1
    assert "There is no file nowhere.pcap" in done.stderr
    assert "SYN-SENT" in done.stdout
    assert "connection 2: 10.0.0.1:40001" in done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--follow", "99"],
        *(["--connection", "99", "--format", name] for name in ("terminal", "json", "ladder")),
        ["--connection", "99", "--only", "trouble"],
    ],
)
def test_a_connection_that_is_not_there(two: str, options: list[str]) -> None:
    done = run(two, *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"trioecho: {two} has no connection 99: there are 2 connections\n"


def test_a_connection_that_is_not_there_leaves_no_empty_file(two: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"x{suffix}" for suffix in (".txt", ".jsonl", ".ladder", ".pcapng", ".svg")]
    outputs = [word for path in paths for word in ("-o", str(path))]
    assert run(two, "--connection", "99", *outputs).returncode == 1
    assert not [path for path in paths if path.exists()]


@pytest.mark.parametrize("option", ["--connection", "--follow"])
def test_where_there_is_no_tcp_it_says_what_there_is(tmp_path: Path, option: str) -> None:
    path = tmp_path / "x.pcap"
    for packets, said in (([], "0 frames"), ([(0, 0, bytes(64), 64)], "1 frame: 1 USB_LINUX")):
        path.write_bytes(pcap(*packets, link=189))
        with path.open("rb") as file:
            done = run("-", option, "1", stdin=file)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"standard input has no connection 1: there is none in {said}\n" in done.stderr


def test_one_of_several_files_has_the_connection(one: str, two: str) -> None:
    done = run(one, two, "--connection", "2", "--format", "ladder")
    assert done.returncode == 1
    assert done.stderr == f"trioecho: {one} has no connection 2: there is 1 connection\n"
    assert done.stdout.startswith(f"# {two}")


def test_the_values_of_a_connection(one: str) -> None:
    (summary,) = [value for value in objects(show(one, "--format", "json")) if "capture" in value]
    (connection,) = summary["connections"]
    assert connection["completeness"] == "handshake, data and close seen"
    assert connection["initial_rtt"] == 0.02
    assert connection["client_rtt"]["min"] == 0.01
    assert connection["client_states"] == {
        "SYN-SENT": 0.01,
        "ESTABLISHED": 0.04,
        "FIN-WAIT-1": 0.01,
    }
    assert summary["capture"]["dropped"] is None
    text = " ".join(show(one).split())
    assert "client was in SYN-SENT 10 ms, ESTABLISHED 40 ms" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "foo"], "is not an IP address"),
        (["--follow", "1", "--connection", "2"], "--follow"),
        (["--follow", "1", "--format", "json"], "--format"),
        (["-o", "x.doc"], "must end in one of"),
        (["--follow", "1", "-o", "x.txt"], "must end in one of .raw"),
        (["-o", "a.txt", "-o", "a.txt"], "given twice"),
        (["--sort", "x"], "trouble"),
        (["--limit", "3", "--format", "json"], "table"),
        (["--sort", "bytes", "--connection", "1"], "--sort"),
        (["--table", "--connection", "1"], "--connection"),
        (["--ladder", "--limit", "1"], "--ladder"),
        (["--follow", "1", "--table"], "no table"),
    ],
)
def test_usage(one: str, arguments: list[str], said: str) -> None:
    done = run(one, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_a_file_says_of_drops_is_told(tmp_path: Path) -> None:
    blocks = Blocks()
    packets = [blocks.packet(frame.time, frame.data) for _, frame in frames(OPEN)]
    drops = (5, blocks.pack("Q", 77))
    for count, more in ((1, []), (2, frames(OPEN.replace("> S  0:0", "> S  9:9")))):
        path = tmp_path / f"{count}.pcapng"
        others = [blocks.packet(frame.time, frame.data) for _, frame in more][:1]
        told = blocks.block(5, blocks.pack("III", 0, 0, 0) + blocks.options(drops))
        head = blocks.section() + blocks.interface((9, b"\x09"), link=RAW)
        path.write_bytes(head + b"".join(packets + others) + told)
    assert "! 3 TCP frames in" in show(str(tmp_path / "1.pcapng"))
    assert "the capture dropped 77 packets: this ladder may have holes" in " ".join(
        show(str(tmp_path / "1.pcapng")).split()
    )
    assert "2 connections; the capture dropped 77 packets;" in " ".join(
        show(str(tmp_path / "2.pcapng"), "--table").split()
    )
    *_, last = show(str(tmp_path / "1.pcapng"), "--format", "json").splitlines()
    assert json.loads(last)["capture"]["dropped"] == 77
