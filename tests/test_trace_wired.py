"""``trioecho trace --fault``: the echo on a private wire, as any user would start it."""

# covers: stage/kernels, stage/stage

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import warm
from needs import need_tool, need_wires

COMMAND = (sys.executable, "-W", "error", "-m", "trioecho", "trace")


def trace(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    need_wires()
    done = warm.shown("trace", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def events(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    done = trace("--format", "json", *arguments, code=code)
    return [json.loads(line) for line in done.stdout.splitlines()]


def rungs(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    return [one for one in events(*arguments, code=code) if one["type"] == "rung"]


def kinds(rung: dict[str, Any]) -> list[str]:
    return [note["kind"] for note in rung["notes"]]


def test_a_lost_syn_ack_comes_again_after_a_second() -> None:
    ladder = rungs("--fault", "drop syn-ack")
    synacks = [one for one in ladder if one["flags"] == ["SYN", "ACK"]]
    assert synacks[0]["lost"]
    assert synacks[0]["fault"] == "drop syn-ack"
    assert synacks[0]["arrived"] is None
    assert not synacks[-1]["lost"]
    assert synacks[-1]["time"] - synacks[0]["time"] > 0.9
    assert "retransmission" in kinds(synacks[-1])
    assert (ladder[-1]["client_state"], ladder[-1]["server_state"]) == ("TIME-WAIT", "CLOSED")


def test_the_retransmission_timeout_doubles() -> None:
    data = [one for one in rungs("--fault", "drop client data 1 3 times") if one["length"]]
    mine = [one for one in data if one["from"] == "client"]
    assert [one["lost"] for one in mine] == [True, True, True, False]
    # The first is a tail loss probe; from then on the timer doubles.
    times = [one["time"] for one in mine]
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps[2] / gaps[1] == pytest.approx(2, rel=0.3)
    repeated = [note["of"] for one in mine[1:] for note in one["notes"] if "of" in note]
    assert repeated == [mine[0]["number"]] * 3


def test_a_lost_segment_is_asked_for_by_sack_and_repeated() -> None:
    ladder = rungs("--size", "20000", "--fault", "drop client data 3")
    (lost,) = (one for one in ladder if one["lost"])
    again = next(one for one in ladder if one["seq"] == lost["seq"] and one is not lost)
    assert {"retransmission", "fast-retransmission"} & set(kinds(again))
    assert any("sack" in kinds(one) for one in ladder if one["from"] == "server")


@pytest.mark.parametrize(
    ("end", "answer", "by", "flags"),
    [("client", "rst", "server", ["RST"]), ("server", "ack", "client", ["ACK"])],
)
def test_an_ack_that_comes_behind_the_close_is_answered(
    end: str, answer: str, by: str, flags: list[str]
) -> None:
    """By a RST of the server, which is closed, and by an ACK of the client in TIME-WAIT."""
    ladder = rungs("--fault", f"delay {end} ack 1 1s", "hi")
    late = next(one for one in ladder if one["fault"])
    (note,) = (one for one in late["notes"] if one["kind"] == "older-ack")
    assert note["answer"] == answer
    behind = (one["number"] for one in ladder if one["from"] == end and one["time"] > late["time"])
    assert note["of"] == next(behind)
    drawn = next(one for one in ladder if one["time"] >= late["arrived"])
    assert (drawn["from"], drawn["flags"]) == (by, flags)
    if answer == "ack":
        assert drawn["notes"][0]["cause"] == "old"
        assert drawn["notes"][0]["old"] == late["number"]


def test_a_syn_that_was_doubled_is_answered_twice() -> None:
    first, again = (
        one
        for one in rungs("--fault", "duplicate syn")
        if "SYN" in one["flags"][:1] and "ACK" in one["flags"]
    )
    (note,) = (one for one in again["notes"] if one["kind"] == "retransmission")
    assert (note["cause"], note["of"]) == ("repeated-syn", first["number"])


def test_the_summary_says_what_held_the_connection_up() -> None:
    text = " ".join(trace("--fault", "drop syn-ack").stdout.split())
    assert ": a SYN or SYN-ACK had to be sent again (rungs 1 to " in text
    *_, account, _ = events("--fault", "drop syn-ack")
    top = account["causes"][0]
    assert (top["cause"], top["end"], top["certainty"]) == ("handshake-loss", "path", "proven")
    assert 0.9 < top["time"] <= account["duration"]
    assert account["tap"] == "wire"


def test_a_reset_that_answers_an_ack_behind_the_close_says_so() -> None:
    ladder = rungs("--fault", "delay client ack 1 1s", "hi")
    late = next(one for one in ladder if one["fault"])
    assert [note["of"] for note in ladder[-1]["notes"] if note["cause"] == "old-ack"] == [
        late["number"]
    ]


def test_a_forged_reset_is_told_as_what_it_is_and_ends_the_connection() -> None:
    """None of the two ends is blamed for it, in the notes, in the summary, and as it fails."""
    told = ("--size", "40000", "--fault", "inject rst after client data 2")
    *before, summary = events(*told, code=1)
    (forged,) = (one for one in before if one.get("kind") == "injected")
    assert [note["cause"] for note in forged["notes"]] == ["forged"]
    (connection,) = summary["connections"]
    assert (connection["closed_by"], connection["reset_by"]) == ("rst", "wire")
    assert "cut by a forged reset" in connection["completeness"]
    failed = trace(*told, code=1)
    assert "The connection was ended by a reset that the wire forged" in failed.stderr
    assert "closed by RST, which the wire forged" in " ".join(failed.stdout.split())


@pytest.mark.parametrize(
    ("offset", "cause", "challenges"), [(1_000, "challenged", 1), (1 << 30, "out-of-window", 0)]
)
def test_a_forged_reset_with_another_number_ends_nothing(
    offset: int, cause: str, challenges: int
) -> None:
    """RFC 5961 §3.2: within the window it is challenged, outside of it dropped."""
    *before, summary = events("--fault", f"inject rst offset {offset} after client data 1")
    notes = [note for one in before for note in one.get("notes", ())]
    assert [one["cause"] for one in notes if one["kind"] == "connection-rst"] == [cause]
    asked = [one for one in before if one["type"] == "rung" and "challenge-ack" in kinds(one)]
    assert len(asked) == challenges
    assert summary["connections"][0]["closed_by"] == "fin"


def test_each_segment_has_two_times() -> None:
    ladder = rungs("--fault", "delay 20ms")
    assert all(0.020 <= one["arrived"] - one["time"] < 1 for one in ladder)
    assert [one["time"] for one in ladder] == sorted(one["time"] for one in ladder)


def test_a_copy_and_a_forgery_are_told_as_such() -> None:
    copied = [one for one in rungs("--fault", "duplicate client data 1") if one["length"]]
    assert [one["fault"] for one in copied[:2]] == ["duplicate client data 1"] * 2
    assert [one["kind"] for one in copied[:3]] == ["original", "copy", "original"]
    forged = rungs("--size", "5000", "--fault", "inject rst after client data 2", code=1)
    (rst,) = (one for one in forged if one["fault"].startswith("inject"))
    assert rst["flags"] == ["RST", "ACK"]
    assert rst["kind"] == "injected"
    assert rst["client_state"] == "ESTABLISHED"  # who did not send it knows nothing
    assert rst["server_state"] == "CLOSED"


def test_a_broken_one_is_told_from_a_lost_one() -> None:
    faults = ("--fault", "delay data 50ms", "--fault", "corrupt client data 1")
    told = [(one["kind"], one["lost"], one["broken"]) for one in rungs(*faults) if one["lost"]]
    assert told == [("original", True, True)]
    dropped = ("--fault", "corrupt client data 1", "--fault", "drop client data 1")
    told = [(one["kind"], one["lost"], one["broken"]) for one in rungs(*dropped) if one["lost"]]
    assert told == [("original", True, False)]


def test_a_path_that_takes_no_large_packets() -> None:
    """It says so, and smaller segments follow."""
    got = rungs("--size", "2000", "--fault", "path mtu 1000")
    lost = [one for one in got if one["lost"]]
    assert lost
    assert all(one["too_large"] for one in lost)
    again = [note for one in got for note in one["notes"] if note["kind"] == "retransmission"]
    assert {note["cause"] for note in again} == {"path-mtu"}


def test_the_kernel_is_asked_beside_each_rung() -> None:
    ladder = rungs("--kernel")
    assert all("client_kernel" in one or "server_kernel" in one for one in ladder)
    assert ladder[-1]["client_kernel"]["state"] == "TIME-WAIT"
    assert ladder[-1]["client_kernel"]["rto"] is None  # it is not kept any more
    third = ladder[2]
    for end in ("client", "server"):
        kernel = third[f"{end}_kernel"]
        assert kernel["state"] == third[f"{end}_state"] == "ESTABLISHED"
        assert 0.1 < kernel["rto"] < 5
        assert kernel["cwnd"] >= 1
    text = trace("--kernel").stdout
    assert "client's kernel: SYN-SENT" in text
    assert "cwnd 10" in text


def test_a_forged_syn_changes_neither_the_ladder_nor_the_kernels() -> None:
    ladder = rungs("--kernel", "--size", "5000", "--fault", "inject syn after client data 2")
    (at,) = (at for at, one in enumerate(ladder) if one["fault"].startswith("inject"))
    assert ladder[at]["flags"] == ["SYN"]
    assert kinds(ladder[at]) == ["forged-syn"]
    assert {one["connection"] for one in ladder} == {1}
    assert any("challenge-ack" in kinds(one) for one in ladder[at:])
    for one in ladder[at:]:
        for end in ("client", "server"):
            if f"{end}_kernel" in one:
                assert one[f"{end}_kernel"]["state"] == one[f"{end}_state"]
    assert (ladder[-1]["client_state"], ladder[-1]["server_state"]) == ("TIME-WAIT", "CLOSED")


@pytest.mark.parametrize(
    ("fault", "found", "closed_by"),
    [
        ("inject syn to client after client syn", "answers-forged", "rst"),
        ("inject syn to server after client syn", "challenge-ack", "fin"),
    ],
)
def test_a_syn_is_forged_while_a_connection_opens(fault: str, found: str, closed_by: str) -> None:
    """An end in SYN-SENT takes it for its peer's, and what it answers is reset; one that has the
    peer's own SYN does not (RFC 9293 §3.10.7.3 and §3.10.7.4)."""
    seen = events("--kernel", "--fault", fault, code=closed_by == "rst")
    ladder = [one for one in seen if one["type"] == "rung"]
    (summary,) = seen[-1]["connections"]
    assert summary["closed_by"] == closed_by
    assert [kinds(one) for one in ladder[1:2]] == [["forged-syn"]]
    assert any(found in kinds(one) for one in ladder[2:])
    for one in ladder[2:]:
        assert 0 <= one["seq"] < 1_000
        assert 0 <= (one["ack"] or 0) < 1_000
        for end in ("client", "server"):
            if f"{end}_kernel" in one and one[f"{end}_state"] not in ("LISTEN", "TIME-WAIT"):
                assert one[f"{end}_kernel"]["state"] == one[f"{end}_state"], one


def test_a_fault_that_never_matched_is_said() -> None:
    done = trace("--fault", "drop client data 9")
    assert "'drop client data 9' never matched: the client sent 1 segment of data" in done.stdout
    (summary,) = (
        one for one in events("--fault", "drop client data 9") if one["type"] == "summary"
    )
    assert len(summary["unmatched"]) == 1


def test_ipv6_and_many_connections() -> None:
    ladder = rungs("--ipv6", "--connections", "5", "--fault", "drop client data 1")
    assert {one["connection"] for one in ladder} == {1, 2, 3, 4, 5}
    lost = [one["connection"] for one in ladder if one["lost"]]
    assert sorted(lost) == [1, 2, 3, 4, 5]  # a fault acts in each connection on its own


@pytest.mark.parametrize("close", ["fin", "rst", "half"])
def test_every_close(close: str) -> None:
    ladder = rungs("--close", close, "--fault", "delay 1ms")
    states = ladder[-1]["client_state"], ladder[-1]["server_state"]
    assert states == (("CLOSED", "CLOSED") if close == "rst" else ("TIME-WAIT", "CLOSED"))


def test_tshark_reads_what_was_sent(tmp_path: Path) -> None:
    tshark = need_tool("tshark")
    path, json_path = tmp_path / "wire.pcapng", tmp_path / "wire.jsonl"
    trace("--size", "9000", "--fault", "drop client data 2", "-o", str(path), "-o", str(json_path))
    done = subprocess.run(
        [tshark, "-r", str(path), "-T", "fields", "-e", "tcp.seq", "-e", "tcp.len"],
        capture_output=True,
        check=True,
        text=True,
    )
    ours = [json.loads(line) for line in json_path.read_text().splitlines()]
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        [str(one["seq"]), str(one["length"])] for one in ours if one["type"] == "rung"
    ]


def test_bad_faults_are_one_sentence() -> None:
    done = trace("--fault", "dorp syn", code=1)
    assert done.stderr.startswith("trioecho: The fault 'dorp syn': word 1, 'dorp', is not valid")
    assert done.stderr.endswith("Did you mean 'drop'?\n")
    assert done.stdout == ""


def test_a_wire_is_no_interface_of_this_machine() -> None:
    done = trace("--fault", "drop syn", "--interface", "lo", code=2)
    assert "a private wire has its own capture" in done.stderr


@contextmanager
def at_work(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A trace whose client's data is always lost, from its first retransmission on."""
    need_wires()
    process = subprocess.Popen(
        [*COMMAND, "--fault", "drop client data 1 always", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if "retransmission" in line:
                break
        yield process


def test_ctrl_c_finishes_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with at_work("-o", str(path)) as process:
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")
    assert "on private wire" in rest
    assert "trioecho stopped the client, since you stopped the trace" in " ".join(rest.split())
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [one["end"] for one in events if one["type"] == "stopped"] == ["client", "server"]
    assert not [one for one in events if "unread-data" in str(one) or "gave_up" in one]
    assert json.loads(path.read_text().splitlines()[-1])["type"] == "summary"


def test_what_we_end_after_the_client_is_told_as_ours() -> None:
    """The client gives up, its FIN is lost, and so we abort the server's connection."""
    faults = [f"--fault=drop {what} always" for what in ("server data", "client fin")]
    ladder = events("hi", "--timeout", "0.2", *faults, code=1)
    stopped = [one for one in ladder if one["type"] == "stopped"]
    assert [(one["end"], one["why"]) for one in stopped] == [("server", "the client has ended")]
    after = ladder[ladder.index(stopped[0]) :]
    assert [one["name"] for one in after if one["type"] == "call"] == ["setsockopt", "close"]
    assert "RST" in next(one for one in after if one["type"] == "rung")["flags"]
    assert "unread-data" not in str(ladder)
    assert ladder[-1]["type"] == "summary"


def test_a_picture_that_was_not_finished_takes_nothing_from_the_one_before(tmp_path: Path) -> None:
    old, new = tmp_path / "old.svg", tmp_path / "new.svg"
    old.write_text("a picture")
    with at_work("-o", str(old), "-o", str(new)) as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGINT)
        for _ in process.stdout:
            break  # what the first one asks for has begun
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert old.read_text() == "a picture" or old.read_text().endswith("</svg>\n")
    assert not new.exists() or new.read_text().endswith("</svg>\n")


def test_an_answer_that_comes_after_the_client_gave_up() -> None:
    ladder = rungs("--fault", "delay 400ms", "--timeout", "0.6", code=1)
    (synack,) = [one for one in ladder if one["flags"] == ["SYN", "ACK"]]
    assert "late-synack" in kinds(synack)
    assert synack["client_state"] == "CLOSED"
    assert ladder[-1]["flags"] == ["RST"]


@pytest.mark.parametrize("end", ["client", "server", "both"])
def test_a_forged_reset_is_no_ends_own(end: str) -> None:
    done = trace("--fault", f"inject rst to {end} after client data 1", "--timeout", "2", code=1)
    said = " ".join(done.stdout.split())
    assert "closed by RST, which the wire forged" in said
    assert "aborts" not in said
    assert "ended abruptly" not in said
    assert "The server reset the" not in done.stderr
