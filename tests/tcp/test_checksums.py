"""What was garbled on its way is dropped: nothing that it says counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from frames import come_to, frames, play, tcp
from ladders import STATES, VERDICTS
from msgspec.structs import replace
from rule_ladders import LADDERS

from trioecho.model import ACK, FIN, RST, SYN, Fact, Frame, Rung, State
from trioecho.packet.decode import decode
from trioecho.tcp.rules.loss import LostSegment
from trioecho.tcp.rules.overlap import Garbled
from trioecho.tcp.rules.timers import Timeout
from trioecho.tcp.tracker import Tracker

SOUND = """
+0    > S  0:0(0) win 1000 <sum 0>
+.01  < S. 0:0(0) ack 1 win 1000 <sum 0>
+.01  > .  1:1(0) ack 1 win 1000 <sum 0>
"""
DATA = "+.1 > P. 1:101(100) ack 1 <sum 0>\n"
WRONG = ["bad-checksum"]


def kinds(rung: Rung) -> list[str]:
    return [note.kind for note in rung.notes]


def pair(ladder: str) -> tuple[list[Rung], list[Rung]]:
    """What is said where a checksum is wrong, and where it is right."""
    return play(SOUND + ladder), play(SOUND + ladder.replace("sum 1", "sum 0"))


def test_a_garbled_syn_repeats_and_opens_nothing() -> None:
    for seq, right in ((0, Timeout), (77, None)):
        ladder = f"""
            +0    > S {seq}:{seq}(0) <sum 1>
            +1    > S 0:0(0) <sum 0>
            +.01  < S. 0:0(0) ack 1
            """
        first = "+0 > S 0:0(0) <sum 0>\n"
        rungs = play(f"{first}{ladder}")
        assert [kinds(rung) for rung in rungs[1:3]] == [WRONG, ["retransmission"]]
        assert {rung.connection for rung in rungs} == {1}
        assert rungs[2].notes == (Timeout(1, 1_000_000_000, times=1 if seq else 2),)
        sound = play(f"{first}{ladder.replace('sum 1', 'sum 0')}")
        assert WRONG not in [kinds(rung) for rung in sound]
        assert sound[1].connection == (1 if right else 2)


def test_a_garbled_syn_ack_in_a_connection_answers_nothing() -> None:
    wrong, right = pair("+.1 < S. 0:0(0) ack 1 <sum 1>\n+.01 > . 1:1(0) ack 1 win 1000 <sum 0>")
    assert [kinds(rung) for rung in wrong[3:]] == [WRONG, ["duplicate-ack"]]
    assert [kinds(rung) for rung in right[3:]] == [["retransmission"], ["duplicate-ack"]]
    causes = [note.cause for rung in (wrong[4], right[4]) for note in rung.notes]  # type: ignore[attr-defined]
    assert causes == ["nothing", "syn"]


def test_the_first_syn_of_an_end_was_garbled() -> None:
    """Nothing tells before it comes again with a right checksum."""
    first = "+0 > S 0:0(0) <sum 1>\n+1 > S 0:0(0) <sum 0>\n"
    assert kinds(play(first)[1]) == ["retransmission", *WRONG]
    assert kinds(play(first.replace("sum 1", "sum 0"))[1]) == ["retransmission"]
    answer = "+0 > S 0:0(0) <sum 0>\n+0 < S. 0:0(0) ack 1 <sum 1>\n+1 < S. 0:0(0) ack 1 <sum 0>\n"
    assert kinds(play(answer)[2]) == ["retransmission", *WRONG]
    taken = answer.replace("+1 ", "+0 > . 1:1(0) ack 1\n+1 ")  # it was right when it arrived
    assert kinds(play(taken)[3]) == ["retransmission"]


def test_a_garbled_ack_acknowledges_nothing() -> None:
    wrong, right = pair(f"{DATA}+.01 < . 1:1(0) ack 51 <sum 1>\n+.01 < . 1:1(0) ack 101 <sum 0>")
    assert [kinds(rung) for rung in wrong[4:]] == [WRONG, ["ack"]]
    assert wrong[5].notes[0].length == 100  # type: ignore[attr-defined]
    assert [kinds(rung) for rung in right[4:]] == [["ack"], ["ack"]]
    assert right[5].notes[0].length == 50  # type: ignore[attr-defined]


def test_a_garbled_third_step_completes_no_handshake() -> None:
    first, second, third = SOUND.strip().splitlines()
    ladder = f"{first}\n{second}\n{third}".replace("ack 1 win 1000 <sum 0>", "ack 1 <sum 0>")
    assert play(ladder)[2].server_state is State.ESTABLISHED
    wrong = play(ladder.removesuffix("<sum 0>") + "<sum 1>")
    assert wrong[2].server_state is State.SYN_RECEIVED
    assert kinds(wrong[2]) == WRONG


def test_a_garbled_window_closes_and_opens_none() -> None:
    wrong, right = pair(f"{DATA}+.01 < . 1:1(0) ack 101 win 0 <sum 1>\n{DATA}")
    assert [kinds(wrong[4]), kinds(right[4])] == [WRONG, ["zero-window", "ack"]]
    closed = f"{DATA}+.01 < . 1:1(0) ack 101 win 0 <sum 0>\n"
    wrong, right = pair(f"{closed}+.1 < . 1:1(0) ack 101 win 900 <sum 1>")
    assert [kinds(wrong[-1]), kinds(right[-1])] == [WRONG, ["window-update"]]


def test_a_garbled_rst_ends_nothing() -> None:
    wrong, right = pair("+.1 > R. 1:1(0) ack 1 <sum 1>")
    assert [wrong[-1].client_state, right[-1].client_state] == [State.ESTABLISHED, State.CLOSED]
    assert come_to(SOUND + "+.1 > R. 1:1(0) ack 1 <sum 1>")[1].closed_by is None


@pytest.mark.parametrize("data", [0, 100])
def test_a_garbled_fin_that_comes_again(data: int) -> None:
    flags = "FP." if data else "F."
    fin = f"{flags} 101:{101 + data}({data}) ack 1"
    begin = f"{DATA}+.01 < . 1:1(0) ack 101 <sum 0>\n"
    wrong, right = pair(f"{begin}+.1 > {fin} <sum 1>\n+.3 > {fin} <sum 0>")
    assert kinds(wrong[5]) == WRONG
    assert wrong[5].server_state is State.ESTABLISHED
    assert kinds(wrong[6])[:3] == ["retransmission", *WRONG, "connection-fin"]
    assert wrong[6].notes[0] == Timeout(6, 300_000_000)
    assert wrong[6].server_state is State.CLOSE_WAIT
    assert kinds(right[5])[0] == "connection-fin"
    assert kinds(right[6]) == ["retransmission"]


def test_data_may_be_blanked_or_cut_in_the_capture() -> None:
    """Those as long must have had a right checksum before a wrong one means something."""
    begin = f"{DATA}+.01 < . 1:1(0) ack 101 <sum 0>\n"
    for length, wrong in ((100, True), (101, False)):
        fin = f"+.1 > FP. 101:{101 + length}({length}) ack 1 <sum 1>"
        assert (kinds(play(SOUND + begin + fin)[5]) == WRONG) is wrong


HOSTILE = [
    *((flags, ahead, 0, 500) for flags in (RST, RST | ACK, ACK) for ahead in (0, 1, -1)),
    *((ACK, 0, behind, 500) for behind in (-50, 50, 100_000)),
    (ACK, 0, 0, 0),
    (SYN, 1_000_000, 0, 500),
    (SYN | ACK, 1_000_000, 0, 500),
    (FIN | ACK, -500, 0, 500),
]


def sound_frames(ladder: str) -> Iterator[tuple[str, Frame]]:
    """A ladder's frames, with right checksums."""
    lines = [line for line in ladder.splitlines() if line.strip()]
    whole = "\n".join(
        f"{line[:-1]},sum 0>" if line.endswith(">") else f"{line} <sum 0>"
        for line in (one.split("|")[0].rstrip() for one in lines)
    )
    for number, (line, frame) in enumerate(frames(whole)):
        yield line.sender, replace(frame, number=10 + 10 * number)


def garbled(sender: str, last: Frame, hostile: tuple[int, int, int, int]) -> Frame:
    """A segment with a wrong checksum behind an end's last one."""
    flags, ahead, more, window = hostile
    segment = decode(last)
    assert segment is not None
    following = segment.seq + segment.space + ahead
    ack = (segment.ack or 0) + more if segment.ack is not None and flags & ACK else 0
    packet = bytearray(tcp(sender, flags, following, ack, window=window))
    packet[36:38] = b"\xab\xcd"
    return replace(last, number=last.number + 5, data=bytes(packet), length=len(packet))


Told = tuple[int, int, int | None, State, State, tuple[Fact, ...]]


def told(them: list[Frame]) -> list[Told]:
    """What is said of each frame but the garbled."""
    tracker = Tracker(by_frame=True)
    said = []
    for frame in them:
        segment = decode(frame)
        assert segment is not None
        rung = tracker.seen(segment)
        if frame.number % 10:
            assert isinstance(rung.notes[0], Garbled), rung
            continue
        states = rung.client_state, rung.server_state
        said.append((rung.connection, rung.seq, rung.ack, *states, rung.notes))
    return said


def test_what_is_said_to_be_dropped_is_not_followed() -> None:
    """With a garbled segment of any kind at any place, the same is said of all others."""
    ladders = [*STATES.values(), *VERDICTS.values()]
    ladders += [one.fires for name, one in LADDERS.items() if "clock" not in name]
    turn = tried = 0
    for ladder in ladders:
        if any(word in ladder for word in ("lost", "sum ", "offload", "forged", ">2", "stopped")):
            continue
        them = list(sound_frames(ladder))
        plain = told([frame for _, frame in them])
        verified: set[str] = set()
        for at, (sender, frame) in enumerate(them):
            segment = decode(frame)
            assert segment is not None
            if segment.flags & SYN and segment.sound():
                verified.add(sender)
            if sender not in verified:
                continue
            turn, tried = turn + 1, tried + 1
            wrong = garbled(sender, frame, HOSTILE[turn % len(HOSTILE)])
            mixed = [one for _, one in them]
            mixed.insert(at + 1, wrong)
            assert told(mixed) == plain, f"{HOSTILE[turn % len(HOSTILE)]} at {at} of {ladder}"
    assert tried > 500


def test_a_sum_that_looks_unfilled_where_that_of_the_syn_was_right() -> None:
    """A device fills in all or none: this one was garbled on its way, or was cut in the capture."""
    for begin, said in ((SOUND, False), (SOUND.replace(" <sum 0>", ""), True)):
        rung = play(f"{begin}+.1 > P. 1:101(100) ack 1 <offload 0>")[3]
        assert ("checksum-offload" in kinds(rung)) is said


def test_an_ack_whose_options_were_cut_is_not_garbled() -> None:
    """Longer than the SYN, it does not fit where that did."""
    tracker = Tracker()
    ladder = f"{SOUND}{DATA}+.01 < . 1:1(0) ack 1 <sack 51:101,sum 0>"
    for _, frame in frames(ladder):
        segment = decode(replace(frame, data=frame.data[:50]))
        assert segment is not None
        rung = tracker.seen(segment)
    assert WRONG not in [kinds(rung)]
    assert tracker.connections[0].server.verified


def test_data_in_order_that_were_garbled() -> None:
    """Once others as long were whole, they are not followed, and what repeats them says so."""
    begin = f"{DATA}+.01 < . 1:1(0) ack 101 <sum 0>\n"
    lost = "+.1 > P. 101:201(100) ack 1 <sum 1>\n"
    again = lost.replace("+.1", "+.3").replace("sum 1", "sum 0")
    wrong, right = pair(f"{begin}{lost}{again}+.01 < . 1:1(0) ack 201 <sum 0>")
    assert kinds(wrong[5]) == WRONG
    assert wrong[5].notes[0].dropped
    assert kinds(wrong[6]) == ["retransmission", *WRONG, "data"]
    assert wrong[6].notes[0] == Timeout(6, 300_000_000)
    assert [kinds(rung) for rung in right[5:7]] == [["data"], ["retransmission"]]
    more = "+.001 > P. 201:301(100) ack 1 <sum 0>\n"
    wrong, right = pair(f"{begin}{lost}{more}+.01 < . 1:1(0) ack 101 <sack 201:301,sum 0>\n{again}")
    assert wrong[6].notes[0] == LostSegment(100, 6)
    assert kinds(right[6]) == ["data"]
    assert kinds(wrong[8])[:2] == ["retransmission", *WRONG]
    taken = play(f"{SOUND}{begin}{lost}+.01 < . 1:1(0) ack 201 <sum 0>")
    assert kinds(taken[6])[0] == "bad-checksum-overruled"
