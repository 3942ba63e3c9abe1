"""Decompression of chunks.

Each format is a row of members (gzip, RFC 1952 §2.2), frames (zstd, RFC 8878 §3.1; lz4) or streams
(xz, bzip2), each compressed on its own; the contents are read as one. A compressed byte can stand
for a thousand and more, so output comes in pieces of bounded size, however little the input.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from trioecho.capture.source import SourceError

PIECE = 1 << 20  # bytes of output that are held at once
STEP = 4096
MEMORY = 128 << 20  # what unpacking may take
LZ4_MISSING = (
    "it is compressed by lz4, and that package is not installed: pip install 'trioecho[lz4]', or"
    " unpack it first"
)


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


class _Decompressor(Protocol):
    """What bz2, lzma, lz4.frame and zstd have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _unpack(
    chunks: Iterator[bytes],
    name: str,
    begin: Callable[[], _Decompressor],
    errors: type[Exception] | tuple[type[Exception], ...],
) -> Iterator[bytes]:
    """Decompress chunks into chunks of about 1 MiB.

    Of what comes before a corrupt place, the last 4 KiB may be missing.
    """
    frame, piece = None, b""
    for chunk in chunks:
        pieces: list[bytes] = []
        size = 0
        # lz4 asks for input once it has read all of it, also while it holds output back.
        while chunk or (frame is not None and (not frame.needs_input or len(piece) == STEP)):
            if frame is None:
                chunk = chunk.lstrip(b"\0")  # xz pads its streams to four bytes
                if not chunk:
                    break
                frame = begin()
            # An error takes the call's output with it and there is no way back, so the steps are
            # small; they cost a sixth at most.
            try:
                piece = frame.decompress(chunk, STEP)
            except errors as error:
                if size:
                    yield b"".join(pieces)
                raise SourceError(f"the {name} data {_wrong(error)}") from error
            pieces.append(piece)
            size += len(piece)
            chunk = b""
            if frame.eof:
                chunk, frame = frame.unused_data or b"", None
            if size >= PIECE:
                yield b"".join(pieces)
                pieces, size = [], 0
        if size:
            yield b"".join(pieces)
    if frame is not None:
        raise SourceError(f"the {name} data is truncated")


def _wrong(error: Exception) -> str:
    reason = _reason(error)
    if "memory" in reason.lower():
        return f"takes more than {MEMORY >> 20} MiB to unpack"
    return f"is corrupt ({reason})"


def unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress zstd'd chunks; a window of more than 128 MiB, zstd's own bound, is an error."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    return _unpack(chunks, "zstd'd", zstd.ZstdDecompressor, zstd.ZstdError)


def unxz(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress xz'd chunks, in at most 128 MiB; xz -9 takes 65."""
    import lzma

    def begin() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)

    return _unpack(chunks, "xz'd", begin, lzma.LZMAError)


def bunzip2(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress bzip2'd chunks."""
    import bz2

    return _unpack(chunks, "bzip2'd", bz2.BZ2Decompressor, OSError)


def unlz4(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress lz4'd chunks (LZ4 frames)."""
    try:
        from lz4.frame import LZ4FrameDecompressor
    except ImportError:
        raise SourceError(LZ4_MISSING) from None

    yield from _unpack(chunks, "lz4'd", LZ4FrameDecompressor, RuntimeError)


class Compression(NamedTuple):
    """A compression.

    Args:
        name: it as it stands before "data".
        suffix: how the names of such files usually end.
        magic: the first bytes of such a file.
        unpack: decompresses chunks into chunks of at most some MiB.
    """

    name: str
    suffix: str
    magic: bytes
    unpack: Callable[[Iterator[bytes]], Iterator[bytes]]


COMPRESSIONS = (
    Compression("gzip'd", ".gz", b"\x1f\x8b", gunzip),
    Compression("zstd'd", ".zst", b"\x28\xb5\x2f\xfd", unzstd),
    Compression("xz'd", ".xz", b"\xfd7zXZ\0", unxz),
    Compression("bzip2'd", ".bz2", b"BZh", bunzip2),
    Compression("lz4'd", ".lz4", b"\x04\x22\x4d\x18", unlz4),
)


def compression(head: bytes) -> Compression | None:
    """How a file is compressed, by its first bytes; None if it is plain."""
    if head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:
        return COMPRESSIONS[1]  # a frame that zstd skips (RFC 8878 §3.1.2); lz4 writes none
    return next((one for one in COMPRESSIONS if head.startswith(one.magic)), None)
