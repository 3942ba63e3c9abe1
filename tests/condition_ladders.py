"""Ladders in which one part of a condition decides, and what is found of their last segment."""

from __future__ import annotations

from ladders import HANDSHAKE, OPEN

STAMPED = """
+0   > S  0:0(0) <ts 1000>
+.01 < S. 0:0(0) ack 1 <ts 7>
+.01 > .  1:1(0) ack 1 <ts 1010>
"""
FIVE = OPEN + "".join(f"+.001 > . {at}:{at + 100}(100) ack 1\n" for at in range(1, 501, 100))
TFO = "+0 > S 0:5(5) <tfo 8>\n"

FULL = OPEN + "+.1 > P. 1:1001(1000) ack 1\n+.01 < . 1:1(0) ack 1001 win 0\n"
PUSHED = FULL + (
    "+.1 > . 1001:1101(100) ack 1\n+0 > . 1101:1201(100) ack 1\n+.01 < . 1:1(0) ack 1001 win 0\n"
)
SYNS = "> S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n"
IDLE = OPEN + "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101 win 1000\n"
#: On a wire that knows what it loses, the first of three segments is lost.
LOST = (
    OPEN
    + "+.1 > . 1:101(100) ack 1 lost\n"
    + "".join(f"+.001 > . {at}:{at + 100}(100) ack 1\n" for at in (101, 201))
)
TIMED_OUT = FIVE + "+.3 > . 1:101(100) ack 1\n"
AGAIN = "+.001 > . 1:101(100) ack 1"

ROWS = {
    # RFC 5681 §2: a duplicate ACK has no data, no FIN, and the same window.
    "two duplicate ACKs ask": (
        LOST + "+.001 < . 1:1(0) ack 1 win 1000\n" * 2 + AGAIN,
        "FastRetransmission",
    ),
    "data do not": (
        LOST + "+.001 < P. 1:6(5) ack 1 win 1000\n+.001 < P. 6:11(5) ack 1 win 1000\n" + AGAIN,
        "Retransmission",
    ),
    "nor do other windows": (
        LOST + "+.001 < . 1:1(0) ack 1 win 900\n+.001 < . 1:1(0) ack 1 win 800\n" + AGAIN,
        "Retransmission",
    ),
    "nor do closed ones": (LOST + "+.001 < . 1:1(0) ack 1 win 0\n" * 3 + AGAIN, "NoRoom"),
    "RFC 6675 §4: SACK blocks may ask alone": (
        LOST + "+.001 < . 1:1(0) ack 1 win 900 <sack 101:302>\n" + AGAIN,
        "FastRetransmission",
    ),
    "but not far ones": (
        LOST + "+.001 < . 1:1(0) ack 1 win 900 <sack 90101:990302>\n" + AGAIN,
        "Retransmission",
    ),
    # RFC 9293 §3.8.6.1: a probe is one byte, upon a window that is known to be closed.
    "a probe": (FULL + "+.2 > . 1001:1002(1) ack 1", "ZeroWindowProbe"),
    "two bytes probe nothing": (FULL + "+.2 > . 1001:1003(2) ack 1", ""),
    "a FIN probes nothing": (FULL + "+.2 > F. 1001:1001(0) ack 1", "ConnectionFin"),
    "nor does who has not heard of it": (
        FULL.replace("win 0", "win 0 lost") + "+.2 > . 1001:1002(1) ack 1",
        "",
    ),
    "an answer to a probe has no data": (
        FULL + "+.2 > . 1001:1002(1) ack 1\n+.01 < P. 1:6(5) ack 1001 win 0",
        "ZeroWindow",
    ),
    "and needs a probe": (FULL + "+.01 < . 1:1(0) ack 1001 win 0", "ZeroWindow"),
    "a window that opens with new data updates nothing": (
        FULL + "+.2 < P. 1:6(5) ack 1001 win 500",
        "",
    ),
    "a window of a FIN is of no use": (OPEN + "+.1 < F. 1:1(0) ack 1 win 0", "ConnectionFin"),
    "nor is the one that a FIN fills": (OPEN + "+.1 > FP. 1:1000(999) ack 1", "ConnectionFin"),
    # RFC 9293 §3.8.4
    "an answer to a keep-alive with another window": (
        IDLE + "+7200 > . 100:100(0) ack 1\n+.01 < . 1:1(0) ack 101 win 900",
        "WindowUpdate",
    ),
    "an answer to a keep-alive with data": (
        IDLE + "+7200 > . 100:100(0) ack 1\n+.01 < P. 1:6(5) ack 101 win 1000",
        "",
    ),
    "two bytes are no keep-alive": (IDLE + "+7200 > . 99:101(2) ack 1", "SpuriousRetransmission"),
    # RFC 2883 §4
    "a DSACK of what was not sent again": (
        OPEN + "+.1 > P. 1:101(100) ack 1\n+.3 > P. 1:101(100) ack 1\n"
        "+.1 > P. 101:201(100) ack 1\n+.01 < . 1:1(0) ack 201 <sack 101:201>",
        "Dsack",
    ),
    "a block right behind the ACK's number": (
        OPEN + "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 51 <sack 52:101>",
        "Sack",
    ),
    # RFC 9293 §3.8.6: two segments that came upon a closed window.
    "what had no room, behind its neighbour": (
        PUSHED + "+.3 > . 1101:1201(100) ack 1\n+.001 > . 1001:1101(100) ack 1",
        "NoRoom",
    ),
    "what had no room, before its neighbour": (
        PUSHED + "+.3 > . 1001:1101(100) ack 1\n+.001 > . 1101:1201(100) ack 1",
        "NoRoom",
    ),
    "what was acknowledged had room": (
        OPEN + "+.1 > P. 1:1001(1000) ack 1\n+.01 < . 1:1(0) ack 501 win 0\n"
        "+.3 > . 1:501(500) ack 1",
        "WindowFull SpuriousRetransmission",
    ),
    # RFC 9293 §3.10.7.4: a SYN that comes again is answered again.
    "a SYN-ACK within 20 ms of the SYN": (
        SYNS + "+1 > S 0:0(0)\n+.019999999 < S. 0:0(0) ack 1",
        "RepeatedSyn",
    ),
    "a SYN-ACK 20 ms behind the SYN": (SYNS + "+1 > S 0:0(0)\n+.02 < S. 0:0(0) ack 1", "Timeout"),
    "a SYN of one who has acknowledged the SYN-ACK": (OPEN + "+.1 > S 0:0(0)", "Retransmission"),
    "RFC 5961 §4: it is challenged": (
        OPEN + "+.1 > S 0:0(0)\n+.001 < . 1:1(0) ack 1 win 1000",
        "DuplicateAck ChallengeAck",
    ),
    "so is a reset, also with another window": (
        OPEN + "+.1 < R 5000:5000(0)\n+.001 > . 1:1(0) ack 1 win 900",
        "WindowUpdate ChallengeAck",
    ),
    "data challenge nothing": (
        OPEN + "+.1 < R 5000:5000(0)\n+.001 > P. 1:6(5) ack 1 win 1000",
        "",
    ),
    # The handshake took 20 ms: what comes later was not overtaken, nor copied.
    "captured within a round trip of its ACK": (
        OPEN + "+.01 < . 1:1(0) ack 101\n+.019999999 > P. 1:101(100) ack 1",
        "CapturedLate",
    ),
    "captured a round trip behind its ACK": (
        OPEN + "+.01 < . 1:1(0) ack 101\n+.02 > P. 1:101(100) ack 1",
        "SpuriousRetransmission",
    ),
    "overtaken, and none of it acknowledged": (
        OPEN + "+.1 > . 101:201(100) ack 1\n+.001 < . 1:1(0) ack 1\n+.001 > . 1:101(100) ack 1",
        "OutOfOrder",
    ),
    "some of it was acknowledged, so it came before": (
        OPEN + "+.1 > . 101:201(100) ack 1\n+.001 < . 1:1(0) ack 51\n+.001 > . 1:101(100) ack 1",
        "FillsGap",
    ),
    "a packet again within a round trip": (
        OPEN + "+.1 > P. 1:101(100) ack 1 <id 7>\n+.019999999 > P. 1:101(100) ack 1 <id 7>",
        "SamePacket",
    ),
    "a packet of that number a round trip later": (
        OPEN + "+.1 > P. 1:101(100) ack 1 <id 7>\n+.02 > P. 1:101(100) ack 1 <id 7>",
        "Retransmission",
    ),
    "a packet of that number with more bytes": (
        OPEN + "+.1 > P. 1:101(100) ack 1 <id 7>\n+.001 > P. 1:151(150) ack 1 <id 7>",
        "Retransmission",
    ),
    "an ACK again within a round trip": (
        IDLE.replace("101 win 1000", "101 win 1000 <id 7>")
        + "+.019999999 < . 1:1(0) ack 101 win 1000 <id 7>",
        "CopiedAck",
    ),
    "an ACK of that number a round trip later": (
        IDLE.replace("101 win 1000", "101 win 1000 <id 7>")
        + "+.02 < . 1:1(0) ack 101 win 1000 <id 7>",
        "DuplicateAck",
    ),
    # RFC 6298 §5: whatever asks for it since its timer has sent it says more than that.
    "a timer that expires again": (TIMED_OUT + "+.6 > . 1:101(100) ack 1", "Timeout"),
    "duplicate ACKs behind a timer": (
        TIMED_OUT + "+.59 < . 1:1(0) ack 1 win 1000\n" * 2 + "+.001 > . 1:101(100) ack 1",
        "FastRetransmission",
    ),
    "a closed window behind a timer": (
        TIMED_OUT + "+.1 < . 1:1(0) ack 1 win 0\n+.6 > . 1:101(100) ack 1",
        "NoRoom",
    ),
    "an answer to a keep-alive with a larger window": (
        IDLE + "+7200 > . 100:100(0) ack 1\n+.01 < . 1:1(0) ack 101 win 1100",
        "WindowUpdate",
    ),
    "an ACK of the SYN's own number is no end that is half open": (
        "> S 0:0(0)\n< . 7000:7000(0) ack 0",
        "",
    ),
    "nor is one of the SYN": ("> S 0:0(0)\n< . 7000:7000(0) ack 1", ""),
    "one behind it is": (
        "> S 0:0(0)\n< . 7000:7000(0) ack 2",
        "ChallengeAck AckOfUnsent",
    ),
    "and so is one before it": ("> S 0:0(0)\n< . 7000:7000(0) ack -1", "ChallengeAck"),
    # RFC 9293 §3.10.7.4: only a SYN-ACK answers a SYN that comes again.
    "data within 20 ms of a SYN that comes again": (
        OPEN + "+.1 < P. 1:6(5) ack 1\n+.01 > S 0:0(0)\n+.001 < P. 1:6(5) ack 1",
        "Retransmission",
    ),
    "the packet of a repetition, again": (
        "> S 0:0(0) <id 3>\n+1 > S 0:0(0) <id 4>\n+.001 > S 0:0(0) <id 4>",
        "SamePacket",
    ),
    "a SYN without an identification may be asked for again": (
        "> S 0:0(0)\n+1 > S 0:0(0)\n+.001 > S 0:0(0)",
        "Timeout",
    ),
    "a FIN leaves a gap": (OPEN + "+.1 > F. 5:5(0) ack 1", "LostSegment ConnectionFin"),
    "a reset leaves none": (OPEN + "+.1 > R 5000:5000(0)", "OutOfWindow"),
    "a reset of one that has not closed answers no older ACK": (
        OPEN + "+.1 < P. 1:101(100) ack 1\n+.01 > . 1:1(0) ack 101\n"
        "+.001 > . 1:1(0) ack 50\n+.01 < R 50:50(0)",
        "OutOfWindow",
    ),
    # RFC 9293 §3.10.7.4: a window ends before RCV.NXT + RCV.WND; its scale may not have been seen.
    "a reset at the last number of the widest window": (
        "> P. 1:6(5) ack 1 win 5\n+.1 < R 81920:81920(0)",
        "NotNext",
    ),
    "a reset one behind it": (
        "> P. 1:6(5) ack 1 win 5\n+.1 < R 81921:81921(0)",
        "OutOfWindow",
    ),
    "an older ACK with data is no older ACK": (
        OPEN + "+.1 > . 1:101(100) ack 1\n+.01 > . 101:201(100) ack 1\n"
        "+.01 < . 1:1(0) ack 201\n+.001 < P. 1:6(5) ack 101",
        "",
    ),
    # A keep-alive in the middle has no byte, and nothing is known of its sender but one number.
    "an answer to a keep-alive that was seen": (
        "> . 1:1(0) ack 1\n< . 1:1(0) ack 2",
        "FirstKeepAliveAck",
    ),
    "with data": ("> . 1:1(0) ack 1\n< P. 1:6(5) ack 2", "AckLostSegment"),
    "behind a SYN": (HANDSHAKE + "< . 1:1(0) ack 2", "AckLostSegment"),
    "behind data": ("> P. 1:6(5) ack 1\n< . 1:1(0) ack 7", "AckLostSegment"),
    "behind a FIN, which has no number behind it": (
        "> F. 1:1(0) ack 1\n< . 1:1(0) ack 3",
        "AckLostSegment FinAck",
    ),
    "an ACK that it has overtaken": (
        "> . 1:1(0) ack 1\n< . 1:1(0) ack 2\n< . 1:1(0) ack 1",
        "OlderAck",
    ),
    "an end that is half open, asked twice": (
        "> S 0:0(0)\n< . 7000:7000(0) ack 90000\n+1 > S 0:0(0)\n< . 7000:7000(0) ack 90000",
        "DuplicateAck",
    ),
    "RFC 7323 §5.3: a RST moves no timestamp": (
        STAMPED + "+.1 > R 0:0(0) <ts 9000>\n+.1 > P. 1:6(5) ack 1 <ts 1020>",
        "",
    ),
    "RFC 7323 §4.3: what is sent again moves it": (
        STAMPED + "+.1 > P. 1:6(5) ack 1 <ts 1020>\n+.3 > P. 1:6(5) ack 1 <ts 1320>\n"
        "+.1 > P. 6:11(5) ack 1 <ts 1318>",
        "Paws",
    ),
    "but none that comes behind a gap": (
        STAMPED + "+.1 > P. 6:11(5) ack 1 <ts 1320>\n+.01 > P. 1:6(5) ack 1 <ts 1319>",
        "OutOfOrder",
    ),
    "windows that round to one of a scale are others all the same": (
        LOST.replace("wscale 0", "wscale 2")
        + "".join(f"+.001 < . 1:1(0) ack 1 win {window}\n" for window in (999, 998, 997))
        + AGAIN,
        "Retransmission",
    ),
    "a RST before the first SYN begins no connection that the SYN would end": (
        "< R 1:1(0)\n> S 0:0(0)",
        "ConnectionSyn",
    ),
    "an older ACK takes no SACK block back": (
        FIVE + "+.001 < . 1:1(0) ack 101 win 1000\n" * 3 + "+.001 > . 101:201(100) ack 1\n"
        "+.001 < . 1:1(0) ack 201 win 900 <sack 401:501>\n+0 < . 1:1(0) ack 101 win 900\n"
        "+.001 > . 301:401(100) ack 1",
        "Recovery",
    ),
    "data without an ACK open nothing": (
        "> S 0:0(0)\n+.01 > P 1:6(5)\n+.01 < S. 0:0(0) ack 1",
        "ConnectionSynack",
    ),
    "a FIN that was acknowledged needs no room": (
        OPEN + "+.1 > F. 1:1(0) ack 1\n+.01 < . 1:1(0) ack 2 win 0\n+.3 > F. 1:1(0) ack 1",
        "AckLost",
    ),
    "there is no room since it was sent, whatever else was sent again since": (
        PUSHED + "+.3 > . 1101:1201(100) ack 1\n+.1 > . 1001:1101(100) ack 1",
        "NoRoom",
    ),
    "RFC 8684: after the first DSS others are said": (
        OPEN + "+.1 > . 1:101(100) ack 1 <mptcp 2>\n+0 > . 101:201(100) ack 1 <mptcp 5>",
        "Mptcp",
    ),
    "RFC 6864: identifications wrap": (
        OPEN + "+.1 > . 101:201(100) ack 1 <id 65535>\n+.001 > . 1:101(100) ack 1 <id 2>",
        "FillsGap",
    ),
    "no next identification": (
        OPEN + "+.1 > . 101:201(100) ack 1 <id 65535>\n+.001 > . 1:101(100) ack 1 <id 65534>",
        "OutOfOrder",
    ),
    "an older ACK with the next number": (
        OPEN + "+.1 > P. 1:6(5) ack 1\n+.001 < P. 1:6(5) ack 6 win 1000\n"
        "+.001 < . 6:6(0) ack 1 win 1000",
        "OlderAck",
    ),
    "an older ACK with a number that was acknowledged": (
        OPEN + "+.1 > P. 1:6(5) ack 1\n+.001 < P. 1:6(5) ack 6 win 1000\n"
        "+.001 > . 6:6(0) ack 6 win 1000\n+.001 < . 5:5(0) ack 1 win 1000",
        "OlderAck",
    ),
    "other bytes, smaller ones": (
        OPEN + "+.1 > P. 1:6(5) ack 1 <id 7>\n+.001 > P. 1:6(5) ack 1 <id 7,byte 119>",
        "Retransmission SegmentOverlapConflict",
    ),
    "other bytes, larger ones": (
        OPEN + "+.1 > P. 1:6(5) ack 1 <id 7>\n+.001 > P. 1:6(5) ack 1 <id 7,byte 121>",
        "Retransmission SegmentOverlapConflict",
    ),
    "other bytes before a FIN": (
        OPEN + "+.1 > FP. 1:6(5) ack 1\n+.3 > FP. 1:6(5) ack 1 <byte 121>",
        "Timeout SegmentOverlapConflict",
    ),
    "other bytes in a part of what a FIN ended": (
        OPEN + "+.1 > FP. 1:6(5) ack 1\n+.3 > . 4:6(2) ack 1 <byte 121>",
        "Timeout SegmentOverlapConflict",
    ),
    "other bytes in a part of what more was sent for": (
        OPEN + "+.1 > P. 1:6(5) ack 1\n+.3 > FP. 4:8(4) ack 1 <byte 121>",
        "Timeout SegmentOverlapConflict ConnectionFin",
    ),
    "a FIN with an ACK of all but the other FIN": (
        OPEN + "+.1 > FP. 1:6(5) ack 1\n+.001 < F. 1:1(0) ack 6\n+.01 > . 7:7(0) ack 2",
        "FinAck",
    ),
    "sent again without an ACK": (
        OPEN + "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 1 win 1000\n+.3 > P 1:101(100)",
        "Timeout",
    ),
    "what repeats the last segment and goes on probes nothing": (
        OPEN + "+.1 > P. 1:101(100) ack 1\n+.05 > P. 1:151(150) ack 1",
        "Retransmission",
    ),
    "a timer sends half of what fills the window": (
        OPEN + "+.1 > P. 1:101(100) ack 1 win 1000\n+0 > . 101:201(100) ack 1\n"
        "+.3 > . 1:51(50) ack 1",
        "ShorterTimeout",
    ),
    "half of what the window has room for": (
        OPEN + "+.1 > P. 1:6(5) ack 1\n+.01 < . 1:1(0) ack 6 win 100\n"
        "+.1 > P. 6:106(100) ack 1\n+.5 > . 6:56(50) ack 1",
        "ShorterTimeout",
    ),
    "half of what was more than the window has room for": (
        OPEN + "+.1 > P. 1:6(5) ack 1\n+.01 < . 1:1(0) ack 6 win 99\n"
        "+.1 > P. 6:106(100) ack 1\n+.5 > . 6:56(50) ack 1",
        "Timeout",
    ),
    "half of what was more than one segment": (
        OPEN + "+.1 > P. 1:102(101) ack 1\n+.5 > . 1:51(50) ack 1",
        "Timeout",
    ),
    "a part of a segment, with timestamps beside it": (
        STAMPED + "+.1 > P. 1:525(524) ack 1 <ts 1100>\n+.5 > . 1:101(100) ack 1 <ts 1600>",
        "ShorterTimeout",
    ),
    "a part of more than a segment, with timestamps beside it": (
        STAMPED + "+.1 > P. 1:526(525) ack 1 <ts 1100>\n+.5 > . 1:101(100) ack 1 <ts 1600>",
        "Timeout",
    ),
    "the packet of a repetition is not that of the last ACK": (
        OPEN + "+.1 > P. 1:6(5) ack 1\n+.1 < P. 1:6(5) ack 6 win 1000 <id 7>\n"
        "+.1 < . 6:6(0) ack 6 win 1000 <id 8>\n+.001 < P. 1:6(5) ack 6 win 1000 <id 9>\n"
        "+.001 < . 6:6(0) ack 6 win 1000 <id 8>",
        "CopiedAck",
    ),
}
