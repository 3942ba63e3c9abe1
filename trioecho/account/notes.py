"""What one end sends, noted until somebody asks why some of it was lost."""

from __future__ import annotations

from array import array

from trioecho.account.transfer import KEPT, Transfer

#: ACKs are noted as well, but no more than this: an end may repeat its SACK blocks without an end,
#: and a capture may have but one direction, in which an end acknowledges what nobody has sent.
MOST = 20_000
#: A note is of what was sent for the first time: when, its first byte, its end, and the bytes of a
#: full segment. Or of an ACK: when it came, the end of what has arrived last behind a gap, as SACK
#: tells, up to where all has arrived, and ``_ACK`` or ``_SACK``.
_NUMBERS = 4
_FAR = 1 << 63  # a number of a note is less
_ACK, _SACK = 0, -1


class Notes:
    """A transfer that goes on, and most of which is never looked at, since nothing of it was lost.

    What is written into a ``Transfer`` costs five times a note. So it is written when something is
    sent again or known to be lost, and what is noted then comes out as if it had been there before.

    Attributes:
        transfer: what was written of it; None while nothing of it was lost or sent again.
        count: how many transmissions it has, up to those that are forgotten.
        end: one past the last byte that was sent.
        acked: up to where all is acknowledged.
        moved: when something was sent or acknowledged last.
    """

    __slots__ = ("_forgotten", "_notes", "_spoilt", "acked", "count", "end", "moved", "transfer")

    def __init__(self) -> None:
        self.transfer: Transfer | None = None
        self.count = self.end = self.acked = self.moved = 0
        self._forgotten = 0  # up to where what is forgotten was acknowledged
        self._notes = array("q")  # one after the other: a million of them leave no objects behind
        self._spoilt = False  # so that nothing is forgotten any more

    def sent(self, time: int, first: int, end: int, full: int) -> None:
        """Bytes are sent for the first time, and are not known to be lost; see ``again``."""
        self.moved, self.end = time, end
        self._notes.extend((time, first, end, full))
        self.count += 1 if end - first <= full else -((first - end) // full)
        if self.count >= 2 * KEPT and not self._spoilt:
            if self.transfer is None:
                self._forget()
            else:
                self.write().forget()
                self.count = len(self.transfer.times)

    def again(self, time: int, first: int, end: int, full: int, *, lost: bool | None) -> None:
        """Bytes are sent again, or will not arrive.

        Args:
            time: when.
            first: where they begin.
            end: where they end.
            full: bytes of a full segment, of which offload may have merged several.
            lost: whether they did not arrive; None where only a repetition will tell.
        """
        transfer = self.write()
        transfer.sent(time, first, end, full, lost=lost)
        transfer.forget()
        self.moved, self.count, self.end = time, len(transfer.times), transfer.end
        self._spoilt = transfer.spoilt

    def heard(self, time: int, ack: int, newest: int | None) -> None:
        """An ACK comes; see ``Transfer.heard``."""
        if not -_FAR <= time < _FAR:  # a file's times may be any, and an end hears later still
            time = _FAR - 1 if time > 0 else -_FAR
        if newest is not None:
            self._notes.extend((time, newest, ack, _SACK))
        elif ack > self.acked:
            self._notes.extend((time, 0, ack, _ACK))
        if len(self._notes) > _NUMBERS * MOST:
            self.write()
        if ack > self.acked:
            self.acked, self.moved = ack, time

    def needless(self, first: int, end: int) -> None:
        """What was sent again had arrived before (RFC 2883)."""
        if self.transfer is not None:
            self.write().needless(first, end)

    def write(self) -> Transfer:
        """Write what is noted."""
        transfer = self.transfer
        if transfer is None:
            transfer = self.transfer = Transfer(self._forgotten)
        numbers = iter(self._notes)
        notes = list(zip(numbers, numbers, numbers, numbers, strict=True))
        self._notes = array("q")
        sent = [note for note in notes if note[3] > 0 and note[2] - note[1] <= note[3]]
        plain = len(sent) == sum(note[3] > 0 for note in notes)
        if plain:
            transfer.all_sent(sent)
        for time, first, end, full in notes:
            if full <= 0:
                transfer.heard(time, end, first if full == _SACK else None)
            elif not plain:
                transfer.sent(time, first, end, full, lost=None)
        self.count = len(transfer.times)
        return transfer

    def _forget(self) -> None:
        """Forget the oldest that have arrived, as ``Transfer.forget`` would."""
        left, acked, notes = KEPT, self.acked, self._notes
        for place in range(0, len(notes), _NUMBERS):
            _, first, end, full = notes[place : place + _NUMBERS]
            if full <= 0:
                self._forgotten = max(self._forgotten, end)
                continue
            whole = end if end <= acked else first + max(0, acked - first) // full * full
            count = min(left, -((first - whole) // full))
            left -= count
            if first + count * full < end:
                notes[place + 1] = first + count * full
                del notes[:place]
                break
            if not left:
                del notes[: place + _NUMBERS]
                break
        self.count -= KEPT - left
