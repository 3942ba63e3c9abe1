"""What the numbers say: loss, repetition, windows. One ladder a verdict."""

from __future__ import annotations

import pytest
from frames import play

from trioecho.render.script import compare
from trioecho.tcp import notes

OPEN = """
+0    > S  0:0(0) win 1000 <mss 100,sackOK,wscale 0>
+.01  < S. 0:0(0) ack 1 win 1000 <mss 100,sackOK,wscale 0>
+.01  > .  1:1(0) ack 1 win 1000
"""
E = "| ESTABLISHED ESTABLISHED"

LADDERS = {
    "nothing to say": f"""
    +.1   > P. 1:101(100) ack 1 {E}
    +.01  < .  1:1(0) ack 101   {E}
    """,
    "a retransmission after a timeout, and its doubling": f"""
    +.1   > P. 1:101(100) ack 1 {E}
    +.2   > P. 1:101(100) ack 1 {E} retransmission of 4
    +.4   > P. 1:101(100) ack 1 {E} retransmission of 4
    """,
    "duplicate ACKs and the fast retransmission they ask for": f"""
    +.1   > .  1:101(100) ack 1          {E}
    +.001 > .  101:201(100) ack 1        {E}
    +.001 > .  201:301(100) ack 1        {E}
    +.001 > .  301:401(100) ack 1        {E}
    +.001 < .  1:1(0) ack 101 win 1000   {E}
    +.001 < .  1:1(0) ack 101 win 1000   {E} duplicate-ack 1 of 8
    +.001 < .  1:1(0) ack 101 win 1000   {E} duplicate-ack 2 of 8
    +.001 > .  101:201(100) ack 1        {E} fast-retransmission of 5
    """,
    "a spurious retransmission": f"""
    +.1   > P. 1:101(100) ack 1 {E}
    +.01  < .  1:1(0) ack 101   {E}
    +.2   > P. 1:101(100) ack 1 {E} spurious-retransmission
    """,
    "out of order: overtaken on its way": f"""
    +.1   > .  101:201(100) ack 1 {E} lost-segment
    +.001 > .  1:101(100) ack 1   {E} out-of-order
    """,
    "a gap, and an ACK of what was never seen": f"""
    +.1   > .  101:201(100) ack 1 {E} lost-segment
    +.001 < .  1:1(0) ack 201     {E} ack-lost-segment
    """,
    "keep-alive and its answer": f"""
    +.1   > P. 1:101(100) ack 1      {E}
    +.01  < .  1:1(0) ack 101 win 1000 {E}
    +7200 > .  100:100(0) ack 1      {E} keep-alive
    +.01  < .  1:1(0) ack 101 win 1000 {E} keep-alive-ack
    """,
    "a window that fills, closes, is probed and opens": f"""
    +.1   > .  1:1001(1000) ack 1      {E} window-full
    +.01  < .  1:1(0) ack 1001 win 0   {E} zero-window
    +.2   > .  1001:1002(1) ack 1      {E} zero-window-probe
    +.01  < .  1:1(0) ack 1001 win 0   {E} zero-window-probe-ack
    +.2   < .  1:1(0) ack 1001 win 500 {E} window-update
    """,
}


@pytest.mark.parametrize("isn", [1000, 0xFFFFFF00, 0x7FFFFFF0])
@pytest.mark.parametrize("name", LADDERS)
def test_verdict(name: str, isn: int) -> None:
    ladder = OPEN + LADDERS[name]
    difference = compare(ladder, play(ladder, isn, isn))
    assert not difference, f"\n{difference}"


def test_the_numbers_that_make_a_verdict_a_fact() -> None:
    rungs = play(OPEN + "+.1 > P. 1:101(100) ack 1\n+.2 > P. 1:101(100) ack 1")
    assert rungs[-1].notes == (notes.Retransmission(of=4, after=200_000_000, cause="timeout"),)
    rungs = play(OPEN + "+.1 > P. 1:101(100) ack 1\n+.02 < . 1:1(0) ack 101")
    assert rungs[-1].notes == (notes.Ack(100, pure=True, of=4, rtt=20_000_000),)


def test_an_ack_of_a_repeated_segment_tells_no_rtt() -> None:
    """Karn's algorithm, RFC 6298 §3."""
    rungs = play(
        OPEN + "+.1 > P. 1:101(100) ack 1\n+.2 > P. 1:101(100) ack 1\n+.02 < . 1:1(0) ack 101"
    )
    assert rungs[-1].notes == (notes.Ack(100, pure=True, of=4, rtt=None),)


def test_the_handshake_is_timed() -> None:
    assert play(OPEN)[-1].notes == (notes.HandshakeComplete(20_000_000),)


def test_offload_is_said_once() -> None:
    rungs = play(OPEN + "+.1 > . 1:3001(3000) ack 1\n+.1 > . 3001:6001(3000) ack 1")
    kinds = [note.kind for rung in rungs for note in rung.notes]
    assert kinds.count("segmentation-offload") == 1


def test_ports_used_again() -> None:
    first = play(OPEN)
    again = play(
        OPEN + OPEN.replace("> S  0:0", "> S  70000:70000").replace("ack 1 ", "ack 70001 ")
    )
    assert notes.ReusedPorts(1) in again[3].notes
    assert [rung.connection for rung in again] == [1, 1, 1, 2, 2, 2]
    assert again[3].seq == 0
    assert len(first) == 3
