"""The expected course: opening, data and its acknowledgments, closing."""

from __future__ import annotations

from typing import Literal

from trioecho.model import Fact


class ConnectionSyn(Fact, frozen=True, tag="connection-syn"):
    """A SYN opens a connection.

    ``simultaneous``: the other end has sent one as well, and neither answers the other.
    """

    simultaneous: bool = False


class ConnectionSynack(Fact, frozen=True, tag="connection-synack"):
    """A SYN that acknowledges the other end's SYN.

    ``simultaneous``: its sender has sent its SYN before, and repeats it with the ACK.
    """

    simultaneous: bool = False


class TfoRequest(Fact, frozen=True, tag="tfo-request"):
    """A SYN that asks for a Fast Open cookie."""


class TfoCookie(Fact, frozen=True, tag="tfo-cookie"):
    """A SYN-ACK that gives a Fast Open cookie of ``length`` bytes."""

    length: int


class TfoSyn(Fact, frozen=True, tag="tfo-syn"):
    """A SYN with a Fast Open cookie; ``length`` bytes of data came with it."""

    length: int


class TfoAck(Fact, frozen=True, tag="tfo-ack"):
    """A SYN-ACK that takes ``length`` bytes of the SYN's data; ``cookie``: that showed one."""

    length: int
    cookie: bool = True


class TfoIgnored(Fact, frozen=True, tag="tfo-ignored"):
    """A SYN-ACK that takes none of the SYN's ``length`` bytes; ``cookie``: as in ``TfoAck``."""

    length: int
    cookie: bool = True


class HandshakeComplete(Fact, frozen=True, tag="handshake-complete"):
    """The ACK of the SYN-ACK. ``duration``: since the first SYN, None when that was not seen.

    ``simultaneous``: both ends have sent a SYN without an ACK first, and this is no third step.
    """

    duration: int | None
    simultaneous: bool = False


# ---- data ----------------------------------------------------------------------------------------


class Data(Fact, frozen=True, tag="data"):
    """New data.

    ``in_flight``: bytes sent and not acknowledged after it, None where that is not known.
    ``missing``: how much of the payload the capture cut off.
    """

    length: int
    in_flight: int | None = None
    missing: int = 0


class Ack(Fact, frozen=True, tag="ack"):
    """It acknowledges ``length`` new bytes, the last of them sent by rung ``of``.

    ``pure``: it carries nothing else; otherwise the acknowledgment rides on data or on a FIN.
    ``rtt``: since the acknowledged segment was sent, where exactly one was.
    """

    length: int
    pure: bool
    of: int | None = None
    rtt: int | None = None


# ---- closing -------------------------------------------------------------------------------------


class ConnectionFin(Fact, frozen=True, tag="connection-fin"):
    """A FIN ends one direction.

    ``step``: 1 for the end that closes first, 3 for the other (of the close's four steps).
    ``acknowledges``: it also carries the ACK of the other's FIN, which is step 2.
    ``simultaneous``: both FINs were sent before either arrived.
    """

    step: Literal[1, 3]
    acknowledges: bool = False
    simultaneous: bool = False


class FinAck(Fact, frozen=True, tag="fin-ack"):
    """An ACK of a FIN: step 2 or step 4 of the close. ``time_wait``: its sender now waits.

    ``closed``: its sender has sent its own FIN before; ``crossed``: neither of the two FINs
    acknowledges the other, so that both ends will wait.
    """

    step: Literal[2, 4]
    time_wait: bool = False
    closed: bool = False
    crossed: bool = False


ResetCause = Literal[
    "refused",
    "gave-up",
    "unread-data",
    "aborted",
    "after-close",
    "after-handshake",
    "no-connection",
    "half-open",
    "unprompted",
    "no-answer",
    "time-wait-assassination",
    "unacceptable-ack",
    "no-ack-of-syn",
    "out-of-window",
]


class ConnectionRst(Fact, frozen=True, tag="connection-rst"):
    """A RST ends the connection at once.

    ``cause``, as far as the wire tells:

    - ``refused``: an answer to a SYN: nothing listens there;
    - ``gave-up``: its sender does not wait any more for the SYN-ACK that has come;
    - ``unread-data``: a server that resets instead of answering: perhaps it had not read;
    - ``aborted``: its sender closed with SO_LINGER 0, or with data unread, or died so;
    - ``after-close``: something came for a socket that was closed already;
    - ``after-handshake``: a server that had agreed does not keep the connection;
    - ``no-connection``: an answer: there is no such connection any more, a moment after there was;
    - ``half-open``: an answer: its sender, long silent or never heard, has no such connection;
    - ``unprompted``: nothing has come that it could answer, and no program is seen to close;
    - ``no-answer``: its sender asked, or sent the same again, and nobody answered;
    - ``time-wait-assassination``: it ends the peer's TIME-WAIT early (RFC 1337);
    - ``unacceptable-ack``: an answer to an ACK of what its sender never sent, while it opens;
    - ``no-ack-of-syn``: the peer is in SYN-SENT and does not take it, as it does not ACK the SYN;
    - ``out-of-window``: it does not carry the next number, and its receiver does not take it.
    """

    cause: ResetCause
