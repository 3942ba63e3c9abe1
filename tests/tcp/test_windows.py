"""Windows, and by how much they are shifted: known, proved by an answer, or cut by the capture."""

from __future__ import annotations

import pytest
from frames import frames, seen
from msgspec.structs import replace

from trioecho.model import Rung
from trioecho.packet.decode import decode
from trioecho.tcp.rules.loss import DuplicateAck
from trioecho.tcp.rules.windows import WindowFull, WindowOpened, WindowUpdate
from trioecho.tcp.tracker import Tracker

# IPv4, TCP, MSS and the rest of an MSS: what is behind that was cut.
CUT = 20 + 20 + 4 + 2

SYN, SCALED = "+0 > S 0:0(0)", "<mss 1460,wscale 7>"
PLAIN, UNSEEN = "<mss 1460>", None


def rungs(ladder: str, cut: int = 65535) -> list[Rung]:
    """A ladder's rungs from a capture that kept so many bytes of each packet."""
    tracker, found = Tracker(), []
    for _, frame in frames(ladder):
        segment = decode(replace(frame, data=frame.data[:cut]))
        assert segment is not None
        found.append(tracker.seen(segment))
    return found


def full(rung: Rung) -> bool:
    return any(isinstance(note, WindowFull) for note in rung.notes)


@pytest.mark.parametrize(
    ("first", "scale", "then", "update"),
    [
        (64240, 10, 63, False),  # 64,512: rounded up to the scale
        (64240, 10, 62, True),
        (64240, 10, 64, True),
        (64512, 10, 63, False),
        (64512, 10, 64, True),
        (65160, 0, 65160, False),
        (65160, 0, 65161, True),
    ],
)
def test_rounding_a_window_to_its_scale_is_no_update(
    first: int, scale: int, then: int, update: bool
) -> None:
    option = f"<mss 1460,wscale {scale}>"
    *_, last = rungs(
        f"""
        +0   > S  0:0(0) {option}
        +.01 < S. 0:0(0) ack 1 win {first} {option}
        +.01 > .  1:1(0) ack 1 win 500
        +.1  > .  101:201(100) ack 1 win 500
        +.01 < .  1:1(0) ack 1 win {then}
        """
    )
    kinds = {type(note) for note in last.notes}
    assert (WindowUpdate in kinds) is update
    assert (DuplicateAck in kinds) is not update


def test_the_window_of_a_synack_is_full_before_it_is_scaled() -> None:
    *_, last = rungs(
        f"""
        +0   > S  0:0(0) {SCALED}
        +.01 < S. 0:0(0) ack 1 win 256 {SCALED}
        +.01 > .  1:257(256) ack 1 win 500
        """
    )
    assert full(last)


@pytest.mark.parametrize(
    ("name", "syns", "synack", "client", "server", "known"),
    [
        ("both offer one", [SCALED], SCALED, 128, 128, True),
        ("the server declines", [SCALED], PLAIN, 1, 1, True),
        ("none offers one", [PLAIN], PLAIN, 1, 1, True),
        ("sent again without it", [SCALED, PLAIN], SCALED, 128, 128, True),
        ("the answer proves an offer that was not seen", [], SCALED, 1, 128, False),
        ("the answer proves that none counts", [], PLAIN, 1, 1, True),
        ("the answer was not seen", [SCALED], UNSEEN, 1, 1, False),
        ("nothing was offered that could be answered", [PLAIN], UNSEEN, 1, 1, True),
    ],
)
def test_by_how_much_windows_are_shifted(
    name: str, syns: list[str], synack: str | None, client: int, server: int, known: bool
) -> None:
    lines = [f"+0 > S 0:0(0) {options}" for options in syns]
    lines += [f"+.01 < S. 0:0(0) ack 1 {synack}"] if synack else []
    lines += ["+.01 > . 1:1(0) ack 1 win 500", "+.01 < . 1:1(0) ack 1 win 500"]
    filling = "+.01 < . 1:501(500) ack 1 win 500"
    ladder = "\n".join([*lines, filling])
    *_, ack, _, last = rungs(ladder)
    assert (ack.window, last.window) == (500 * client, 500 * server), name
    assert full(last) is (known and client == 1), name


def test_a_scale_that_the_capture_cut_is_unknown() -> None:
    ladder = """
    +0   > S  0:0(0) <mss 1460,sackOK,wscale 7>
    +.02 < S. 0:0(0) ack 1 <mss 1460,sackOK,wscale 7>
    +.01 > .  1:1(0) ack 1 win 502
    +.01 < .  1:503(502) ack 1 win 509
    """
    assert not full(rungs(ladder)[-1])
    assert not full(rungs(ladder, CUT)[-1])
    whole = ladder.replace(",sackOK,wscale 7", "")
    assert full(rungs(whole, CUT)[-1])


def test_nothing_is_beyond_a_window_whose_scale_was_cut() -> None:
    """Of a flight of 422 segments one is lost, and the others are no strangers."""
    lines = [
        "+0   > S  0:0(0) <mss 1460,wscale 8>",
        "+.1  < S. 0:0(0) ack 1 <mss 1460,wscale 7>",
        "+.01 > .  1:1(0) ack 1 win 8192",
    ]
    ends = range(1, 422 * 1448, 1448)
    lines += [f"+.00005 < . {seq}:{seq + 1448}(1448) ack 1" for seq in ends if seq != 1448 * 9 + 1]
    found = [note.kind for rung in rungs("\n".join(lines), CUT) for note in rung.notes]
    assert found.count("lost-segment") == 1


@pytest.mark.parametrize(
    ("options", "update", "words"),
    [
        (" <wscale 7>", WindowUpdate(999 << 7), "room for 127,872 bytes"),
        ("", WindowUpdate(999), "room for 999 bytes"),
        (None, WindowUpdate(999, least=True), "room for 999 bytes or more"),
    ],
)
def test_a_window_update_tells_what_is_known(
    options: str | None, update: WindowUpdate, words: str
) -> None:
    syns = f"+0 > S 0:0(0){options}\n+.01 < S. 0:0(0) ack 1{options}\n+.01 > . 1:1(0) ack 1\n"
    ladder = ("" if options is None else syns) + (
        "+.1 > P. 1:11(10) ack 1\n+.1 < . 1:1(0) ack 11 win 9\n+.1 < . 1:1(0) ack 11 win 999\n"
    )
    last = seen(ladder)[1][-1]
    assert update in last.notes
    assert words in update.text(last)


@pytest.mark.parametrize(("ack", "opened"), [(11, WindowUpdate), (16, WindowOpened)])
def test_a_window_that_opens_is_shifted_too(ack: int, opened: type[WindowUpdate]) -> None:
    scaled = f"{SYN} {SCALED}\n+.01 < S. 0:0(0) ack 1 {SCALED}\n+.01 > . 1:1(0) ack 1\n"
    closed = "+.1 > P. 1:11(10) ack 1\n+0 > P. 11:16(5) ack 1\n+.1 < . 1:1(0) ack 11 win 0\n"
    last = seen(f"{scaled}{closed}+.1 < . 1:1(0) ack {ack} win 9")[1][-1]
    assert opened(9 << 7, opens=True) in last.notes
