"""What the numbers say: loss, repetition, windows. One ladder a verdict."""

from __future__ import annotations

import struct

import pytest
from frames import frames, play, tcp
from ladders import OPEN, VERDICTS

from trioecho.model import ACK, SYN, Frame, Rung
from trioecho.render.script import compare
from trioecho.tcp import notes
from trioecho.tcp.decode import decode
from trioecho.tcp.link import RAW
from trioecho.tcp.tracker import Tracker


@pytest.mark.parametrize("isn", [1000, 0xFFFFFF00, 0x7FFFFFF0])
@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(name: str, isn: int) -> None:
    ladder = VERDICTS[name]
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


def round_trips(ladder: str) -> list[int]:
    rungs = play(OPEN + ladder)
    acks = [note for rung in rungs for note in rung.notes if isinstance(note, notes.Ack)]
    return [note.rtt for note in acks if note.rtt is not None]


def test_an_ack_that_a_repair_has_released_tells_no_rtt() -> None:
    """The receiver had the last segment long before it could acknowledge it."""
    first = "+.1 > . 1:101(100) ack 1\n+.01 > . 101:201(100) ack 1\n+.01 > . 201:301(100) ack 1\n"
    repair = "+.3 > . 1:101(100) ack 1\n+.02 < . 1:1(0) ack 301\n"
    after = "+.1 > . 301:401(100) ack 1\n+.02 < . 1:1(0) ack 401"
    assert round_trips(first + repair + after) == [20_000_000]


def test_an_ack_behind_what_was_overtaken_tells_no_rtt() -> None:
    ladder = "+.1 > . 101:201(100) ack 1\n+.008 > . 1:101(100) ack 1\n+.001 < . 1:1(0) ack 201"
    assert round_trips(ladder) == []


def test_an_ack_of_what_was_acknowledged_selectively_tells_no_rtt() -> None:
    block = b"\1\1\5\x0a" + struct.pack("!II", 200, 300)
    rungs = see(
        *HANDSHAKE,
        (1, packet(1, 100)),
        (1, packet(2, 200)),
        (9, tcp("server", ACK, 500, 100, options=block)),
        (9, tcp("server", ACK, 500, 300)),
    )
    assert rungs[-1].notes == (notes.Ack(200, pure=True, of=5, rtt=None),)


def test_a_copy_spoils_no_rtt() -> None:
    """Where each packet passes twice, each ACK is still of the first one."""
    data, ack = packet(7, 100), tcp("server", ACK, 500, 200)
    rungs = see(*HANDSHAKE, (1, data), (1, data), (18, ack))
    assert rungs[-1].notes == (notes.Ack(100, pure=True, of=4, rtt=19_000_000),)


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


def test_only_what_is_missing_is_counted() -> None:
    rungs = play(VERDICTS["one of two holes is filled, and the other acknowledged"])
    assert notes.AckLostSegment(100) in rungs[6].notes


def test_what_follows_a_partial_ack_belongs_to_the_recovery() -> None:
    rungs = play(VERDICTS["a partial ACK, and the next hole in the same recovery"])
    assert rungs[9].notes == (notes.FastRetransmission(duplicates=3),)
    assert rungs[11].notes == (notes.Retransmission(cause="recovery"),)


HANDSHAKE = (
    (0, tcp("client", SYN, 99)),
    (20, tcp("server", SYN | ACK, 499, 100)),
    (20, tcp("client", ACK, 100, 500)),
)


def see(*packets: tuple[int, bytes]) -> list[Rung]:
    """Packets, each so many milliseconds after the one before."""
    tracker, rungs, time = Tracker(), [], 0
    for number, (delta, data) in enumerate(packets, 1):
        time += delta * 1_000_000
        segment = decode(Frame(number, time, data, RAW, len(data)))
        assert segment is not None
        rungs.append(tracker.seen(segment))
    return rungs


def packet(identification: int, seq: int) -> bytes:
    data = tcp("client", ACK, seq, 500, bytes(100))
    return data[:4] + identification.to_bytes(2, "big") + data[6:]


def test_the_very_same_packet_is_not_the_senders_retransmission() -> None:
    """One packet passes the tap before and behind a router: its identification tells."""
    packets = (packet(7, 100), packet(8, 200))
    rungs = see(*HANDSHAKE, *((1, data) for data in packets * 2))
    assert rungs[5].notes == (notes.OutOfOrder(200, of=4),)
    assert rungs[6].notes == (notes.Retransmission(5, 2_000_000, "same-packet"),)


@pytest.mark.parametrize(
    ("identification", "delay"), [(9, 1), (7, 50)], ids=["another packet", "too late for a copy"]
)
def test_what_its_sender_repeats_is_a_retransmission(identification: int, delay: int) -> None:
    again = (delay, packet(identification, 100))
    rung = see(*HANDSHAKE, (1, packet(7, 100)), (1, packet(8, 200)), again)[-1]
    assert rung.notes == (notes.Retransmission(4, (delay + 1) * 1_000_000),)


def test_a_copy_counts_neither_as_bytes_nor_as_retransmission() -> None:
    tracker = Tracker()
    for number, (_, data) in enumerate((*HANDSHAKE, *((1, packet(7, 100)),) * 2), 1):
        segment = decode(Frame(number, number * 1_000_000, data, RAW, len(data)))
        assert segment is not None
        tracker.seen(segment)
    (summary,) = tracker.summaries()
    assert (summary.client_bytes, summary.retransmissions) == (100, 0)


def test_sack_alone_can_tell_a_loss() -> None:
    """A receiver whose window opens with each ACK repeats none (RFC 6675 §4)."""
    segments = [(1, packet(0, 100 + 100 * at)) for at in range(5)]
    mss = (0, tcp("client", SYN, 99)), (20, tcp("server", SYN | ACK, 499, 100, options=b"\2\4\0d"))
    block = b"\1\1\5\x0a" + (200).to_bytes(4, "big") + (600).to_bytes(4, "big")
    ack = (1, tcp("server", ACK, 500, 100, window=9000, options=block))
    rungs = see(*mss, HANDSHAKE[2], *segments, ack, (1, packet(0, 100)))
    assert rungs[-1].notes == (notes.FastRetransmission(4, 6_000_000, duplicates=0),)


def test_an_ack_counts_from_its_arrival() -> None:
    """Where the way is long, duplicate ACKs are old when they come, and ask all the same."""
    tracker = Tracker()
    ladder = (
        OPEN
        + "+.1 > . 1:101(100) ack 1 lost\n"
        + "+.001 > . 101:301(200) ack 1\n"
        + "+.001 < . 1:1(0) ack 1\n" * 4
        + "+.051 > . 1:101(100) ack 1\n"
    )
    for line, frame in frames(ladder):
        segment = decode(frame)
        assert segment is not None
        rung = tracker.sent(segment)
        connection = tracker.find(segment.source, segment.destination)
        assert connection is not None
        if not line.lost:
            connection.arrived(rung, frame.time + 50_000_000)
    assert [note.kind for note in rung.notes] == ["fast-retransmission"]


def test_the_byte_of_a_keep_alive_is_no_data() -> None:
    """Nor is it news that the peer has had its number before (RFC 2883)."""
    twice = b"\1\1\5\x0a" + struct.pack("!II", 104, 105)
    rungs = see(
        *HANDSHAKE,
        (20, tcp("client", ACK, 100, 500, b"hello")),
        (20, tcp("server", ACK, 500, 105, window=100)),
        (10_000, tcp("client", ACK, 104, 500, b"\0")),
        (20, tcp("server", ACK, 500, 105, window=100, options=twice)),
    )
    assert [rung.notes for rung in rungs[5:]] == [(notes.KeepAlive(),), (notes.KeepAliveAck(),)]
