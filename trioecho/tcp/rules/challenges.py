"""Challenge ACKs: the answers of an end that does not trust a segment."""

from __future__ import annotations

from typing import Literal

from trioecho.model import Fact, Rung, State
from trioecho.tcp.half import Asked
from trioecho.tcp.step import CONTROL, Seen


class ChallengeAck(Fact, frozen=True, tag="challenge-ack"):
    """It answers a ``reset`` or ``syn`` that cannot be meant, or is still ``half-open`` itself."""

    asked: Literal["reset", "syn", "half-open"]

    trouble = True

    @property
    def source(self) -> str:
        half_open = self.asked == "half-open"
        return "RFC 9293 §3.5.1, figure 9" if half_open else "RFC 5961 §3.2 and §4.2"

    def text(self, rung: Rung) -> str:
        mine = rung.sender
        if self.asked == "half-open":
            return (
                f"challenge ACK: the {mine} still has an earlier connection on these ports open,"
                " and answers for that one; a RST will end it"
            )
        what = "reset" if self.asked == "reset" else "SYN"
        return f"challenge ACK: the {mine} does not trust the {what}, and repeats its last ACK"

    def learn(self, seen: Seen) -> None:
        seen.theirs.forged = None


def challenges_peer(seen: Seen) -> ChallengeAck | None:
    """It repeats its sender's last ACK, right behind a reset, or a SYN in an established
    connection."""
    return _challenge(seen.theirs.asked) if seen.same_ack else None


def challenges_forger(seen: Seen) -> ChallengeAck | None:
    """It repeats its sender's last ACK, behind a reset or SYN that another sent in the peer's
    name, and acknowledges nothing that the peer has sent since."""
    forged = seen.theirs.forged
    if not seen.same_ack or forged is None or seen.acknowledges > forged.next:
        return None
    return None if _challenge(seen.theirs.asked) else _challenge(forged.asked)


def _challenge(asked: Asked | None) -> ChallengeAck | None:
    if asked is Asked.RESET:
        return ChallengeAck("reset")
    return ChallengeAck("syn") if asked is Asked.SYN else None


def earlier_connection_stands(seen: Seen) -> ChallengeAck | None:
    """It is its sender's first ACK, the peer is in SYN-SENT, and it does not acknowledge the
    SYN."""
    ack = seen.ack
    if ack is None or seen.mine.ack is not None or seen.segment.flags & CONTROL:
        return None
    if seen.theirs.state is not State.SYN_SENT or ack in (0, 1):
        return None
    return ChallengeAck("half-open")
