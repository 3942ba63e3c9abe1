"""Kernel: what Linux knows of one end of a connection, from TCP_INFO."""

from __future__ import annotations

import struct

from trioecho.errors import TrioechoError
from trioecho.model import Kernel, State

# The first 104 bytes of linux/tcp.h's struct tcp_info. It has grown ever since, and at its end
# alone, so these are where they were in Linux 2.6: tcpi_state, tcpi_retransmits, tcpi_rto,
# tcpi_unacked, tcpi_rtt, tcpi_rttvar, tcpi_snd_ssthresh, tcpi_snd_cwnd, tcpi_total_retrans.
TCP_INFO = struct.Struct("=BxB5x I12xI 40x IIII 16xI")
# Those of Linux 4.10: tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited, in microseconds.
LIMITS = struct.Struct("=168x QQQ")
INFINITE_SSTHRESH = 0x7FFFFFFF
MICROSECOND = 1000

# By the numbers of net/tcp_states.h. A listening socket's half of a handshake is NEW_SYN_RECV, a
# socket with a port and nothing else BOUND_INACTIVE.
STATES = dict(
    enumerate(
        (
            State.ESTABLISHED,
            State.SYN_SENT,
            State.SYN_RECEIVED,
            State.FIN_WAIT_1,
            State.FIN_WAIT_2,
            State.TIME_WAIT,
            State.CLOSED,
            State.CLOSE_WAIT,
            State.LAST_ACK,
            State.LISTEN,
            State.CLOSING,
            State.SYN_RECEIVED,
            State.CLOSED,
        ),
        start=1,
    )
)


def parse_info(data: bytes, congestion: bytes = b"") -> Kernel:
    """Read a ``struct tcp_info``, and the name of a congestion control, which a NUL ends.

    Raises:
        TrioechoError: it is shorter than Linux has ever made it, or names an unknown state.
    """
    if len(data) < TCP_INFO.size:
        raise TrioechoError(f"This kernel's TCP_INFO has {len(data)} bytes, not {TCP_INFO.size}")
    (
        number,
        retransmits,
        rto,
        in_flight,
        rtt,
        variance,
        ssthresh,
        cwnd,
        total_retransmits,
    ) = TCP_INFO.unpack_from(data)
    state = state_of(number)
    limits = LIMITS.unpack_from(data) if len(data) >= LIMITS.size else ()
    busy, receiver_limited, send_buffer_limited = (
        (time * MICROSECOND for time in limits) if limits else (None, None, None)
    )
    return Kernel(
        state=state,
        rtt=rtt * MICROSECOND if rtt else None,
        rtt_variance=variance * MICROSECOND if rtt else None,  # a guess of its own until then
        rto=rto * MICROSECOND,
        cwnd=cwnd,
        ssthresh=ssthresh if 0 < ssthresh < INFINITE_SSTHRESH else None,
        in_flight=0 if state is State.LISTEN else in_flight,
        retransmits=retransmits,
        total_retransmits=total_retransmits,
        congestion_control=congestion.partition(b"\0")[0].decode("ascii", "replace"),
        busy=busy,
        receiver_limited=receiver_limited,
        send_buffer_limited=send_buffer_limited,
    )


def state_of(number: int) -> State:
    """The state for a number of net/tcp_states.h."""
    try:
        return STATES[number]
    except KeyError:
        raise TrioechoError(f"This kernel has a TCP state {number}, which is unknown") from None
