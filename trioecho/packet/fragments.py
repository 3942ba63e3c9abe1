"""IP fragments -> the datagram they were cut from (RFC 791 §3.2, RFC 8200 §4.5)."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct, field

from trioecho.model import Frame
from trioecho.model.ranges import Ranges

#: Datagrams that may be incomplete at the same time; the eldest is given up beyond that.
MOST_DATAGRAMS = 256
#: What an IP datagram can hold, and pieces that one may come in. (One whose pieces leave more than
#: a thousand gaps at once is never whole: see ``Ranges``.)
LONGEST, MOST_PIECES = 65_535, 8_192
#: Nanoseconds after which the pieces of a datagram are given up (RFC 791 suggests 15 s or more).
PATIENCE = 60_000_000_000
#: Bytes of memory that may wait for the rest of their datagrams, and what a piece takes beside its
#: own, about.
MOST_BYTES, OVERHEAD = 1 << 24, 256


class _Datagram(Struct):
    start: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    there: Ranges = field(default_factory=lambda: Ranges(0))
    frames: list[Frame] = []
    length: int | None = None
    size: int = 0
    held: int = 0

    @property
    def memory(self) -> int:
        return self.size + self.held + OVERHEAD * max(len(self.pieces), len(self.frames))


class Fragments:
    """Keeps pieces until a datagram is whole. Bounded in number and in bytes.

    Attributes:
        whole: the frames of the datagram that was whole last.
    """

    def __init__(self) -> None:
        self.whole: tuple[Frame, ...] = ()
        self._datagrams: OrderedDict[bytes, _Datagram] = OrderedDict()
        self._size = 0

    def add(
        self,
        key: bytes,
        time: int,
        offset: int,
        more: bool,
        data: bytes,
        frames: tuple[Frame, ...] = (),
    ) -> bytes | None:
        """Take one fragment.

        Args:
            key: what the fragments of one datagram share: addresses, protocol, identification.
            time: the frame's, nanoseconds since the epoch.
            offset: where in the datagram the fragment's data starts, in bytes.
            more: whether more fragments follow it.
            data: its data.
            frames: those that it came in.

        Returns:
            The datagram's data if this fragment completes it, else None.
        """
        datagram = self._datagrams.get(key)
        if datagram is None or not 0 <= time - datagram.start <= PATIENCE:
            self._drop(key)
            datagram = self._datagrams[key] = _Datagram(time)
        if offset + len(data) > LONGEST or len(datagram.pieces) >= MOST_PIECES:
            self._drop(key)
            return None
        known = datagram.pieces.get(offset, b"")
        if len(data) > len(known):
            self._size -= datagram.memory
            datagram.pieces[offset] = data
            datagram.size += len(data) - len(known)
            datagram.there.add(offset, offset + len(data))
            self._size += datagram.memory
        if frames and len(datagram.frames) < MOST_PIECES:
            self._size -= datagram.memory
            datagram.frames += frames
            datagram.held += sum(len(frame.data) for frame in frames)
            self._size += datagram.memory
        if not more:
            datagram.length = offset + len(data)
        if datagram.size > 2 * LONGEST:
            self._drop(key)  # pieces that overlap as much as this are an attack (RFC 5722)
            return None
        while len(self._datagrams) > MOST_DATAGRAMS or self._size > MOST_BYTES:
            self._drop(next(iter(self._datagrams)))
        there, length = datagram.there.up_to, datagram.length
        if there is None or length is None or there < length:
            return None
        self._drop(key)
        self.whole = tuple(datagram.frames)
        return _join(datagram)

    def _drop(self, key: bytes) -> None:
        datagram = self._datagrams.pop(key, None)
        if datagram is not None:
            self._size -= datagram.memory


def _join(datagram: _Datagram) -> bytes:
    """The pieces in their order, none of them missing; of an overlap the first counts."""
    whole = bytearray()
    for offset in sorted(datagram.pieces):
        whole += datagram.pieces[offset][max(0, len(whole) - offset) :]
    return bytes(whole[: datagram.length])
