"""Windows, the probes of closed ones, and keep-alives."""

from __future__ import annotations

from trioecho.model import Fact, Rung
from trioecho.tcp.half import Asked
from trioecho.tcp.rules.words import ends
from trioecho.tcp.step import CONTROL, Seen
from trioecho.text import bytes_of

# Keep-alives are sent after whole seconds.
SHORTEST_KEEP_ALIVE = 1_000_000_000


class ZeroWindowProbe(Fact, frozen=True, tag="zero-window-probe"):
    """One byte beyond a closed window: is there room again?"""

    source = "RFC 9293 §3.8.6.1"

    def text(self, rung: Rung) -> str:
        return f"zero-window probe: the {rung.sender} asks whether there is room again"

    def learn(self, seen: Seen) -> None:
        seen.history.probes += 1
        seen.mine.asked = Asked.ZERO_WINDOW_PROBE
        seen.mine.asked_time = seen.time


def zero_window_probe(seen: Seen) -> ZeroWindowProbe | None:
    """It carries the next byte and no other, and the peer's window is closed."""
    if seen.segment.length == 1 and seen.seq == seen.mine.next and seen.heard.window == 0:
        return ZeroWindowProbe()
    return None


class OldNumberProbe(ZeroWindowProbe, frozen=True):
    """Linux's probe: a number that the peer has, mostly without its byte."""

    again = True

    def learn(self, seen: Seen) -> None:
        seen.history.probes += 1
        seen.mine.asked_time = seen.time
        if seen.segment.length:  # without its byte it is answered like any old number
            seen.mine.asked = Asked.ZERO_WINDOW_PROBE


def old_number_probe(seen: Seen) -> OldNumberProbe | None:
    """It has the shape of a keep-alive, and the peer's window is closed."""
    if seen.seq + 1 != seen.mine.next or seen.heard.window != 0:
        return None
    return OldNumberProbe() if _asks_for_a_sign(seen) else None


class KeepAlive(Fact, frozen=True, tag="keep-alive"):
    """A segment one byte before the next: is anybody there?"""

    again = True
    source = "RFC 9293 §3.8.4"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        return f"keep-alive: the {mine} asks whether the {theirs} is still there"

    def learn(self, seen: Seen) -> None:
        seen.history.probes += 1
        seen.mine.asked = Asked.KEEP_ALIVE
        seen.mine.asked_time = seen.time


def keep_alive(seen: Seen) -> KeepAlive | None:
    """It carries the number before the next and at most a byte, and its sender has nothing on its
    way."""
    if seen.seq + 1 != seen.mine.next or seen.heard.window == 0:
        return None
    return KeepAlive() if _asks_for_a_sign(seen) else None


def _asks_for_a_sign(seen: Seen) -> bool:
    """Whether the number before the next is a question: its sender has nothing on its way.

    A byte that is not acknowledged is sent again; so is one whose ACK cannot have come back yet.
    The number of a FIN or a single byte stands also in an ACK that this has overtaken.
    """
    segment, mine, now = seen.segment, seen.mine, seen.time
    if segment.length > 1 or segment.flags & CONTROL:
        return False
    if mine.acked is not None and mine.acked < mine.next:
        return False
    if seen.older or (mine.fin is not None and now - mine.next_time < SHORTEST_KEEP_ALIVE):
        return False
    since = seen.theirs.ack_time if segment.length else mine.next_time
    return now - since >= seen.history.round_trip


class KeepAliveAck(Fact, frozen=True, tag="keep-alive-ack"):
    """The answer to a keep-alive."""

    source = "RFC 9293 §3.8.4"

    def text(self, rung: Rung) -> str:
        return f"the answer: the {rung.sender} is still there"


def keep_alive_ack(seen: Seen) -> KeepAliveAck | None:
    """It repeats its sender's last ACK with the same window, and the peer has just asked."""
    if seen.theirs.asked is Asked.KEEP_ALIVE and repeats_ack_and_window(seen):
        return KeepAliveAck()
    return None


class FirstKeepAliveAck(KeepAliveAck, frozen=True):
    """Where the capture starts in the middle: rung ``of`` had the number before the next."""

    of: int | None = None

    def text(self, rung: Rung) -> str:
        which = "what came before" if self.of is None else f"rung {self.of}"
        return (
            f"{super().text(rung)}, and {which} was a keep-alive, one before the next number,"
            " unless the capture missed a byte"
        )

    def learn(self, seen: Seen) -> None:
        theirs, ack = seen.theirs, seen.acknowledges
        theirs.next, theirs.acked, theirs.acked_rung = ack, ack, seen.number
        theirs.seen.advance(ack)


def first_keep_alive_ack(seen: Seen) -> FirstKeepAliveAck | None:
    """It only acknowledges, one more than the only number that the peer was seen to use, whose SYN
    was not seen and which has sent no data."""
    segment, theirs = seen.segment, seen.theirs
    if segment.length or segment.flags & CONTROL or theirs.syn_seen or theirs.volume:
        return None
    if theirs.fin is not None or seen.ack != theirs.next + 1:
        return None
    return FirstKeepAliveAck(theirs.ack_rung)


class ZeroWindowProbeAck(Fact, frozen=True, tag="zero-window-probe-ack"):
    """The answer to a probe: still no room."""

    source = "RFC 9293 §3.8.6.1"

    def text(self, rung: Rung) -> str:
        return "the answer: still no room"

    def learn(self, seen: Seen) -> None:
        seen.mine.no_room_time = seen.time


def zero_window_probe_ack(seen: Seen) -> ZeroWindowProbeAck | None:
    """It only acknowledges, nothing older, its window stays closed, and the peer has just probed
    it."""
    closed = seen.segment.window == 0 == seen.mine.window and not seen.older
    if closed and seen.theirs.asked is Asked.ZERO_WINDOW_PROBE and seen.pure:
        return ZeroWindowProbeAck()
    return None


class ZeroWindow(Fact, frozen=True, tag="zero-window"):
    """Its sender has no room left.

    ``still``: as before. ``over``: it needs none, as it has the peer's FIN.
    """

    still: bool = False
    over: bool = False

    trouble = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.6" if self.over else "RFC 9293 §3.8.6"

    def text(self, rung: Rung) -> str:
        mine = rung.sender
        if self.over:
            return f"zero window: the {mine} needs no room, since nothing more can come"
        if self.still:
            return f"zero window: the {mine} still has no room"
        return f"zero window: the {mine}'s receive buffer is full, its program reads too slowly"

    def learn(self, seen: Seen) -> None:
        if not self.over:
            seen.mine.no_room_time = seen.time


def zero_window(seen: Seen) -> ZeroWindow | None:
    """Its window is 0, and it is no SYN, FIN or RST, and no older ACK."""
    if seen.segment.window or seen.segment.flags & CONTROL or seen.older:
        return None
    fin = seen.theirs.fin
    over = fin is not None and fin < seen.acknowledges
    return ZeroWindow(still=seen.mine.window == 0, over=over)


class WindowUpdate(Fact, frozen=True, tag="window-update"):
    """It acknowledges nothing new and only tells the new window, ``window`` bytes.

    ``least``: or more, as the scale was not seen by which that is to be shifted. ``opens``: the
    window was closed before.
    """

    window: int
    least: bool = False
    opens: bool = False

    source = "RFC 9293 §3.8.6.2.2"

    def text(self, rung: Rung) -> str:
        room = bytes_of(self.window)
        if self.least:
            room += " or more, as its window scale was not seen"
        if self.opens:
            return f"window update: there is room again at the {rung.sender}: {room}"
        return f"window update: the {rung.sender} now has room for {room}"


def window_update(seen: Seen) -> WindowUpdate | None:
    """It repeats its sender's last ACK with another window, which is not closed."""
    window = seen.segment.window
    if seen.same_ack and window and window != seen.mine.window:
        return _room(seen)
    return None


class WindowOpened(WindowUpdate, frozen=True, tag="window-opened"):
    """It acknowledges new bytes, and its window is open again."""

    opens: bool = True

    source = "RFC 9293 §3.8.6"

    def text(self, rung: Rung) -> str:
        return super().text(rung).removeprefix("window update: ")


def window_opened(seen: Seen) -> WindowOpened | None:
    """It acknowledges more than its sender's last ACK, whose window was closed, and its own is
    open."""
    mine, ack = seen.mine, seen.ack
    if not seen.segment.window or mine.window != 0 or seen.segment.flags & CONTROL:
        return None
    if ack is None or mine.ack is None or ack <= mine.ack or acknowledges_probe(seen):
        return None
    return WindowOpened(seen.segment.window << mine.shift, not mine.shift_known)


def probe_taken(seen: Seen) -> WindowUpdate | None:
    """It acknowledges the byte of a zero-window probe, and its window is open again."""
    if acknowledges_probe(seen) and seen.segment.window:
        return _room(seen)
    return None


def _room(seen: Seen) -> WindowUpdate:
    window, mine = seen.segment.window, seen.mine
    return WindowUpdate(window << mine.shift, not mine.shift_known, opens=mine.window == 0)


class WindowFull(Fact, frozen=True, tag="window-full"):
    """It fills the receiver's window to the last byte: no more may be sent."""

    trouble = True
    source = "RFC 9293 §3.8.6"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        return f"window full: the {mine} may send no more until the {theirs} makes room"


def window_full(seen: Seen) -> WindowFull | None:
    """It has data, and they end exactly where the peer's window does, whose scale is known."""
    heard, theirs = seen.heard, seen.theirs
    if not seen.segment.length or seen.segment.flags & CONTROL:
        return None
    if heard.ack is None or heard.window is None or not theirs.shift_known:
        return None
    if seen.end != heard.ack + (heard.window << theirs.shift):
        return None
    return WindowFull()


def repeats_ack_and_window(seen: Seen) -> bool:
    """Whether it repeats both, and the window is not closed."""
    return seen.same_ack and 0 < seen.segment.window == seen.mine.window


def acknowledges_probe(seen: Seen) -> bool:
    """Whether its sender takes the byte with which the peer has probed its window."""
    mine, theirs, ack = seen.mine, seen.theirs, seen.ack
    if theirs.asked is not Asked.ZERO_WINDOW_PROBE or ack is None or mine.ack is None:
        return False
    known = theirs.seen.up_to
    return ack == mine.ack + 1 and known is not None and ack > known
