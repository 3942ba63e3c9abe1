"""The live table: what it says, and that names in it cannot steer a terminal."""

from __future__ import annotations

import io
import re

import pytest
from accounted import PROMPT, account_of
from ladders import READ_LATE
from msgspec.structs import replace
from rich.console import Console

from trioecho.cli.watch_table import draw
from trioecho.model import ConnectionSummary, Endpoint, State
from trioecho.render.table import table
from trioecho.text import printable
from trioecho.watch import Snapshot
from trioecho.watch.snapshot import Row

SECOND = 1_000_000_000


def row(number: int, process: str = "", troubles: int = 0, probes: int = 0) -> Row:
    ends = Endpoint("127.0.0.1", 40000 + number), Endpoint("127.0.0.1", 7)
    one = ConnectionSummary(
        number, *ends, None, 999, 12_345, 1, 1, troubles, None, 0, SECOND, 0, troubles
    )
    one = replace(one, client_process=process, probes=probes)
    return Row(one, State.FIN_WAIT_2, State.CLOSE_WAIT)


def shown(
    *rows: Row,
    dropped: int = 0,
    behind: int = 0,
    notices: tuple[str, ...] = (),
    accounted: bool = False,
    width: int = 120,
) -> str:
    names = "lo", "eth\x1b[0"
    shot = Snapshot(
        rows, 1234, 5, 1_000_000, dropped, behind, 3 * SECOND, names, notices, accounted
    )
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    console.print(draw(shot, 100_000.4, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_connection_and_the_totals() -> None:
    text = shown(row(7, "curl (pid 10)", troubles=3))
    for word in (
        *("1,234 connections, 5 open", "1,000,000 frames, 100,000/s", "dropped 0"),
        *("127.0.0.1:40007", "127.0.0.1:7", "curl (pid 10)", "FIN-WAIT-2", "CLOSE-WAIT"),
        *("999", "12.3k", "2.00 s"),
    ):
        assert word in text
    assert "behind" not in text


def test_what_holds_a_connection_up_where_that_was_asked_for() -> None:
    held, prompt = (replace(row(n), account=account_of(READ_LATE)) for n in (1, 2))
    prompt = replace(prompt, account=account_of(PROMPT))
    text = shown(held, prompt, row(3), accounted=True)
    assert "held up by" in text
    assert re.search(r"93% server *\n.*slow-reader *\n", text)
    assert text.count("%") == 1
    assert "RTT" in text
    narrow = shown(held, accounted=True, width=80)
    assert re.search(r"93% server *\n.*slow-reader *\n", narrow)
    assert "RTT" not in narrow
    assert "held up by" not in shown(row(3))


@pytest.mark.parametrize("accounted", [True, False])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_addresses_have_room_at_any_width(width: int, accounted: bool) -> None:
    old, new = row(7, "curl (pid 10)"), row(123)
    client = Endpoint("2001:db8:85a3:1111:2222:8a2e:370:7334", 40018)
    server = Endpoint("192.168.100.100", 40018)
    new = replace(new, summary=replace(new.summary, client=client, server=server))
    text = shown(old, replace(new, account=account_of(READ_LATE)), accounted=accounted, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "127.0.0.1:40007" in text
    assert "127.0.0.1:7 " in text
    assert "curl (pid 10)" in text
    assert "192.168.100.100:" in text
    assert "[2001:db8:85a3:" in text
    assert "7334]:" in text
    assert ("slow-reader" in text) is accounted


def test_a_state_that_is_not_known_is_not_named() -> None:
    text = shown(replace(row(7), client_state=State.SYN_SENT, server_state=State.UNKNOWN))
    assert "SYN-SENT" in text
    assert "UNKNOWN" not in text


def test_probes_are_counted_apart_in_the_words_of_reads_table() -> None:
    both, probed = row(1, troubles=31, probes=17), row(2, probes=1)
    text = shown(both, probed)
    assert re.search(r" 31  .*\n.* 17 probes  .*\n.* 1 probe  ", text)
    read = "".join(line for line, _ in table([both.summary, probed.summary], 0, 200))
    assert "31 retransmissions; 17 probes" in read
    assert "; 1 probe" in read


def test_losses_and_notices_are_said() -> None:
    text = shown(dropped=5678, behind=5 << 20, notices=("a", "b", "The interface x is down"))
    assert "dropped 5,678" in text
    assert "behind by 5 MiB" in text
    assert "The interface x is down" in text


def test_names_are_text_and_never_markup() -> None:
    name = printable("[red]\x1b[2J[/]")
    text = shown(row(1, f"{name} (pid 1)"))
    assert r"[red]\x1b[2J[/] (pid 1)" in text
    assert "\x1b" not in text
