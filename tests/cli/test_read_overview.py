"""A ladder of a few connections, a table of more: decided as the file is read."""

from __future__ import annotations

import pytest
from frames import frames

from trioecho.cli import read_overview
from trioecho.cli.read_overview import FileOverview
from trioecho.cli.screen import Shown
from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading
from trioecho.render import FORMATS, Setting
from trioecho.render.table import Order

ONE = "+0 > S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n+.01 > . 1:1(0) ack 1\n"
LOSSY = ONE + "+.1 > P. 1:6(5) ack 1\n+.3 > P. 1:6(5) ack 1\n"
TWO = ONE + "+.1 >3 S 0:0(0)\n+.1 <3 R. 0:0(0) ack 1\n"
FOUR = TWO + "+.1 >4 S 0:0(0)\n+.1 >5 S 0:0(0)\n"


class Shower:
    """An overview, and what it has shown."""

    def __init__(
        self,
        selection: Selection,
        limit: int | None = None,
        table: bool | None = None,
        *,
        streams: bool = False,
        requests: bool = False,
    ) -> None:
        self.text = ""
        self.reading = Reading(selection)
        shown = Shown(FORMATS["terminal"](Setting("title")), self._take)
        self.overview = FileOverview(
            shown,
            self.reading,
            selection,
            Order(limit=limit),
            table,
            streams=streams,
            requests=requests,
        )

    def _take(self, data: bytes) -> None:
        self.text += data.decode()

    def show(self, ladder: str, batch: int = 1) -> None:
        seen = [frame for _, frame in frames(ladder)]
        for at in range(0, len(seen), batch):
            self.overview.show(list(self.reading.rungs(seen[at : at + batch])))


def test_nothing_is_shown_until_it_is_known_what() -> None:
    shower = Shower(Selection())
    shower.show(ONE)
    assert shower.text == ""
    shower.overview.finish("one.pcap")
    assert "SYN-SENT" in shower.text
    assert "--connection N" not in shower.text


def test_a_few_are_a_ladder_that_numbers_them() -> None:
    shower = Shower(Selection())
    shower.show(TWO)
    shower.overview.finish("two.pcap")
    assert "conn" in shower.text
    assert "#2" in shower.text
    assert "--connection N" not in shower.text


def test_more_are_a_table() -> None:
    shower = Shower(Selection())
    shower.show(FOUR)
    assert shower.overview.is_table
    shower.overview.finish("four.pcap")
    assert "four.pcap: 4 connections; --connection N shows a ladder" in shower.text
    assert "SYN-SENT" not in shower.text
    assert shower.text.index("refused") < shower.text.index("40000")  # trouble first


def test_a_table_says_where_the_requests_are_that_it_does_not_show() -> None:
    shower = Shower(Selection(), requests=True)
    shower.show(FOUR)
    shower.overview.finish("four.pcap")
    title = " ".join(shower.text.partition("\n\n")[0].split())
    assert title == (
        "four.pcap: 4 connections; --connection N shows a ladder with its requests,"
        " `trioecho why --requests` all of them"
    )


@pytest.mark.parametrize("table", [True, False])
def test_what_is_asked_for_is_shown(table: bool) -> None:
    shower = Shower(Selection(), table=table)
    shower.overview.begin()
    ladder = FOUR if not table else ONE
    shower.show(ladder)
    shower.overview.finish("four.pcap")
    assert ("SYN-SENT" in shower.text) is not table


def test_a_ladder_that_has_begun_ends_where_there_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_overview, "MOST_HELD", 2)
    shower = Shower(Selection())
    shower.show(FOUR)
    shower.overview.finish("four.pcap")
    assert "SYN-SENT" in shower.text
    assert "\nmore than 3 connections: a table of all follows at the end\n" in shower.text
    assert "four.pcap: 4 connections; --connection N shows a ladder" in shower.text


def test_a_limit_is_said() -> None:
    shower = Shower(Selection(), limit=1, table=True)
    shower.show(TWO)
    shower.overview.finish("two.pcap")
    assert "and 1 connection more, none with trouble; --all shows each" in shower.text
    assert "40000" not in shower.text


def test_streams_are_a_ladder_however_many_there_are() -> None:
    shower = Shower(Selection(), streams=True)
    shower.overview.begin()
    assert "title" in shower.text
    shower.show(TWO)
    shower.overview.finish("two.pcap")
    assert shower.text.count("SYN-SENT") >= 2
    assert not shower.overview.is_table


def test_where_nothing_is_selected_there_is_an_empty_table() -> None:
    shower = Shower(Selection(port=9))
    shower.show(ONE)
    shower.overview.finish("one.pcap")
    assert "one.pcap: 0 of 1 connection" in shower.text
    assert "--connection" not in shower.text


def test_a_ladder_without_what_was_asked_for_says_how_many_there_are() -> None:
    shower = Shower(Selection(port=9), streams=True)
    shower.show(TWO)
    shower.overview.finish("two.pcap")
    assert "\n0 of 2 connections\n" in shower.text


@pytest.mark.parametrize(("ladder", "table"), [(ONE, True), (LOSSY, False)])
def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch, ladder: str, table: bool) -> None:
    """With trouble the ladder begins; without, it would be no more than a row."""
    monkeypatch.setattr(read_overview, "MOST_HELD", 2)
    shower = Shower(Selection(only_trouble=True))
    shower.show(ladder, batch=5)
    assert shower.overview.is_table is table
    assert ("SYN-SENT" in shower.text) is not table


def test_connections_that_others_have_read_are_selected_too() -> None:
    other = Reading(Selection())
    other.rungs([frame for _, frame in frames(TWO)])
    shower = Shower(Selection(port=40002), table=True)
    shower.overview.share(list(other.connections()))
    shower.overview.finish("two.pcap")
    assert "two.pcap: 1 of 2 connections;" in shower.text
    assert "40002" in shower.text


def test_the_files_first_frame_is_zero_whatever_is_selected() -> None:
    shower = Shower(Selection(port=40002), table=True)
    shower.reading.notice([frame for _, frame in frames(TWO)])
    shower.overview.finish("two.pcap")
    (row,) = [line for line in shower.text.splitlines() if line.startswith("         0.1")]
    assert row.split()[0] == "0.120000"
