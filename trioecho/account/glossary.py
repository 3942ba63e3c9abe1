"""How to be sure of a cause, and what it is mistaken for. PURE.

``trioecho explain`` shows this, and so does docs/how-to/causes.md, which has what to change, too.
"""

from __future__ import annotations

from typing import NamedTuple


class Sign(NamedTuple):
    """What to know of a cause.

    Args:
        sure: how to be sure, with which command or counter.
        unlike: what it is mistaken for, and how to tell them apart.
        sources: where it is written.
    """

    sure: str
    unlike: str
    sources: tuple[str, ...]


#: What each kind of loss is.
LOSSES = {
    "policed": "a policer dropped what came faster than its rate",
    "overflow": "a queue was full",
    "random": "neither a policer nor a full queue fits: by chance",
}
#: By the names of causes, and of the kinds of losses.
SIGNS: dict[str, Sign] = {
    "refused": Sign(
        "On the server, `ss -ltn` lists what listens, and at which address. If no RST has left it "
        "(`nstat -az TcpOutRsts`), a firewall on the way has refused.",
        "An attempt that is only dropped is `no-answer`: there the client waits. A server that is "
        "too busy to accept does not refuse: Linux drops the client's segments.",
        ("RFC 9293 §3.5.2",),
    ),
    "no-answer": Sign(
        "Capture at the server, too: if the SYN does not arrive, something on the way drops it; if "
        "it arrives and nothing leaves, look at that host's firewall, and for a full queue of "
        "connections at `nstat -az TcpExtListenDrops`.",
        "If an answer comes in the end, it is `handshake-loss`. Captured at the client, a SYN-ACK "
        "that is lost on its way cannot be told from none.",
        ("RFC 9293 §3.8.3", "RFC 6298 §2"),
    ),
    "handshake-loss": Sign(
        "On either host `nstat -az TcpExtTCPSynRetrans` counts the SYNs and SYN-ACKs that it has "
        "repeated. On the server `nstat -az TcpExtListenOverflows` counts the connections that "
        "found its queue full.",
        "A slow server program delays no handshake: the kernel answers alone, until the queue of "
        "connections that wait for `accept` is full.",
        ("RFC 6298 §2", "RFC 9293 §3.5"),
    ),
    "setup": Sign(
        "`curl -w '%{time_connect}'` measures it from outside; it is one round trip, as `ping` "
        "shows.",
        "The question to DNS comes before it and the handshake of TLS behind it: `trioecho why "
        "--requests` tells the three apart.",
        ("RFC 9293 §3.5", "RFC 7413"),
    ),
    "black-hole": Sign(
        "On the sender `ss -ti` shows `backoff`. If `ping -M do -s 1472` to the peer gets no "
        "answer and a plain `ping` does, the path takes only smaller packets.",
        "A `slow-reader` answers each probe, with a window of 0; here nothing answers. Captured at "
        "the receiver it looks like `idle`: nothing comes there.",
        ("RFC 9293 §3.8.3", "RFC 2923", "RFC 5482"),
    ),
    "timeout": Sign(
        "On the sender `ss -ti` shows `rto` and counts repeats in `retrans`; `nstat -az "
        "TcpExtTCPTimeouts TcpExtTCPLossProbes` counts for the host.",
        "A peer that is slow to answer makes no retransmission: that is `think-time`. Captured at "
        "the receiver, a lost segment may look like a pause of the sender, `application`.",
        ("RFC 6298 §5", "RFC 8985 §7"),
    ),
    "fast-recovery": Sign(
        "On the sender `ss -ti` counts repeats in `retrans`; `nstat -az TcpExtTCPSackRecovery "
        "TcpExtTCPFastRetrans` counts for the host.",
        "A segment that was overtaken makes duplicate ACKs, too: that repair is `spurious`.",
        ("RFC 5681 §3.2", "RFC 6675", "RFC 8985"),
    ),
    "spurious": Sign(
        "On the sender `ss -ti` shows `dsack_dups`, and `reord_seen` where the path reorders; "
        "`nstat -az TcpExtTCPDSACKRecv` counts for the host.",
        "Nothing was lost: do not look for a link that loses. The receiver had the segment, or got "
        "it late.",
        ("RFC 2883", "RFC 3522", "RFC 5682"),
    ),
    "slow-reader": Sign(
        "On the receiver `ss -tn` shows the unread bytes as `Recv-Q`; on the sender `ss -ti` shows "
        "`rwnd_limited`. On a wire of ours `--kernel` shows both.",
        "If the window stays as large as it was, the program does read, and the buffer is too "
        "small: `receive-buffer`. The sender, which hangs in `send`, has done nothing wrong.",
        ("RFC 9293 §3.8.6",),
    ),
    "receive-buffer": Sign(
        "On the sender `ss -ti` shows `rwnd_limited`, while on the receiver `Recv-Q` stays near 0. "
        "The rate is the window divided by the round trip.",
        "If the window shrinks to 0, the program does not read: `slow-reader`.",
        ("RFC 7323 §2", "RFC 9293 §3.8.6"),
    ),
    "delayed-ack": Sign(
        "On the receiver `nstat -az TcpExtDelayedACKs` counts them, and `ss -ti` shows the delay "
        "as `ato`.",
        "By itself it costs nothing: if somebody waits for that ACK, it is `nagle`.",
        ("RFC 9293 §3.8.6.3", "RFC 5681 §4.2"),
    ),
    "nagle": Sign(
        "Set TCP_NODELAY and measure again: if the 40 ms are gone, it was this.",
        "A program that pauses (`application`) sends when it likes; here the segment leaves right "
        "behind the ACK of the one before.",
        ("RFC 896", "RFC 9293 §3.7.4"),
    ),
    "send-buffer": Sign(
        "On the sender `ss -ti` shows `sndbuf_limited`; on a wire of ours `--kernel` does. The "
        "kernel measures it, so it decides.",
        "A sender that paces itself (SO_MAX_PACING_RATE, BBR) keeps the same flight, too, but not "
        "for its buffer: `sndbuf_limited` is missing then. It is taken for `congestion-window`.",
        (
            "Y. Zhang et al., On the Characteristics and Origins of Internet Flow Rates, SIGCOMM "
            "2002",
        ),
    ),
    "slow-start": Sign(
        "`ss -ti` on the sender shows `cwnd` in segments, which grows, and no `ssthresh` until "
        "slow start has ended.",
        "If it comes back in the middle of a long connection, a timer has fired, or the program "
        "has paused for longer than the RTO: then Linux makes the window smaller.",
        ("RFC 5681 §3.1", "RFC 6928"),
    ),
    "congestion-window": Sign(
        "On the sender `ss -ti` shows `cwnd` and `ssthresh`, in segments, and the repeats in "
        "`retrans`.",
        "A sender that paces itself is taken for this, too: then `ss -ti` shows less in `unacked` "
        "than in `cwnd`, and a `pacing_rate` near the rate that you see. If the flight fills the "
        "receiver's window, it is `receive-buffer`; if the rate does not rise with the flight, it "
        "is `bottleneck`.",
        ("RFC 5681 §3.1", "RFC 9438"),
    ),
    "bufferbloat": Sign(
        "Run `ping` beside the transfer: its times grow as much. On the sender compare `rtt` with "
        "`minrtt` in `ss -ti`.",
        "A queue that is always full cannot be told from a longer path: measure when the path is "
        "quiet.",
        ("RFC 8290", "RFC 7567"),
    ),
    "bottleneck": Sign(
        "On the sender `delivery_rate` in `ss -ti` stays at one value, that of the slowest link.",
        "If it loses and no queue stands before the losses, the limit is a policer: `policed`.",
        ("RFC 6349",),
    ),
    "application": Sign(
        "`strace -f -tt -e trace=network,read,write -p PID` shows what the program does in the "
        "pause; for programs on a wire of ours `trioecho run --calls` does. `ss -ti` says "
        "`app_limited`.",
        "Captured at the receiver, a message whose first segment was lost looks the same.",
        ("M. Siekkinen et al., A Root Cause Analysis Toolkit for TCP, Computer Networks 2008",),
    ),
    "think-time": Sign(
        "`trioecho why --requests` gives it for each request; the server's own log should agree.",
        "The way there and back is not in it: that is `round-trip`.",
        (),
    ),
    "round-trip": Sign(
        "`ping` shows the time of one; the account's rungs show how many there were.",
        "The server is not slow: it has answered at once. Nothing was lost or held back.",
        (),
    ),
    "closing": Sign(
        "`ss -tn state close-wait` lists connections whose peer has closed and whose own program "
        "has not.",
        "A connection that nobody closes is `idle`.",
        ("RFC 9293 §3.6",),
    ),
    "idle": Sign(
        "`ss -to` shows the keep-alive timer, if there is one.",
        "If one end did wait for the other, it is `think-time`.",
        ("RFC 9293 §3.8.4",),
    ),
    "unknown": Sign(
        "Take a capture at the sender, or run both programs on a wire of ours.",
        "It accuses nobody.",
        (),
    ),
    "policed": Sign(
        "The rate that is told should be one that somebody has sold or set. Send UDP a little "
        "below it and a little above: the first loses nothing, the second as much as is above.",
        "A full queue (`overflow`) delays before it loses: the round trip grows first.",
        ("T. Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016",),
    ),
    "overflow": Sign(
        "`tc -s qdisc` and `ip -s link` count what was dropped, if the bottleneck is a Linux host.",
        "A policer (`policed`) loses without a delay before.",
        ("RFC 7567",),
    ),
    "random": Sign(
        "Look at the error counters of each interface on the way: `ip -s -s link`, `ethtool -S`, "
        "and `iw dev wlan0 station dump` for a radio.",
        "A policer that other connections fill looks the same in a capture of one of them.",
        (),
    ),
}
