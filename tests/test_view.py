"""A capture in memory, as a notebook or a script has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from captures import pcap
from frames import RAW, frames

import trioecho
from trioecho.account import Accounts
from trioecho.capture.files import open_capture_file
from trioecho.errors import TrioechoError
from trioecho.model import Endpoint, Rung, State, Summary
from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading
from trioecho.render import FORMATS, Setting
from trioecho.render.renderer import Accounted
from trioecho.view import KINDS, Connection, Ladder, read

LADDER = """
+0    >  S  0:0(0) win 1000 <mss 100>
+.01  <  S. 0:0(0) ack 1 win 1000 <mss 100>
+.01  >  .  1:1(0) ack 1 win 1000
+.1   >  P. 1:101(100) ack 1 win 1000
+0    >3 S  0:0(0)
+.3   >  P. 1:101(100) ack 1 win 1000
+.01  <  .  1:1(0) ack 101 win 900
+.01  <3 R. 0:0(0) ack 1
"""


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Two connections: one that loses a segment, one that is refused."""
    path = tmp_path / "two.pcap"
    path.write_bytes(packets())
    return path


def packets() -> bytes:
    made = [
        (frame.time // 10**9, frame.time % 10**9, frame.data, frame.length)
        for _, frame in frames(LADDER)
    ]
    return pcap(*made, magic=0xA1B23C4D, link=RAW)


def test_a_ladder_is_a_sequence_of_connections(capture: Path) -> None:
    ladder = read(capture)
    assert isinstance(ladder, Ladder)
    assert [one.number for one in ladder] == [1, 2]
    assert ladder[-1] is ladder[1]
    assert list(ladder[:1]) == [ladder[0]]
    assert len(ladder.rungs) == 8
    assert [rung.connection for rung in ladder.rungs] == [1, 1, 1, 1, 2, 1, 1, 2]
    assert ladder.summary.capture.frames == 8
    assert ladder.summary.unmatched == ()
    assert ladder.trouble == ""


def test_what_a_connection_came_to(capture: Path) -> None:
    one, two = read(capture)
    assert isinstance(one, Connection)
    assert (one.client, one.server) == (Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 7))
    assert (one.client_state, one.server_state) == (State.ESTABLISHED, State.ESTABLISHED)
    assert (one.handshake_complete, one.handshake_time) == (True, 20_000_000)
    assert (one.closed_by, one.resets, one.retransmissions) == (None, 0, 1)
    assert (one.client_bytes, one.server_bytes) == (100, 0)
    assert (one.client_segments, one.server_segments) == (4, 2)
    assert [rung.number for rung in one.rungs] == [1, 2, 3, 4, 6, 7]
    assert (one.calls, one.lost) == ((), ())
    assert (two.handshake_complete, two.closed_by, two.resets) == (False, "rst", 1)
    assert [rung.number for rung in two.rungs] == [5, 8]


def test_a_connection_says_what_it_is(capture: Path) -> None:
    ladder = read(capture)
    assert repr(ladder[1]) == (
        "<connection 2: 10.0.0.1:40002 CLOSED to 10.0.0.2:7 CLOSED; handshake not complete;"
        " closed by rst; client 0 bytes, server 0 bytes; 0 retransmissions; 1 reset>"
    )
    assert repr(ladder[0]).startswith("<connection 1: 10.0.0.1:40000 ESTABLISHED to 10.0.0.2:7")
    assert "; handshake complete; not closed; client 100 bytes" in repr(ladder[0])
    assert repr(ladder) == f"<ladder of 2 connections>\n  {ladder[0]!r}\n  {ladder[1]!r}"


def rendered(name: str, path: Path, width: int) -> str:
    """The first connection as a renderer shows it that is given its rungs and its summary."""
    reading = Reading(Selection(connection=1))
    with open_capture_file(path) as file:
        rungs: list[Rung] = [rung for batch in file for rung in reading.rungs(batch)]
        whole = reading.summary(str(path), None)
    capture = type(whole.capture)(whole.capture.interface, len(rungs), whole.capture.dropped)
    title = "connection 1: 10.0.0.1:40000 to 10.0.0.2:7"
    renderer = FORMATS[name](Setting(title, width=width))
    accounts = Accounts()
    accounts.see(rungs)
    told = [] if name == "terminal" else accounts.end()
    parts = (
        renderer.begin(),
        renderer.show(rungs),
        renderer.tell(list(told)) if isinstance(renderer, Accounted) else b"",
        renderer.end(Summary(whole.connections, capture)),
    )
    return b"".join(parts).decode()


def test_its_picture_is_the_renderers(capture: Path) -> None:
    one = read(capture)[0]
    assert one.svg() == rendered("svg", capture, 80)
    assert one.svg().startswith("<svg ")
    assert "data was lost, and the sender waited for its timer (rungs" in one.svg()
    assert one._repr_html_() == one.svg()


def test_its_text_is_the_terminals_ladder(capture: Path) -> None:
    text = str(read(capture)[0])
    assert text == rendered("terminal", capture, 100).rstrip()
    assert "retransmission" in text
    assert "\x1b" not in text


def test_facts_of_one_kind_in_their_order(capture: Path) -> None:
    one, two = read(capture)
    assert [(note.kind, note.source) for note in one.notes("retransmission")] == [
        ("retransmission", "RFC 6298 §5")
    ]
    assert one.notes("retransmission")[0] in one.rungs[4].notes
    assert two.notes("retransmission") == ()
    assert all(one.notes(kind) == () for kind in KINDS - set(kinds_of(one)))


def kinds_of(one: Connection) -> list[str]:
    return [note.kind for rung in one.rungs for note in rung.notes]


def test_a_kind_that_there_is_not_is_an_error_that_names_those_there_are(capture: Path) -> None:
    with pytest.raises(
        TrioechoError, match=r"'retransmision'.*connection-rst, .*retransmission"
    ) as no:
        read(capture)[0].notes("retransmision")
    assert "zero-window" in no.value.hint


def test_facts_of_one_kind_are_counted_without_some_causes(capture: Path) -> None:
    one, two = read(capture)
    assert (one.count("retransmission"), two.count("retransmission")) == (1, 0)
    assert one.count("retransmission", without="timeout") == 0
    assert one.count("retransmission", without=["rack", "timeout"]) == 0
    assert one.count("retransmission", without="tail-loss-probe") == one.retransmissions == 1
    with pytest.raises(TrioechoError, match=r"kind of fact 'retransmision'\. Did you mean 'retr"):
        one.count("retransmision")
    with pytest.raises(
        TrioechoError, match=r"no cause of a fact 'timeuot'\. Did you mean 'timeout'"
    ):
        one.count("retransmission", without=("rack", "timeuot"))


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({"connection": 2}, [2]),
        ({"connection": 3}, []),
        ({"host": "10.0.0.2"}, [1, 2]),
        ({"host": "10.0.0.3"}, []),
        ({"port": 40002}, [2]),
        ({"port": 7}, [1, 2]),
        ({"port": 7, "connection": 1}, [1]),
    ],
)
def test_only_what_is_chosen_is_kept(
    capture: Path, chosen: dict[str, int | str], numbers: list[int]
) -> None:
    ladder = read(capture, **chosen)  # type: ignore[arg-type]
    assert [one.number for one in ladder] == numbers
    assert sorted({rung.connection for rung in ladder.rungs}) == numbers
    assert [one.number for one in ladder.summary.connections] == numbers


@pytest.mark.parametrize("missing", [1, 16])
def test_a_file_that_is_cut_gives_what_it_holds_and_says_so(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(packets()[:-missing])
    ladder = read(path)
    assert len(ladder.rungs) == 7
    assert ladder.summary.unmatched == ()
    assert f"{40 - missing} there" in ladder.trouble


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrioechoError, match=r"not-there\.pcap"):
        read(tmp_path / "not-there.pcap")
    (tmp_path / "text").write_text("no capture at all, but long enough to be one\n")
    with pytest.raises(TrioechoError, match="text"):
        read(str(tmp_path / "text"))


def test_the_package_gives_it() -> None:
    assert trioecho.read is read
    assert (trioecho.Ladder, trioecho.Connection) == (Ladder, Connection)
