"""Every sequence of three packets: how a capture may begin, however odd."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from captures import pcap
from frames import RAW, tcp

from trioecho.model import ACK, FIN, RST, SYN

_ISN = {"client": 1000, "server": 5000}
_PEER = {"client": "server", "server": "client"}
#: The flags of a segment, and its payload.
_SEGMENTS = (
    (SYN, b""),
    (SYN | ACK, b""),
    (ACK, b""),
    (ACK, b"hello"),
    (FIN | ACK, b""),
    (RST, b""),
    (RST | ACK, b""),
)
_ALPHABET = [(sender, *one) for sender in _PEER for one in _SEGMENTS]


def triple_capture(path: Path) -> None:
    """Write each sequence as a connection with its own port, 20 ms between two packets."""
    packets = []
    for number, sequence in enumerate(product(_ALPHABET, repeat=3), 1):
        for at, packet in enumerate(_numbered(sequence, number)):
            packets.append((number, at * 20_000_000, packet, len(packet)))
    path.write_bytes(pcap(*packets, link=RAW, magic=0xA1B23C4D))


def _numbered(sequence: tuple[tuple[str, int, bytes], ...], port: int) -> Iterator[bytes]:
    """Each packet; it goes on behind what its sender has sent, and acknowledges all there is."""
    following = {end: isn + 1 for end, isn in _ISN.items()}
    for sender, flags, payload in sequence:
        seq = _ISN[sender] if flags & SYN else following[sender]
        ack = following[_PEER[sender]] if flags & ACK else 0
        yield tcp(sender, flags, seq, ack, payload, port=port)
        end = seq + len(payload) + bool(flags & (SYN | FIN))
        following[sender] = max(following[sender], end)
