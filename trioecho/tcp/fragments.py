"""IP fragments -> the datagram they were cut from (RFC 791 §3.2, RFC 8200 §4.5)."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct, field

#: Datagrams that may be incomplete at the same time; the eldest is given up beyond that.
MOST_DATAGRAMS = 256
#: What an IP datagram can hold, and pieces that one may come in.
LONGEST, MOST_PIECES = 65_535, 8_192
#: Nanoseconds after which the pieces of a datagram are given up (RFC 791 suggests 15 s or more).
PATIENCE = 60_000_000_000


class _Datagram(Struct):
    start: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    length: int | None = None
    size: int = 0


class Fragments:
    """Keeps pieces until a datagram is whole. Bounded in number and in bytes."""

    def __init__(self) -> None:
        self._datagrams: OrderedDict[bytes, _Datagram] = OrderedDict()

    def add(self, key: bytes, time: int, offset: int, more: bool, data: bytes) -> bytes | None:
        """Take one fragment.

        Args:
            key: what the fragments of one datagram share: addresses, protocol, identification.
            time: the frame's, nanoseconds since the epoch.
            offset: where in the datagram the fragment's data starts, in bytes.
            more: whether more fragments follow it.
            data: its data.

        Returns:
            The datagram's data if this fragment completes it, else None.
        """
        datagram = self._datagrams.get(key)
        if datagram is None or not 0 <= time - datagram.start <= PATIENCE:
            datagram = self._datagrams[key] = _Datagram(time)
            if len(self._datagrams) > MOST_DATAGRAMS:
                self._datagrams.popitem(last=False)
        if offset + len(data) > LONGEST or len(datagram.pieces) >= MOST_PIECES:
            del self._datagrams[key]
            return None
        if offset not in datagram.pieces or len(datagram.pieces[offset]) < len(data):
            datagram.size += len(data) - len(datagram.pieces.get(offset, b""))
            datagram.pieces[offset] = data
        if not more:
            datagram.length = offset + len(data)
        if datagram.length is None or datagram.size < datagram.length:
            return None
        whole = _join(datagram)
        if whole is not None:
            del self._datagrams[key]
        return whole


def _join(datagram: _Datagram) -> bytes | None:
    """The pieces in their order, or None when one is missing; of an overlap the first counts."""
    whole = bytearray()
    for offset in sorted(datagram.pieces):
        if offset > len(whole):
            return None
        whole += datagram.pieces[offset][len(whole) - offset :]
    return bytes(whole[: datagram.length])
