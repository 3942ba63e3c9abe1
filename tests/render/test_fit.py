"""A ladder that fits a terminal: trouble stands in it, whatever goes."""

from __future__ import annotations

import pytest
from frames import come_to, play
from hypothesis import given
from hypothesis import strategies as st

from trioecho.model import Call, CaptureSummary, Summary
from trioecho.render.fit import SHORTENED, Block, Fit, Line, Weight
from trioecho.render.limits import FEWEST, LESSON, ladder_room
from trioecho.render.renderer import Event, Setting
from trioecho.render.terminal import Terminal

OPENING = """
+0    > S  0:0(0) win 65535 <mss 1460>
+.001 < S. 0:0(0) ack 1 win 65535 <mss 1460>
+.001 > .  1:1(0) ack 1 win 65535
"""
CLOSING = """
+.001 > F. {0}:{0}(0) ack 1 win 65535
+.001 < F. 1:1(0) ack {1} win 65535
+.001 > .  {1}:{1}(0) ack 2 win 65535
"""


def ladder(exchanges: int, lost: int = 0) -> str:
    """Messages of 10 bytes, each acknowledged; one may be lost, and is sent again."""
    rows = []
    for at in range(1, 10 * exchanges, 10):
        data = f"P. {at}:{at + 10}(10) ack 1 win 65535"
        rows += [f"+.001 > {data}"] if at != lost else [f"+.001 > {data} lost", f"+.3 > {data}"]
        rows.append(f"+.001 < . 1:1(0) ack {at + 10} win 65535")
    end = 10 * exchanges + 1
    return OPENING + "\n".join(rows) + CLOSING.format(end, end + 1)


def drawn(text: str, room: int | None, *, at_once: bool = True, width: int = 80) -> list[str]:
    """The lines of a ladder, whose events come at once or one by one, and of its summary."""
    terminal, rungs = Terminal(Setting(width=width, room=room)), play(text)
    shown = terminal.begin()
    for batch in [rungs] if at_once else [[rung] for rung in rungs]:
        shown += terminal.show(batch)
    summary = Summary(
        connections=(come_to(text)[1],), capture=CaptureSummary("a wire", len(rungs), 0)
    )
    return (shown + terminal.end(summary)).decode().splitlines()


def arrows(lines: list[str]) -> list[str]:
    return [line for line in lines if "── " in line]


def test_what_fits_is_shown_in_full() -> None:
    whole = drawn(ladder(2), None)
    assert drawn(ladder(2), 60) == whole
    assert SHORTENED not in " ".join(whole)


def test_first_go_the_sentences_and_then_segments_in_the_middle() -> None:
    sentence = "                 a pure ACK: 10 bytes arrived, up to rung 4, 1.0 ms ago"
    rows = {room: drawn(ladder(8), room) for room in (50, 22, 12)}
    assert len(arrows(rows[50])) == len(arrows(rows[22])) == 3 + 16 + 3
    assert any("1 of 3: the client opens" in line for line in rows[50])
    assert not any(sentence in lines for lines in rows.values())
    assert not any("1 of 3" in line for line in rows[22] + rows[12])
    assert "                 ··· 11 segments with 60 bytes folded" in rows[12]
    assert len(arrows(rows[12])) == 12 - 1
    assert all(lines[-1] == SHORTENED for lines in rows.values())


def test_below_a_table_nothing_says_that_the_ladder_before_it_was_shortened() -> None:
    terminal = Terminal(Setting(room=FEWEST))
    terminal.show(play(ladder(20)))
    assert SHORTENED not in terminal.end(Summary((), CaptureSummary("a wire", 1, 0))).decode()


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("exchanges", [20, 300])
def test_neither_trouble_nor_an_end_is_folded(at_once: bool, exchanges: int) -> None:
    lines = drawn(ladder(exchanges, lost=101), FEWEST, at_once=at_once)
    text = " ".join(" ".join(lines).split())
    for said in (
        "SYN seq 0",
        "── FIN ACK",
        "──✗",
        "retransmission of rung 24 after 300 ms",
        "CLOSED",
    ):
        assert said in text
    assert text.count("folded") == 2
    assert len(lines) <= 40


def test_what_comes_later_leaves_room() -> None:
    """The sentences go at half of the room, and there is one line for all that is folded."""
    lines = drawn(ladder(100), 40, at_once=False)
    assert any("3 of 3" in line for line in lines)
    assert sum("folded" in line for line in lines) == 1
    assert len(lines) <= 40 + 3 + 12


def test_calls_are_folded_too_but_not_those_that_failed() -> None:
    rungs = play(ladder(30))

    def call(at: int, **more: object) -> Call:
        return Call(rungs[at].time + 1, "client", "connection", 3, "send", **more)  # type: ignore[arg-type]

    events: list[Event] = [
        *rungs[:9],
        call(8, result=10),
        *rungs[9:20],
        call(19, error="EPIPE"),
        *rungs[20:],
    ]
    shown = Terminal(Setting(room=10)).show(events).decode()
    assert "and 1 socket call folded" in " ".join(shown.split())
    assert "send -> EPIPE" in shown


def test_a_line_is_not_replaced_by_one_that_tells_of_it() -> None:
    firm, soft = Block.whole([("x", "")]), Block.whole([("y", "")], Weight.USUAL, 1)
    shown = Fit(5).lines([firm, soft, firm, soft, firm, soft, firm])
    assert [line[0] for line in shown] == ["x", "y", "x", "y", "x", "y", "x"]


def test_what_was_asked_for_goes_last() -> None:
    usual = Block.whole([("usual", "")], Weight.USUAL, 1)
    blocks = [usual, Block.whole([("wanted", "")], Weight.WANTED)] * 4
    shown = [line if isinstance(line, str) else line[0] for line in Fit(4).lines(blocks)]
    assert shown.count("wanted") == 4


@given(
    st.lists(st.tuples(st.sampled_from(Weight), st.integers(1, 4)), max_size=60), st.integers(1, 30)
)
def test_no_more_than_the_room_unless_it_must_be(
    given: list[tuple[Weight, int]], room: int
) -> None:
    def lines(count: int, name: str) -> list[Line]:
        return [(name, "")] * count

    blocks = [
        Block(lines(size, str(at)), lines(size, str(at)), lines(1, str(at)), weight, 1, 10)
        for at, (weight, size) in enumerate(given)
    ]
    fit = Fit(room)
    shown = [*fit.lines(blocks), *fit.folded()]
    names = [line[0] for line in shown if not isinstance(line, str)]
    assert sorted(names, key=int) == names
    kept = {int(name) for name in names}
    must = {at for at, (weight, _) in enumerate(given) if weight is Weight.FIRM}
    assert must <= kept
    hidden = sum(int(line.split()[0]) for line in shown if isinstance(line, str))
    assert hidden + len(kept) == len(given)
    least = sum(weight is not Weight.USUAL for weight, _ in given)
    assert len(shown) <= max(room, 2 * least + 1)
    assert fit.shortened or len(shown) == sum(size for _, size in given)


def test_the_room_of_a_screen() -> None:
    assert ladder_room(None, 80, FEWEST) is None
    assert ladder_room(24, 80, FEWEST) == 12
    assert ladder_room(10, 40, FEWEST) == FEWEST
    assert ladder_room(24, 80, LESSON) == LESSON
