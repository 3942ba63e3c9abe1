"""Ladders that tests play to the engine and, as captures, to tshark."""

from __future__ import annotations

HANDSHAKE = """
+0    > S  0:0(0)              | SYN-SENT     UNKNOWN
+.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
+.001 > .  1:1(0) ack 1        | ESTABLISHED  ESTABLISHED
"""

OPEN = """
+0    > S  0:0(0) win 1000 <mss 100,sackOK,wscale 0>
+.01  < S. 0:0(0) ack 1 win 1000 <mss 100,sackOK,wscale 0>
+.01  > .  1:1(0) ack 1 win 1000
"""

# Captured at the client: a round trip of 20 ms, full segments of 100 bytes, a window of 1000.
AT_CLIENT = """
+0    > S  0:0(0) win 1000 <mss 112,sackOK,wscale 0>
+.02  < S. 0:0(0) ack 1 win 1000 <mss 112,sackOK,wscale 0>
+0    > .  1:1(0) ack 1 win 1000
"""
READ_LATE = (
    AT_CLIENT
    + """
    +0    > .  1:1001(1000) ack 1
    +.02  < .  1:1(0) ack 1001 win 0
    +.25  > .  1000:1000(0) ack 1
    +.02  < .  1:1(0) ack 1001 win 0
    +.23  < .  1:1(0) ack 1001 win 1000
    +0    > P. 1001:1011(10) ack 1
    +.02  < .  1:1(0) ack 1011 win 1000
    """
)
E = "| ESTABLISHED ESTABLISHED"

STATES = {
    "handshake, data, four steps": HANDSHAKE
    + """
    +.1   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 < P. 1:6(5) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 > .  6:6(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 > F. 6:6(0) ack 6        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < .  6:6(0) ack 7        | FIN-WAIT-2   CLOSE-WAIT
    +.001 < F. 6:6(0) ack 7        | TIME-WAIT    LAST-ACK
    +.001 > .  7:7(0) ack 7        | TIME-WAIT    CLOSED
    """,
    "FIN and ACK of FIN in one": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 2        | TIME-WAIT    LAST-ACK
    +.001 > .  2:2(0) ack 2        | TIME-WAIT    CLOSED
    """,
    "the server closes first": HANDSHAKE
    + """
    +.1   < F. 1:1(0) ack 1        | CLOSE-WAIT   FIN-WAIT-1
    +.001 > .  1:1(0) ack 2        | CLOSE-WAIT   FIN-WAIT-2
    +.001 > F. 1:1(0) ack 2        | LAST-ACK     TIME-WAIT
    +.001 < .  2:2(0) ack 2        | CLOSED       TIME-WAIT
    """,
    "half-close: data flows on in the other direction": HANDSHAKE
    + """
    +.1   > FP. 1:4(3) ack 1       | FIN-WAIT-1   CLOSE-WAIT
    +.001 < .  1:1(0) ack 5        | FIN-WAIT-2   CLOSE-WAIT
    +.001 < P. 1:101(100) ack 5    | FIN-WAIT-2   CLOSE-WAIT
    +.001 > .  5:5(0) ack 101      | FIN-WAIT-2   CLOSE-WAIT
    +.001 < F. 101:101(0) ack 5    | TIME-WAIT    LAST-ACK
    +.001 > .  5:5(0) ack 102      | TIME-WAIT    CLOSED
    """,
    "simultaneous open": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < S  0:0(0)              | SYN-RECEIVED SYN-SENT
    +.001 > S. 0:0(0) ack 1        | SYN-RECEIVED ESTABLISHED
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  ESTABLISHED
    """,
    "simultaneous close behind data": HANDSHAKE
    + """
    +.1   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 > F. 6:6(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 1        | CLOSING      CLOSING
    +.001 > .  7:7(0) ack 2        | CLOSING      TIME-WAIT
    +.001 < .  2:2(0) ack 7        | TIME-WAIT    TIME-WAIT
    """,
    "simultaneous close": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 1        | CLOSING      CLOSING
    +.001 > .  2:2(0) ack 2        | CLOSING      TIME-WAIT
    +.001 < .  2:2(0) ack 2        | TIME-WAIT    TIME-WAIT
    """,
    "a FIN that carries the ACK of the other is lost, and that ACK comes alone": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 2  lost  | FIN-WAIT-1   LAST-ACK
    +.2   > F. 1:1(0) ack 1        | FIN-WAIT-1   LAST-ACK      retransmission of 4
    +.001 < .  2:2(0) ack 2        | FIN-WAIT-2   LAST-ACK      duplicate-ack 1 of 5
    +.2   < F. 1:1(0) ack 2        | TIME-WAIT    LAST-ACK      retransmission of 5
    +.001 > .  2:2(0) ack 2        | TIME-WAIT    CLOSED
    """,
    "closed before the handshake is over": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
    +.001 < F. 1:1(0) ack 1        | CLOSE-WAIT   FIN-WAIT-1
    +.001 > .  1:1(0) ack 2        | CLOSE-WAIT   FIN-WAIT-2
    """,
    "refused": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < R. 1:1(0) ack 1        | CLOSED       CLOSED        connection-rst refused
    """,
    "aborted by the client": HANDSHAKE
    + """
    +.1   > R. 1:1(0) ack 1        | CLOSED       CLOSED        connection-rst aborted
    """,
    "aborted by the server, data unread": HANDSHAKE
    + """
    +.1   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 < R. 1:1(0) ack 6        | CLOSED       CLOSED        connection-rst unread-data
    """,
    "reset in SYN-RECEIVED: the server listens on": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
    +.001 > R  1:1(0)              | CLOSED       LISTEN        connection-rst gave-up
    """,
    "reset in SYN-SENT of an old duplicate's SYN-ACK (RFC 9293, figure 8)": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < S. 0:0(0) ack -500     | SYN-SENT     SYN-RECEIVED  stray-synack
    +.001 > R  -500:-500(0)        | SYN-SENT     LISTEN        connection-rst unacceptable-ack
    """,
    "reset after close: data for a socket that is gone": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < .  1:1(0) ack 2        | FIN-WAIT-2   CLOSE-WAIT
    +.1   < P. 1:6(5) ack 2        | FIN-WAIT-2   CLOSE-WAIT
    +.001 > R  2:2(0)              | CLOSED       CLOSED        connection-rst after-close
    """,
    "TIME-WAIT assassination (RFC 1337)": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 2        | TIME-WAIT    LAST-ACK
    +.001 > .  2:2(0) ack 2        | TIME-WAIT    CLOSED
    +.1   < R  2:2(0)          | CLOSED       CLOSED       connection-rst time-wait-assassination
    """,
    "a FIN that overtakes data is processed when the gap is filled": HANDSHAKE
    + """
    +.1   > F. 6:6(0) ack 1        | FIN-WAIT-1   ESTABLISHED   lost-segment
    +.1   > P. 1:6(5) ack 1        | FIN-WAIT-1   CLOSE-WAIT    retransmission
    +.001 < .  1:1(0) ack 7        | FIN-WAIT-2   CLOSE-WAIT
    """,
    "a lost SYN-ACK": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < S. 0:0(0) ack 1  lost  | SYN-SENT     SYN-RECEIVED
    +1    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED  retransmission of 1
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED  retransmission of 2
    +.001 > .  1:1(0) ack 1        | ESTABLISHED  ESTABLISHED
    """,
    "a lost SYN-ACK, asked for again and sent again by its own timer too": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < S. 0:0(0) ack 1  lost  | SYN-SENT     SYN-RECEIVED
    +1    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED  retransmission of 1
    +.001 < S. 0:0(0) ack 1  lost  | SYN-SENT     SYN-RECEIVED  retransmission of 2
    +.001 < S. 0:0(0) ack 1  lost  | SYN-SENT     SYN-RECEIVED  retransmission of 2
    +1    > S  0:0(0)        lost  | SYN-SENT     SYN-RECEIVED  retransmission of 1
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED  retransmission of 2
    """,
    "a lost third step: data completes the handshake": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
    +.001 > .  1:1(0) ack 1  lost  | ESTABLISHED  SYN-RECEIVED
    +.1   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    """,
    "lost data, sent again": HANDSHAKE
    + """
    +.1   > P. 1:6(5) ack 1  lost  | ESTABLISHED  ESTABLISHED
    +.3   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED   retransmission of 4
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    """,
    "a lost FIN: the peer does not know yet": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1  lost  | FIN-WAIT-1   ESTABLISHED
    +.3   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT    retransmission of 4
    """,
    "joined in the middle": """
    +0    > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 > F. 6:6(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    """,
    "a SYN, refused and sent again": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < R. 1:1(0) ack 1        | CLOSED       CLOSED        connection-rst refused
    +1    > S  0:0(0)              | SYN-SENT     CLOSED        retransmission of 1
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
    """,
    "a SYN that nothing answers": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +1    > S  0:0(0)              | SYN-SENT     UNKNOWN       retransmission of 1
    """,
    "the tap missed the SYN-ACK": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 > .  1:1(0) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 > P. 6:11(5) ack 1       | ESTABLISHED  ESTABLISHED   lost-segment
    +.001 > F. 11:11(0) ack 1      | FIN-WAIT-1   ESTABLISHED
    +.001 > P. 1:6(5) ack 1        | FIN-WAIT-1   CLOSE-WAIT    retransmission
    """,
    "the tap missed the SYN-ACK, and the server speaks first": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 < P. 1:6(5) ack 1        | SYN-SENT     SYN-RECEIVED
    +.001 > .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    """,
    "the tap missed the SYN-ACK of a server that has got data": """
    +0    > S  0:0(0)              | SYN-SENT     UNKNOWN
    +.001 > P. 1:6(5) ack 1  lost  | ESTABLISHED  UNKNOWN
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    """,
    "a segment that fits no row changes nothing": HANDSHAKE
    + """
    +.1   > S  0:0(0)              | ESTABLISHED  ESTABLISHED   retransmission of 1
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  ESTABLISHED   retransmission of 2
    +.001 > -  1:1(0)              | ESTABLISHED  ESTABLISHED
    """,
}

VERDICTS = {
    "nothing to say": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1 {E}
    +.01  < .  1:1(0) ack 101   {E}
    """,
    "a retransmission after a timeout, and its doubling": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1 {E}
    +.2   > P. 1:101(100) ack 1 {E} retransmission of 4
    +.4   > P. 1:101(100) ack 1 {E} retransmission of 4
    """,
    "duplicate ACKs and the fast retransmission they ask for": OPEN
    + f"""
    +.1   > .  1:101(100) ack 1          {E}
    +.001 > .  101:201(100) ack 1        {E}
    +.001 > .  201:301(100) ack 1        {E}
    +.001 > .  301:401(100) ack 1        {E}
    +.001 < .  1:1(0) ack 101 win 1000   {E}
    +.001 < .  1:1(0) ack 101 win 1000   {E} duplicate-ack 1 of 8
    +.001 < .  1:1(0) ack 101 win 1000   {E} duplicate-ack 2 of 8
    +.001 > .  101:201(100) ack 1        {E} fast-retransmission of 5
    """,
    "what follows a hole in order does not hide it": OPEN
    + f"""
    +.1   > .  101:201(100) ack 1 {E} lost-segment
    +.001 > .  201:301(100) ack 1 {E}
    +.01  < .  1:1(0) ack 301     {E} ack-lost-segment
    """,
    "the timer has expired three times, then it gives up": OPEN
    + """
    +.1   > P. 1:101(100) ack 1   | ESTABLISHED ESTABLISHED
    +.3   > P. 1:101(100) ack 1   | ESTABLISHED ESTABLISHED retransmission of 4
    +.6   > P. 1:101(100) ack 1   | ESTABLISHED ESTABLISHED retransmission of 4
    +1.2  > P. 1:101(100) ack 1   | ESTABLISHED ESTABLISHED retransmission of 4
    +2.4  > R. 101:101(0) ack 1 lost | CLOSED ESTABLISHED connection-rst no-answer
    """,
    "a hole is filled from its end": OPEN
    + f"""
    +.1   > .  201:301(100) ack 1 {E} lost-segment
    +.001 > .  101:201(100) ack 1 {E} out-of-order
    +.001 > .  1:101(100) ack 1   {E} out-of-order
    +.001 < .  1:1(0) ack 301     {E}
    """,
    "what fills a hole and goes beyond the newest was not overtaken": OPEN
    + f"""
    +.1   > .  101:201(100) ack 1 {E} lost-segment
    +.001 > .  1:251(250) ack 1   {E} retransmission
    +.001 < .  1:1(0) ack 251     {E}
    """,
    "a spurious retransmission": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1 {E}
    +.01  < .  1:1(0) ack 101   {E}
    +.2   > P. 1:101(100) ack 1 {E} spurious-retransmission
    """,
    "out of order: overtaken on its way": OPEN
    + f"""
    +.1   > .  101:201(100) ack 1 {E} lost-segment
    +.001 > .  1:101(100) ack 1   {E} out-of-order
    """,
    "a gap, and an ACK of what was never seen": OPEN
    + f"""
    +.1   > .  101:201(100) ack 1 {E} lost-segment
    +.001 < .  1:1(0) ack 201     {E} ack-lost-segment
    """,
    "a partial ACK, and the next hole in the same recovery": OPEN
    + f"""
    +.1   > .  101:201(100) ack 1     {E} lost-segment
    +.001 > .  301:401(100) ack 1     {E} lost-segment
    +.001 > .  401:501(100) ack 1     {E}
    +.001 < .  1:1(0) ack 1 win 1000  {E} duplicate-ack 1 of 2
    +.001 < .  1:1(0) ack 1 win 1000  {E} duplicate-ack 2 of 2
    +.001 < .  1:1(0) ack 1 win 1000  {E} duplicate-ack 3 of 2
    +.001 > .  1:101(100) ack 1       {E} fast-retransmission
    +.001 < .  1:1(0) ack 201         {E}
    +.001 > .  201:301(100) ack 1     {E} retransmission
    +.001 < .  1:1(0) ack 501         {E}
    +.001 > .  601:701(100) ack 1     {E} lost-segment
    +.001 > .  501:601(100) ack 1     {E} out-of-order
    """,
    "a segment that is partly new": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1   {E}
    +.3   > P. 51:151(100) ack 1  {E} retransmission of 4
    +.01  < .  1:1(0) ack 151     {E}
    """,
    "one of two holes is filled, and the other acknowledged": OPEN
    + f"""
    +.1   > .  101:201(100) ack 1 {E} lost-segment
    +.001 > .  301:401(100) ack 1 {E} lost-segment
    +.3   > .  1:101(100) ack 1   {E} retransmission
    +.01  < .  1:1(0) ack 401     {E} ack-lost-segment
    +.01  < .  1:1(0) ack 401     {E} duplicate-ack 1 of 7
    """,
    "keep-alive and its answer": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1      {E}
    +.01  < .  1:1(0) ack 101 win 1000 {E}
    +7200 > .  100:100(0) ack 1      {E} keep-alive
    +.01  < .  1:1(0) ack 101 win 1000 {E} keep-alive-ack
    """,
    "a window that fills, closes, is probed and opens": OPEN
    + f"""
    +.1   > .  1:1001(1000) ack 1      {E} window-full
    +.01  < .  1:1(0) ack 1001 win 0   {E} zero-window
    +.2   > .  1001:1002(1) ack 1      {E} zero-window-probe
    +.01  < .  1:1(0) ack 1001 win 0   {E} zero-window-probe-ack
    +.2   < .  1:1(0) ack 1001 win 500 {E} window-update
    """,
    "one byte that is not acknowledged is sent again, and asks for no sign of life": OPEN
    + f"""
    +.1   > P. 1:2(1) ack 1     {E}
    +.3   > P. 1:2(1) ack 1     {E} retransmission of 4
    +.6   > P. 1:2(1) ack 1     {E} retransmission of 4
    +.01  < .  1:1(0) ack 2     {E}
    """,
    "one byte whose ACK is on its way is sent again": OPEN
    + f"""
    +.1   > P. 1:2(1) ack 1     {E}
    +.25  < .  1:1(0) ack 2 win 1000 {E}
    +.001 > P. 1:2(1) ack 1     {E} spurious-retransmission
    +.02  < .  1:1(0) ack 2 win 1000 {E} duplicate-ack 1 of 5
    """,
    "a gap that has stood for a round trip: nothing was overtaken": OPEN
    + f"""
    +.1   > .  101:201(100) ack 1   {E} lost-segment
    +.015 > .  201:301(100) ack 1   {E}
    +.015 > .  1:101(100) ack 1     {E} retransmission
    """,
    "sent fast, lost again, and sent once more by a timer": OPEN
    + f"""
    +.1   > .  1:101(100) ack 1          {E}
    +.001 > .  101:201(100) ack 1        {E}
    +.001 > .  201:301(100) ack 1        {E}
    +.001 < .  1:1(0) ack 1 win 1000     {E} duplicate-ack 1 of 2
    +.001 < .  1:1(0) ack 1 win 1000     {E} duplicate-ack 2 of 2
    +.001 > .  1:101(100) ack 1          {E} fast-retransmission of 4
    +.3   > .  301:401(100) ack 1        {E}
    +.02  < .  1:1(0) ack 1 win 1000     {E} duplicate-ack 3 of 2
    +.001 > .  1:101(100) ack 1          {E} retransmission of 4
    """,
    "old bytes and new ones in one segment": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1   {E}
    +.01  < .  1:1(0) ack 101     {E}
    +.001 > P. 51:151(100) ack 1  {E} retransmission
    +.01  < .  1:1(0) ack 151     {E}
    """,
    "a zero-window probe whose byte is taken": OPEN
    + f"""
    +.1   > .  1:1001(1000) ack 1       {E} window-full
    +.01  < .  1:1(0) ack 1001 win 0    {E} zero-window
    +.2   > .  1001:1002(1) ack 1       {E} zero-window-probe
    +.01  < .  1:1(0) ack 1002 win 0    {E} zero-window-probe-ack
    +.4   > .  1002:1003(1) ack 1       {E} zero-window-probe
    +.01  < .  1:1(0) ack 1003 win 1000 {E} window-update
    +.001 > .  1003:1503(500) ack 1     {E}
    +.01  < .  1:1(0) ack 1503          {E}
    """,
    "data that is captured behind its ACK": OPEN
    + f"""
    +.01  < .  1:1(0) ack 101     {E} ack-lost-segment
    +.001 > P. 1:101(100) ack 1   {E} out-of-order
    +.001 > P. 101:201(100) ack 1 {E}
    """,
    "an ACK that a FIN has overtaken": OPEN
    + """
    +.1    < P. 1:101(100) ack 1  | ESTABLISHED ESTABLISHED
    +.01   > F. 1:1(0) ack 101    | FIN-WAIT-1  CLOSE-WAIT
    +.0001 > .  1:1(0) ack 101    | FIN-WAIT-1  CLOSE-WAIT  overtaken-ack of 5
    +.01   < .  101:101(0) ack 2  | FIN-WAIT-2  CLOSE-WAIT
    """,
    "a closed window that Linux probes with a number that is taken": OPEN
    + f"""
    +.1   > .  1:1001(1000) ack 1      {E} window-full
    +.01  < .  1:1(0) ack 1001 win 0   {E} zero-window
    +.2   > .  1000:1000(0) ack 1      {E} zero-window-probe
    +.01  < .  1:1(0) ack 1001 win 0   {E} zero-window
    +.4   > .  1000:1000(0) ack 1      {E} zero-window-probe
    +.01  < .  1:1(0) ack 1001 win 500 {E} window-update
    +.01  > .  1001:1501(500) ack 1    {E} window-full
    """,
}

MARKS = {
    "a tail loss probe is too soon for a timeout": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1   {E}
    +.02  < .  1:1(0) ack 101     {E}
    +.1   > P. 101:201(100) ack 1 {E}
    +.05  > P. 101:201(100) ack 1 {E} retransmission of 6
    """,
    "a reset that is not next is answered by a challenge ACK, and changes nothing": OPEN
    + f"""
    +.1   < R  500:500(0)         {E} connection-rst challenged
    +.001 > .  1:1(0) ack 1 win 1000 {E} duplicate-ack 1 of 3, challenge-ack
    +.1   < P. 1:6(5) ack 1       {E}
    +.001 > .  1:1(0) ack 6       {E}
    """,
    "an older ACK changes nothing": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1   {E}
    +0    > P. 101:201(100) ack 1 {E}
    +.02  < .  1:1(0) ack 201 win 1000 {E}
    +0    < .  1:1(0) ack 101 win 50 {E} older-ack of 6
    +.002  < .  1:1(0) ack 201 win 1000 {E} duplicate-ack 1 of 6
    +0    < .  1:1(0) ack 101 win 50 {E} older-ack of 6
    +0    < .  1:1(0) ack 201 win 900 {E} window-update
    +.1   > P. 201:301(100) ack 1 {E}
    +.3   > P. 201:301(100) ack 1 {E} retransmission of 11
    """,
    "an older ACK tells nothing of the window now": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1   {E}
    +0    > P. 101:201(100) ack 1 {E}
    +.02  < .  1:1(0) ack 201 win 1000 {E}
    +0    < .  1:1(0) ack 101 win 0 {E} older-ack of 6
    +.002 > P. 201:301(100) ack 1 {E}
    """,
    "a single byte has overtaken an ACK": OPEN
    + f"""
    +.1   > P. 1:2(1) ack 1       {E}
    +.001 < .  1:1(0) ack 2       {E}
    +.018999999 > . 1:1(0) ack 1  {E}
    """,
    "a keep-alive a round trip behind a single byte": OPEN
    + f"""
    +.1   > P. 1:2(1) ack 1       {E}
    +.001 < .  1:1(0) ack 2       {E}
    +.019 > .  1:1(0) ack 1       {E} keep-alive
    """,
    "an older ACK at the number before the next": OPEN
    + f"""
    +.1   < P. 1:101(100) ack 1   {E}
    +.01  > P. 1:2(1) ack 101     {E}
    +.01  < .  101:101(0) ack 2   {E}
    +2    > .  1:1(0) ack 1       {E} older-ack of 5
    """,
    "an ACK of a FIN, once more": OPEN
    + """
    +.1   > F. 1:1(0) ack 1       | FIN-WAIT-1   CLOSE-WAIT
    +.02  < F. 1:1(0) ack 2       | TIME-WAIT    LAST-ACK
    +.02  > .  2:2(0) ack 2 lost  | TIME-WAIT    LAST-ACK
    +.3   < F. 1:1(0) ack 2       | TIME-WAIT    LAST-ACK retransmission of 5
    +.02  > .  2:2(0) ack 2       | TIME-WAIT    CLOSED duplicate-ack 1 of 6
    """,
    "keep-alives that nobody answers end in a reset": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1   {E}
    +.02  < .  1:1(0) ack 101     {E}
    +7200 > .  100:100(0) ack 1   {E} keep-alive
    +.02  < .  1:1(0) ack 101 win 65535 {E} keep-alive-ack
    +7200 > .  100:100(0) ack 1 lost {E} keep-alive
    +75   > .  100:100(0) ack 1 lost {E} keep-alive
    +75   > R. 101:101(0) ack 1 lost | CLOSED ESTABLISHED connection-rst no-answer
    """,
    "a reset behind an answered keep-alive has another reason": OPEN
    + f"""
    +.1   > P. 1:101(100) ack 1   {E}
    +.02  < .  1:1(0) ack 101     {E}
    +7200 > .  100:100(0) ack 1   {E} keep-alive
    +.02  < .  1:1(0) ack 101 win 65535 {E} keep-alive-ack
    +1    > R. 101:101(0) ack 1   | CLOSED CLOSED connection-rst aborted
    """,
    "a FIN far beyond the window closes nothing": OPEN
    + f"""
    +.1   < F. 1000000:1000000(0) ack 1 {E} lost-segment
    +.1   < P. 1:6(5) ack 1       {E}
    """,
    "data within a hole counts once": OPEN
    + f"""
    +.1   > . 101:201(100) ack 1  {E} lost-segment
    +.3   > . 1:101(100) ack 1    {E} retransmission
    +.3   > . 101:201(100) ack 1  {E} retransmission of 4
    """,
}
