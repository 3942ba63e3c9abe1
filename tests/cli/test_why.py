"""``trioecho why``: where the time of the connections in a file went."""

# covers: cli/capture_files, cli/why_files

from __future__ import annotations

import json
from pathlib import Path

import pytest
from programs import trioecho

SHOP = Path(__file__).parents[2] / "docs" / "captures" / "shop.pcap"


def why(*arguments: str, stdin: bytes = b"") -> list[str]:
    done = trioecho("why", *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def test_many_connections_each_with_its_headline() -> None:
    said = why(str(SHOP))
    assert said[0] == "     4 10.0.0.1:40003 -> 10.0.0.2:7"  # it lost most
    assert said[1:3] == [
        "       1.75 s of 1.79 s: the client's program did not read (full window, rungs",
        "       32 to 37)",
    ]
    assert said[-1] == "for a connection's whole account: --connection N"


def test_only_so_many() -> None:
    said = why(str(SHOP), "--limit", "1")
    assert sum(" -> " in line for line in said) == 1
    assert said[-2].endswith("more connections; --limit shows more of them")


def test_one_connection_with_all_its_causes() -> None:
    said = why(str(SHOP), "--connection", "2")
    assert said[0] == "connection 2: 10.0.0.1:40001 to 10.0.0.2:7"
    assert any("timeout" in line and "95.6%" in line for line in said)
    assert any(line.strip() == "trioecho lab lost-data" for line in said)
    assert said[-2:] == ["", "for more about it: trioecho explain timeout"]


def test_why_segments_were_lost_is_explained_too() -> None:
    film = SHOP.with_name("film.pcap")
    more = "for more about it: trioecho explain congestion-window, trioecho explain policed"
    assert " ".join(why(str(film))).endswith(f"  {more}")


def test_where_nothing_stands_out_no_cause_is_named() -> None:
    assert not any("explain" in line for line in why(str(SHOP), "--connection", "1"))


def test_a_strip_over_time_of_each_of_a_few_connections() -> None:
    said = why(str(SHOP), "--connection", "4")
    (place,) = [at for at, line in enumerate(said) if set(line) == set("=-r")]
    assert (len(said[place]), said[place + 1][:2]) == (80, "|0")
    assert said[place + 2].startswith("r client slow-reader   - round-trip   = setup")
    assert not any("|0" in line for line in why(str(SHOP)))  # four are too many


def test_json_from_a_pipe() -> None:
    accounts = [json.loads(line) for line in why("-", "--format", "json", stdin=SHOP.read_bytes())]
    assert [one["connection"] for one in accounts] == list(range(1, len(accounts) + 1))
    assert {one["tap"] for one in accounts} == {"client"}
    for one in accounts:
        assert sum(cause["share"] for cause in one["causes"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.pcap"], "nothing.pcap"),
        ([str(SHOP), "--connection", "99"], "has no connection 99"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], said: str) -> None:
    done = trioecho("why", *arguments)
    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    assert said in line


def test_nothing_that_matches() -> None:
    assert why(str(SHOP), "--port", "99") == [f"{SHOP}: none of 4 connections matches"]
