"""What the ladder is made of: rungs and calls, the facts found of them, and what they came to."""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import Any, ClassVar, Literal

from msgspec import Struct

from trioecho.model.packet import Endpoint, Segment
from trioecho.model.way import Kind

End = Literal["client", "server"]
ENDS: tuple[End, End] = ("client", "server")
OTHER: dict[End, End] = {"client": "server", "server": "client"}
SocketKind = Literal["listening", "connection"]

# The calls that take bytes from a connection, and those that give it some.
RECEIVING = frozenset(("recv", "recvmsg", "recvmmsg", "read", "readv"))
SENDING = frozenset(("send", "sendmsg", "sendmmsg", "write", "writev", "sendfile", "splice"))


class State(StrEnum):
    """The state of one end of a connection, spelled as in RFC 9293 §3.3.2.

    ``UNKNOWN`` is that of an end that has not answered a SYN yet, as long as no call tells that it
    listens: there may be nothing at all.
    """

    UNKNOWN = "UNKNOWN"
    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Fact(Struct, frozen=True, tag_field="kind", gc=False):
    """What was found of a segment: its kind, the numbers that make it a fact, and its sentence.

    Attributes:
        trouble: whether something was lost, repeated, refused or stalled.
        again: whether the segment uses sequence numbers that were used before.
        routine: whether nearly every segment has it, so that it need not be said each time.
        implied: whether the segment's own header says as much.
        wanted: whether it is there because the user has asked for it.
        dropped: whether the receiver drops the segment, as far as is known: a later ACK of it tells
            that it did not.
    """

    trouble: ClassVar[bool] = False
    again: ClassVar[bool] = False
    routine: ClassVar[bool] = False
    implied: ClassVar[bool] = False
    wanted: ClassVar[bool] = False
    dropped: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """Its name, as it stands in JSON and in a ladder."""
        return str(self.__struct_config__.tag)

    @property
    @abstractmethod
    def source(self) -> str:
        """The section that states the rule behind it."""

    @abstractmethod
    def text(self, rung: Rung) -> str:
        """Say it in words.

        Args:
            rung: the rung it was found of.

        Returns:
            A sentence without a full stop.
        """

    def learn(self, seen: Any) -> None:
        """Updates what is known of both ends, where the fact teaches anything.

        Args:
            seen: the segment on its way through the engine, of which this floor knows nothing.
        """


class Call(Struct, frozen=True):
    """A socket call that one end made.

    Args:
        time: when it was made; for calls that wait for the peer (accept, recv), when it returned.
        end: which end made it.
        socket: on which of its sockets: a server has a listening one, and one a connection.
        fd: the socket's file descriptor, which tells two sockets of one process apart.
        name: the call's name: socket, bind, listen, connect, accept, shutdown, close, setsockopt,
            one of ``RECEIVING`` and ``SENDING``, or one of OpenSSL's on the socket: SSL_connect,
            SSL_accept, SSL_read, SSL_write, SSL_shutdown.
        arguments: its arguments as a reader would write them, such as ``SHUT_WR``.
        result: bytes sent or received, the new descriptor of accept, 0 for a plain success; None
            while a connect is still under way.
        error: the name of its error, such as ``ECONNREFUSED``, or None.
        local, peer: the socket's two endpoints as far as they are known.
        data: the first bytes sent or received, at most 64.
        connection: the number of the connection, from 1, once the trace has found it.
        times: how many such calls these were; more than 1 where a program made them again and again
            with no effect, and then ``time`` is that of the last.
        deferred: whether a connect returned 0 and sent nothing: the first send will open the
            connection (TCP_FASTOPEN_CONNECT).
        holds: what the bytes sent are, where the sender tells: ``ClientHello``.
    """

    time: int
    end: End
    socket: SocketKind
    fd: int
    name: str
    arguments: str = ""
    result: int | None = None
    error: str | None = None
    local: Endpoint | None = None
    peer: Endpoint | None = None
    data: bytes = b""
    connection: int | None = None
    times: int = 1
    deferred: bool = False
    holds: str = ""


class Kernel(Struct, frozen=True):
    """What the kernel says of one end of a connection; in TIME-WAIT it keeps only the state.

    Args:
        state: the end's state.
        rtt: the smoothed round-trip time in nanoseconds; None before the first sample.
        rtt_variance: how far samples stray from it, in nanoseconds; None before the first sample.
        rto: the retransmission timeout in nanoseconds; None in TIME-WAIT.
        cwnd: the congestion window in segments; None in TIME-WAIT.
        ssthresh: the slow start threshold in segments; None while it is not set.
        in_flight: segments sent and not acknowledged yet.
        retransmits: how many times in a row the timer has sent the oldest of them again.
        total_retransmits: segments sent again over the connection's whole life.
        congestion_control: the name of its congestion control, ``""`` where it was not told.
        busy: how long it has had something to send or to be acknowledged, in nanoseconds; None
            where it was not told, as in TIME-WAIT.
        receiver_limited: how much of that the peer's window was the limit.
        send_buffer_limited: how much of that its own send buffer was the limit.
        receive_queue: bytes that have arrived and that the program has not read.
        send_queue: bytes that the program has sent and the peer has not acknowledged.
        accepted: whether a program has the connection; False while it waits for accept.
        accept_queue: how many connections of its listening socket wait for accept; None where there
            is no such socket, or no longer.
        backlog: how many may wait there.
    """

    state: State
    rtt: int | None = None
    rtt_variance: int | None = None
    rto: int | None = None
    cwnd: int | None = None
    ssthresh: int | None = None
    in_flight: int = 0
    retransmits: int = 0
    total_retransmits: int = 0
    congestion_control: str = ""
    busy: int | None = None
    receiver_limited: int | None = None
    send_buffer_limited: int | None = None
    receive_queue: int | None = None
    send_queue: int | None = None
    accepted: bool | None = None
    accept_queue: int | None = None
    backlog: int | None = None


class Rung(Struct, frozen=True, gc=False):
    """One step of the ladder: a segment and what it changed.

    Args:
        number: its place on the ladder, from 1, over all connections.
        connection: the number of its connection, from 1.
        sender: the end that sent it.
        segment: the segment.
        seq, ack: relative to the two ISNs; ack is None when the ACK bit is off.
        window: the window in bytes, after scaling where the scale is known.
        client_state, server_state: each end's state after it. On a wire of ours the sender's is
            that as it was sent, the other's that as it arrived.
        notes: what can be said of it.
        lost: whether the wire dropped or broke it; only a wire of ours can know.
        arrived: when it arrived at the other end, nanoseconds since the epoch; None when it was
            lost, and where it was seen at one place, which tells nothing of it.
        fault: what the wire did to it, in the words of the fault; ``""`` for nothing.
        moved: whether its arrival changed the state of its receiver; one that was seen at one place
            may have.
        client_kernel, server_kernel: what the kernel said of an end when it had just sent or got
            the segment, where it was asked.
        kind: ``original``, a ``copy`` that a wire of ours made of one, or ``injected`` by it.
        broken: whether it came to the other end with a wrong checksum, and is ``lost`` for that.
        too_large: whether it is ``lost`` because it was too large for the path, and an ICMP message
            told its sender so.
        edited: how a wire of ours changed it, in words; the segment is as it went on.
    """

    number: int
    connection: int
    sender: End
    segment: Segment
    seq: int
    ack: int | None
    window: int
    client_state: State
    server_state: State
    notes: tuple[Fact, ...] = ()
    lost: bool = False
    arrived: int | None = None
    fault: str = ""
    moved: bool = True
    client_kernel: Kernel | None = None
    server_kernel: Kernel | None = None
    kind: Kind = "original"
    broken: bool = False
    too_large: bool = False
    edited: str = ""

    @property
    def on_wire(self) -> bool:
        """Whether it is known what became of it, as only a wire of ours can."""
        return self.lost or self.arrived is not None or not self.moved or self.kind != "original"

    @property
    def time(self) -> int:
        """When the segment's frame was captured, in nanoseconds since the epoch."""
        return self.segment.frame.time


class Process(Struct, frozen=True):
    """A process that holds one end of a connection.

    Args:
        time: when it was known: the time of the last frame before.
        connection: the number of the connection.
        end: which end it holds.
        pid: its process id.
        name: its name, safe to show.
    """

    time: int
    connection: int
    end: End
    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


class Stopped(Struct, frozen=True):
    """A program that trioecho stopped.

    Args:
        time: when, nanoseconds since the epoch.
        end: which end it was.
        signal: the signal's name, such as ``SIGTERM``; ``""`` for an end that is our own.
        why: why, as ``the client has ended``.
        connection: that of no connection.
    """

    time: int
    end: End
    signal: str
    why: str
    connection: None = None

    def __str__(self) -> str:
        by = f" ({self.signal})" if self.signal else ""
        return f"trioecho stopped the {self.end}{by}, since {self.why}"


class RoundTrips(Struct, frozen=True):
    """Round-trip times in nanoseconds; median and 95th percentile are good to a few per cent."""

    least: int
    median: int
    p95: int


class ConnectionSummary(Struct, frozen=True):
    """What a connection came to.

    Args:
        number: its number, from 1.
        client, server: its endpoints.
        handshake_time: nanoseconds from the first SYN to the ACK that completes the handshake, or
            None when that was not seen.
        client_bytes, server_bytes: distinct payload bytes each end sent.
        client_segments, server_segments: segments each end sent.
        retransmissions: segments that repeated sequence space already sent, without the probes.
        probes: segments that ask for a sign of the peer: tail-loss probes, zero-window probes and
            keep-alives.
        closed_by: ``fin``, ``rst``, or None when it was still open.
        start, end: when its first and its last segment were seen; where the capture's clock was set
            back, ``start`` is the earliest time.
        resets: RST segments.
        troubles: segments on which something went wrong.
        first_trouble: the first of them, in words.
        completeness: how much of it was seen, in words.
        initial_rtt: nanoseconds from the last SYN to the ACK that completes the handshake.
        client_rtt, server_rtt: of the ACKs that each end got.
        client_states, server_states: nanoseconds spent in each state that was left again.
        first_frame: the number of its first frame.
        client_process, server_process: who holds each end, in words, where that is known.
        gave_up: whether its client is known to have given up before it was answered.
        reset_by: who sent the first reset that was taken, also behind the FINs of both: an end, or
            the wire in an end's name; None where none was.
        stopped: the end whose program trioecho has stopped first, while it was still open.
        tunnel: what names the tunnel or tenant it was in, such as ``VXLAN 42``; ``""`` for none.
        first_trouble_kind: the kind of the fact behind ``first_trouble``.
        attempt: whether its handshake began, and was not completed.
    """

    number: int
    client: Endpoint
    server: Endpoint
    handshake_time: int | None
    client_bytes: int
    server_bytes: int
    client_segments: int
    server_segments: int
    retransmissions: int
    closed_by: Literal["fin", "rst"] | None
    start: int = 0
    end: int = 0
    resets: int = 0
    troubles: int = 0
    first_trouble: str = ""
    completeness: str = ""
    initial_rtt: int | None = None
    client_rtt: RoundTrips | None = None
    server_rtt: RoundTrips | None = None
    client_states: dict[str, int] = {}
    server_states: dict[str, int] = {}
    first_frame: int = 0
    probes: int = 0
    client_process: str = ""
    server_process: str = ""
    tunnel: str = ""
    gave_up: bool = False
    reset_by: Literal["client", "server", "wire"] | None = None
    stopped: End | None = None
    first_trouble_kind: str = ""
    attempt: bool = False

    @property
    def failed(self) -> bool:
        """Whether something went wrong on it, be it only that nobody answered its SYN."""
        return self.troubles > 0 or self.attempt


class CaptureSummary(Struct, frozen=True):
    """How complete the capture was.

    Args:
        interface: the interface's name.
        frames: TCP frames captured.
        dropped: frames that the kernel dropped because the capture did not keep up; None where a
            file does not tell.
        told: whether a file tells what was dropped, of any protocol.
    """

    interface: str
    frames: int
    dropped: int | None
    told: bool = False


class Summary(Struct, frozen=True):
    """The end of a ladder.

    Args:
        connections: what each connection came to.
        capture: how complete the capture was.
        forgotten: earlier connections of which nothing is known any more.
        unmatched: a sentence for each fault of the wire that has not done anything.
        others: connections of a capture file that were not selected.
        kernel: how the kernels of both ends were set, in words, where that is known.
    """

    connections: tuple[ConnectionSummary, ...]
    capture: CaptureSummary
    forgotten: int = 0
    unmatched: tuple[str, ...] = ()
    others: int = 0
    kernel: str = ""
