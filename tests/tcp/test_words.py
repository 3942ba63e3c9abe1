"""What a fact says, where that depends on more than its kind."""

# covers: tcp/rules/words

from __future__ import annotations

import pytest
from frames import play
from ladders import OPEN
from msgspec.structs import replace

from trioecho.model import Fact
from trioecho.tcp.rules import (
    loss,
    marks,
    opening,
    overlap,
    overtaking,
    repetition,
    resets,
    timers,
    windows,
)
from trioecho.tcp.rules.challenges import ChallengeAck
from trioecho.tcp.rules.closing import ConnectionFin, FinAck
from trioecho.tcp.rules.data import Ack, Data
from trioecho.tcp.rules.refusals import Challenged, NotNext, OutOfWindow

SEEN = play(OPEN)[0]
SENT = play(OPEN + "+.1 > . 1:1(0) ack 1 lost")[0]

SAID = [
    (FinAck(2), "2 of 4: the client knows the server will send no more; it may still send"),
    (FinAck(2, closed=True), "2 of 4: the client knows the server will send no more; nor will it"),
    (FinAck(4), "4 of 4: closed"),
    (
        FinAck(4, time_wait=True),
        "4 of 4: closed; the client waits in TIME-WAIT, in case this ACK is lost",
    ),
    (
        FinAck(4, crossed=True),
        "the client acknowledges the FIN that crossed its own: both ends will wait in TIME-WAIT",
    ),
    (
        ConnectionFin(1),
        "1 of 4: the client closes its direction: it sends no more, but still receives",
    ),
    (ConnectionFin(3), "3 of 4: the client closes its direction too"),
    (
        ConnectionFin(3, acknowledges=True),
        "2 and 3 of 4: the client acknowledges that and closes its own direction too",
    ),
    (
        ConnectionFin(3, simultaneous=True),
        "the client closes too, before the other's FIN has arrived: a simultaneous close",
    ),
    (
        ConnectionFin(3, simultaneous=True, presumed=True),
        "the client closes too, before its socket has taken the server's FIN: it never"
        " was in CLOSE-WAIT, this is a simultaneous close",
    ),
    (
        ChallengeAck("reset"),
        "challenge ACK: the client does not trust the reset, and repeats its last ACK",
    ),
    (
        ChallengeAck("syn"),
        "challenge ACK: the client does not trust the SYN, and repeats its last ACK",
    ),
    (
        ChallengeAck("half-open"),
        "challenge ACK: the client still has an earlier connection on these ports"
        " open, and answers for that one; a RST will end it",
    ),
    (Data(1), "the client sends 1 byte"),
    (Data(1500, missing=5), "the client sends 1,500 bytes, 5 of them cut off by the capture"),
    (Data(1500, missing=1500), "the client sends 1,500 bytes, cut off by the capture"),
    (Ack(5, pure=True), "a pure ACK: 5 bytes arrived"),
    (
        Ack(5, pure=False, of=4, rtt=20_000_000),
        "piggybacked on it the ACK: 5 bytes arrived, up to rung 4, 20 ms ago",
    ),
    (
        Ack(5, pure=True, of=4, or_again=True),
        "a pure ACK: 5 bytes arrived, up to rung 4 or its retransmission",
    ),
    (loss.LostSegment(1), "a gap: 1 byte before this has not been seen"),
    (
        loss.FarSegment(2),
        "a gap: 2 bytes before this have not been seen. That is far beyond the"
        " server's window as it was last seen: forged or garbled, and the server drops"
        " it, or the capture has a hole",
    ),
    (
        overlap.Garbled(4),
        "its checksum is wrong, and that of the client's SYN was right: it was garbled on its way,"
        " and the server drops it",
    ),
    (
        overlap.ChecksumOverruled(4),
        "the client has taken rung 4 all the same: its checksum was right when it arrived",
    ),
    (
        loss.AckLostSegment(2),
        "it acknowledges 2 bytes not seen so far: the capture missed them, or shows them later",
    ),
    (
        loss.AckOfUnsent(2),
        "it acknowledges 2 bytes that the server cannot have sent yet: the server does not take it,"
        " and may answer with a RST",
    ),
    (
        loss.DuplicateAck(1, 4),
        "duplicate ACK number 1 of rung 4: the client still waits for the same byte",
    ),
    (
        loss.DuplicateAck(2, None, "fin"),
        "duplicate ACK number 2: the client acknowledges the FIN again",
    ),
    (
        loss.AnswersOld(1, 4, old=2),
        "duplicate ACK number 1 of rung 4: the client answers rung 2, an old segment",
    ),
    (
        loss.DuplicateAck(2, 4, "syn"),
        "duplicate ACK number 2 of rung 4: the client acknowledges the SYN again",
    ),
    (
        loss.DuplicateAck(2, 4, "nothing"),
        "duplicate ACK number 2 of rung 4: the client has everything seen here, and"
        " repeats its ACK",
    ),
    (loss.Sack(((5, 7), (9, 10))), "the client lacks some, but has bytes 5 to 6, 9 (SACK)"),
    (
        loss.Sack(((5, 6),), outside=True),
        "the client says it has byte 5 (SACK), but nothing near was ever sent: the"
        " numbers were rewritten on the way",
    ),
    (loss.Dsack(0, 1), "the client had already received the server's SYN (DSACK): it came twice"),
    (loss.Dsack(0, 2), "the client got bytes 0 to 1 twice (DSACK): a retransmission was spurious"),
    (
        loss.Dsack(1, 2, 4),
        "the client got byte 1 twice (DSACK): the retransmission in rung 4 was spurious",
    ),
    (
        loss.Dsack(1, 2, 4, copy=True),
        "the client got byte 1 twice (DSACK): the copy in rung 4, too",
    ),
    (marks.EcnSetup(), "the client can signal congestion without loss (ECN)"),
    (marks.EcnSetup(accurate=True), "the client can signal congestion without loss (accurate ECN)"),
    (
        marks.SegmentationOffload(3000, 1460),
        "3,000 bytes in one segment, more than an Ethernet frame holds: it is split"
        " later, or was merged before, by the device (offload); not an error",
    ),
    (
        marks.SegmentationOffload(3000, 3000),
        "3,000 bytes in one segment, more than an Ethernet frame holds: this interface"
        " takes up to 3,000 bytes at once; not an error",
    ),
    (opening.ConnectionSyn(), "1 of 3: the client opens, and offers mss 100, window scale 0, SACK"),
    (
        opening.LateSyn(),
        "1 of 3, captured late: the client had opened, and offered mss 100, window scale 0, SACK",
    ),
    (
        opening.ConnectionSyn(simultaneous=True),
        "the client opens too, before the other's SYN has arrived: a simultaneous open",
    ),
    (
        opening.ConnectionSynack(),
        "2 of 3: the client agrees and opens its direction with mss 100, window scale 0, SACK",
    ),
    (
        opening.ConnectionSynack(simultaneous=True),
        "the client acknowledges the SYN that crossed its own, and sends its own again",
    ),
    (
        opening.StraySynack(),
        "a SYN-ACK that does not acknowledge the server's SYN: the server does not take it, and may"
        " answer with a RST",
    ),
    (
        opening.StraySynack(established=True),
        "a SYN-ACK with another ISN, while the server has a connection with the first:"
        " it does not take this one, and may answer with an ACK",
    ),
    (opening.TfoAck(5), "Fast Open: the client accepts 5 bytes that came with the SYN"),
    (
        opening.TfoAck(5, cookie=False),
        "the client accepts 5 bytes that came with the SYN, without a Fast Open cookie",
    ),
    (opening.TfoIgnored(5), "Fast Open not accepted: the server must send the SYN's 5 bytes again"),
    (
        opening.TfoIgnored(5, cookie=False),
        "the client does not accept the SYN's 5 bytes, which came without a Fast Open"
        " cookie: the server must send them again",
    ),
    (opening.HandshakeComplete(20_000_000), "3 of 3: both ends know; the handshake took 20 ms"),
    (opening.HandshakeComplete(None), "3 of 3: both ends know"),
    (opening.HandshakeComplete(None, simultaneous=True), "both ends know"),
    (
        overtaking.OlderAck(5, 4),
        "an older ACK, overtaken on its way by rung 4, 5 bytes behind the newest: the server"
        " ignores its number and window",
    ),
    (
        overtaking.OlderAck(0, 4),
        "an older ACK, overtaken on its way by rung 4, only the FIN behind the newest: the server"
        " ignores its number and window",
    ),
    (
        overtaking.OlderAck(5, 4, "ack"),
        "an older ACK, overtaken on its way by rung 4, 5 bytes behind the newest: its sequence"
        " number is old, too, so the server drops it, and may answer with an ACK",
    ),
    (
        overtaking.OlderAck(5, 4, "rst"),
        "an older ACK, overtaken on its way by rung 4, 5 bytes behind the newest: the server has"
        " closed, and may answer with a RST",
    ),
    (
        overtaking.SamePacket(4),
        "the same packet of rung 4 again, too soon to be new: it passes here twice, or"
        " was doubled on its way",
    ),
    (repetition.Retransmission(4, 2_000_000_000), "retransmission of rung 4 after 2.00 s"),
    (repetition.Retransmission(), "retransmission"),
    (
        repetition.SpuriousRetransmission(4, None, 5),
        "spurious retransmission of rung 4: rung 5 had acknowledged it, if that ACK"
        " reached the client",
    ),
    (
        repetition.SpuriousRetransmission(),
        "spurious retransmission: the peer had acknowledged it, if that ACK reached the client",
    ),
    (
        repetition.FastRetransmission(4, None, 1),
        "fast retransmission of rung 4: SACK shows that it is missing",
    ),
    (
        repetition.FastRetransmission(4, None, 2),
        "fast retransmission of rung 4: duplicate ACKs ask for it, 2 so far",
    ),
    (repetition.NoRoom(4), "retransmission of rung 4: the server had no room for it"),
    (
        resets.UnreadData(),
        "the client ended abruptly, perhaps before it had read what the server sent:"
        " then data is lost",
    ),
    (
        OutOfWindow(),
        "outside the server's window: the server drops this reset, and answers nothing",
    ),
    (timers.Timeout(4, 300_000_000), "retransmission of rung 4 after 300 ms: no ACK has come"),
    (
        timers.Timeout(4, times=2, others=True),
        "retransmission of rung 4, for the 2nd time: no ACK of it has come",
    ),
    (
        timers.AckLost(4, acked=5),
        "retransmission of rung 4: the answer in rung 5 did not arrive in time, or was"
        " not accepted",
    ),
    (
        timers.AckLost(4),
        "retransmission of rung 4: the answer did not arrive in time, or was not accepted",
    ),
    (
        timers.AckLost(4, acked=5, lost=True),
        "retransmission of rung 4: the server had it, but its answer, rung 5, was"
        " lost, so the client's timer expired",
    ),
    (
        timers.AckLost(4, acked=5, lost=False),
        "retransmission of rung 4: the server had it, and its answer, rung 5, was"
        " still on its way when the client's timer expired",
    ),
    (
        timers.AckUnheard(4, None, 5, "timeout", lost=True),
        "retransmission of rung 4: the server had it, but its ACK, rung 5, was lost,"
        " so the client's timer expired",
    ),
    (
        timers.AckUnheard(4, None, 5, "timeout"),
        "spurious retransmission of rung 4: the server had it, and its ACK, rung 5,"
        " was still on its way when the client's timer expired",
    ),
    (
        timers.AckUnheard(4, None, 5),
        "spurious retransmission of rung 4: the server had it, and its ACK, rung 5,"
        " was still on its way",
    ),
    (
        windows.ZeroWindow(),
        "zero window: the client's receive buffer is full, its program reads too slowly",
    ),
    (windows.ZeroWindow(still=True), "zero window: the client still has no room"),
    (
        windows.ZeroWindow(over=True),
        "zero window: the client needs no room, since nothing more can come",
    ),
    (windows.WindowUpdate(500), "window update: the client now has room for 500 bytes"),
    (
        windows.WindowUpdate(1, least=True),
        "window update: the client now has room for 1 byte or more, as its window"
        " scale was not seen",
    ),
    (
        windows.WindowUpdate(5, opens=True),
        "window update: there is room again at the client: 5 bytes",
    ),
    (windows.WindowOpened(5), "there is room again at the client: 5 bytes"),
    (
        windows.FirstKeepAliveAck(4),
        "the answer: the client is still there, and rung 4 was a keep-alive, one"
        " before the next number, unless the capture missed a byte",
    ),
    (
        windows.FirstKeepAliveAck(),
        "the answer: the client is still there, and what came before was a keep-alive,"
        " one before the next number, unless the capture missed a byte",
    ),
]


@pytest.mark.parametrize(("fact", "words"), SAID)
def test_what_it_says(fact: Fact, words: str) -> None:
    assert fact.text(SEEN) == words


@pytest.mark.parametrize(
    ("fact", "seen", "sent"),
    [
        (
            repetition.SpuriousRetransmission(4, None, 5),
            ": rung 5 had acknowledged it, if that ACK reached the client",
            ": rung 5 had acknowledged it",
        ),
        (
            timers.AckLost(4, acked=5),
            ": the answer in rung 5 did not arrive in time, or was not accepted",
            ": it has crossed its answer, rung 5, or that was not taken",
        ),
    ],
)
def test_a_wire_that_knows_says_no_more_than_it_knows(fact: Fact, seen: str, sent: str) -> None:
    assert fact.text(SEEN).endswith(seen)
    assert fact.text(SENT).endswith(sent)


@pytest.mark.parametrize("fact", [Challenged(), OutOfWindow(), NotNext()])
def test_nobody_answers_a_reset_that_never_arrives(fact: Fact) -> None:
    arrived, lost = fact.text(SEEN), fact.text(replace(SENT, lost=True))
    assert "would" not in arrived
    assert "would" in lost
    assert "answers" not in lost
    assert lost.partition(":")[0] == arrived.partition(":")[0]


@pytest.mark.parametrize(
    ("fact", "source"),
    [
        (FinAck(2), "RFC 9293 §3.6"),
        (FinAck(2, crossed=True), "RFC 9293 §3.6, case 3"),
        (ConnectionFin(1), "RFC 9293 §3.6"),
        (ConnectionFin(3, simultaneous=True), "RFC 9293 §3.6, case 3"),
        (ChallengeAck("reset"), "RFC 5961 §3.2 and §4.2"),
        (ChallengeAck("half-open"), "RFC 9293 §3.5.1, figure 9"),
        (loss.DuplicateAck(1), "RFC 5681 §2"),
        (loss.DuplicateAck(1, 4, "fin"), "RFC 9293 §3.10.7.4"),
        (marks.EcnSetup(), "RFC 3168 §6.1.1"),
        (marks.EcnSetup(accurate=True), "RFC 9768 §3.1"),
        (opening.ConnectionSynack(), "RFC 9293 §3.5"),
        (opening.ConnectionSynack(simultaneous=True), "RFC 9293 §3.5, figure 7"),
        (opening.StraySynack(), "RFC 9293 §3.10.7.3"),
        (opening.StraySynack(established=True), "RFC 5961 §4"),
        (opening.TfoAck(5), "RFC 7413 §4.2.2"),
        (opening.TfoAck(5, cookie=False), "RFC 9293 §3.10.7.2"),
        (windows.ZeroWindow(), "RFC 9293 §3.8.6"),
        (windows.ZeroWindow(over=True), "RFC 9293 §3.6"),
    ],
)
def test_by_which_section(fact: Fact, source: str) -> None:
    assert fact.source == source
