"""Decompression of gzip'd and zstd'd chunks.

Both formats are a row of members (gzip, RFC 1952 §2.2) or frames (zstd, RFC 8878 §3.1), each
compressed on its own; the contents are read as one. A compressed byte can stand for a thousand and
more, so output comes in pieces of bounded size, however little the input.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator

from trioecho.capture.source import SourceError

PIECE = 1 << 20  # bytes of output that are held at once
ZSTD_STEP = 4096

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress gzip'd chunks into chunks of at most 1 MiB, up to the last good byte."""
    member = None
    for chunk in chunks:
        while chunk:
            if member is None:
                chunk = chunk.lstrip(b"\0")  # members may be padded to a tape's block
                if not chunk:
                    break
                member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            before = member.copy()  # an error takes the output with it
            try:
                piece = member.decompress(chunk, PIECE)
            except zlib.error as error:
                yield from _until_error(before, chunk)
                raise SourceError(f"the gzip'd data is corrupt ({_reason(error)})") from error
            if piece:
                yield piece
            chunk = member.unconsumed_tail
            if member.eof:
                chunk, member = member.unused_data, None
    if member is not None:
        if piece := member.flush():
            yield piece
        raise SourceError("the gzip'd data is truncated")


def _until_error(member: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """What comes out before the byte that raises."""
    for at in range(len(chunk)):
        try:
            piece = member.decompress(chunk[at : at + 1])
        except zlib.error:
            return
        if piece:
            yield piece


def _reason(error: Exception) -> str:
    """The end of a message such as ``Error -3 while decompressing data: invalid block type``."""
    return str(error).rpartition(": ")[2]


def unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress zstd'd chunks into chunks of about 1 MiB.

    Of what comes before a corrupt place, the last 4 KiB may be missing. A window of more than 128
    MiB, zstd's own bound, is an error too.
    """
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    frame = None
    for chunk in chunks:
        pieces: list[bytes] = []
        size = 0
        while chunk or (frame is not None and not frame.needs_input):
            frame = frame or zstd.ZstdDecompressor()
            # An error takes the call's output with it and there is no way back, so the steps are
            # small; they cost a sixth at most.
            try:
                piece = frame.decompress(chunk, ZSTD_STEP)
            except zstd.ZstdError as error:
                if size:
                    yield b"".join(pieces)
                raise SourceError(f"the zstd'd data is corrupt ({_reason(error)})") from error
            pieces.append(piece)
            size += len(piece)
            chunk = b""
            if frame.eof:
                chunk, frame = frame.unused_data, None
            if size >= PIECE:
                yield b"".join(pieces)
                pieces, size = [], 0
        if size:
            yield b"".join(pieces)
    if frame is not None:
        raise SourceError("the zstd'd data is truncated")
