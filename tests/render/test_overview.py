"""A few connections are a ladder, more are a table at the end."""

# covers: render/limits, render/table

from __future__ import annotations

import frames
import pytest
from msgspec.structs import replace

from trioecho.model import Call, CaptureSummary, Rung, Summary
from trioecho.render import Setting
from trioecho.render.overview import Overview
from trioecho.render.terminal import Terminal

SECOND = 1_000_000_000
LISTENS = Call(1, "server", "listening", 3, "listen", "1", result=0)


def opens(connection: int, *, answered: bool = True) -> str:
    text = f"+.01 >{connection} S 0:0(0)\n"
    return text + f"+.01 <{connection} S. 0:0(0) ack 1\n" * answered


def played(text: str) -> tuple[list[Rung], Summary]:
    tracker, rungs = frames.seen(text)
    return rungs, Summary(tuple(tracker.summaries()), CaptureSummary("wire", len(rungs), 0))


def many(count: int) -> tuple[list[Rung], Summary]:
    return played("".join(map(opens, range(1, count + 1))))


def overview(**more: object) -> Overview:
    return Overview(Terminal(Setting("a title")), hint="a hint", **more)  # type: ignore[arg-type]


def test_segments_are_held_until_it_must_decide() -> None:
    rungs, summary = many(2)
    view = overview()
    assert view.begin() == b"a title\n"
    assert view.show(rungs[:2]) == b""
    decided = view.decide().decode()
    assert decided.count("SYN-SENT ") == 1
    assert "client   " in decided
    assert b"#2" in view.show(rungs[2:]), "a column appears with the second"
    assert b"connection 2: " in view.end(summary)
    assert view.decide() == b""


def test_several_that_are_known_have_a_column_from_the_start() -> None:
    rungs, _ = many(2)
    view = overview()
    view.show(rungs)
    assert b"rung  conn  client" in view.decide()


def test_many_are_a_table() -> None:
    rungs, summary = many(12)
    view = overview()
    assert view.show(rungs[:4]) == b""
    told = view.show(rungs[4:]).decode()
    assert told == "0.2 s: 12 connections so far, none with trouble\n"
    text = view.end(summary).decode()
    assert text.startswith("\n12 connections; a hint\n\n")
    assert "12 attempts to 10.0.0.2:7: handshake not completed" in text
    assert "connections 1-12; the first began at 0.000 s" in text
    assert "captured 24 frames on wire" in text


def test_a_ladder_that_has_begun_ends_with_a_line() -> None:
    rungs, summary = many(5)
    view = overview()
    view.show(rungs[:2])
    view.decide()
    shown = view.show(rungs[2:]).decode()
    assert "more than 3 connections: a table of all follows at the end" in shown
    assert "#3" in shown
    assert "#4" not in shown
    assert "5 connections; a hint" in view.end(summary).decode()


def test_calls_before_the_first_segment_are_shown_at_once() -> None:
    view = overview()
    assert b"listen(1)" in view.show([LISTENS])
    assert view.shows == "held"


def test_what_is_held_is_bounded() -> None:
    rungs, _ = many(3)
    view = overview(most_held=4)
    assert view.show(rungs[:4]) == b""
    assert b"SYN-SENT" in view.show(rungs[4:])
    assert view.shows == "ladder"


def test_a_ladder_that_was_asked_for_goes_on_and_ends_with_a_table() -> None:
    rungs, summary = many(5)
    view = overview(shows="ladder", cuts=False)
    assert b"rung" in view.begin()
    assert b"#5" in view.show(rungs)
    assert "5 connections; a hint" in view.end(summary).decode()


def test_a_table_that_was_asked_for_is_one_of_a_single_connection_too() -> None:
    rungs, summary = many(1)
    view = overview(shows="table")
    assert view.show(rungs) == b""
    assert "1 connection; a hint" in view.end(summary).decode()


def test_progress_is_told_seldom_however_long_it_takes() -> None:
    (rung,) = frames.play("+0 > S 0:0(0)")
    view = overview(shows="table")
    said = b""
    for second in range(3600):
        time = rung.time + second * SECOND
        frame = replace(rung.segment.frame, time=time)
        said += view.show([replace(rung, segment=replace(rung.segment, frame=frame))])
    assert [line.split(":")[0] for line in said.decode().splitlines()] == [
        f"{10 << times}.0 s" for times in range(9)
    ]


def test_nothing_at_all_is_an_empty_ladder() -> None:
    view = overview()
    view.begin()
    assert b"rung" in view.end(Summary((), CaptureSummary("wire", 0, 0)))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_it_is_as_narrow_as_the_screen(width: int) -> None:
    rungs, summary = many(30)
    view = Overview(Terminal(Setting("a title " * 20, width=width)), hint="a hint " * 20)
    text = view.begin() + view.show(rungs) + view.end(summary)
    assert max(map(len, text.decode().splitlines())) <= width
