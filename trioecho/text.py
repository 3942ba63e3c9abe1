"""Bytes and numbers as text that is safe to show.

Bytes from the wire are hostile: whatever a peer sent, what comes out of here holds no control
character, no escape sequence and no bidirectional override.
"""

from __future__ import annotations


def preview(data: bytes, limit: int = 24, length: int | None = None) -> str:
    """Bytes as a Python literal, cut to ``limit`` bytes.

    Args:
        data: the bytes, or the first of them.
        limit: how many bytes to show at the most.
        length: how many bytes there were in all, where ``data`` is only the first of them.

    Returns:
        Printable ASCII, such as ``b'testing'``, with ``…`` behind it when bytes were left out.

    >>> preview(b"ok\\x1b[2J", 24)
    "b'ok\\\\x1b[2J'"
    """
    shown = repr(data[:limit])
    return shown + "…" if max(len(data), length or 0) > limit else shown


def printable(text: str) -> str:
    """Text from the wire or from a file, with whatever could steer a terminal escaped.

    Args:
        text: the text, from anywhere.

    Returns:
        Text without control characters.

    >>> printable("eth0\\x1b[31m")
    'eth0\\\\x1b[31m'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def seconds(nanoseconds: int) -> str:
    """A duration with a unit a reader can take in at a glance.

    Args:
        nanoseconds: the duration.

    Returns:
        Such as ``12 µs`` or ``1.02 s``.

    >>> seconds(17_300), seconds(1_020_000_000), seconds(250)
    ('17 µs', '1.02 s', '250 ns')
    """
    if nanoseconds >= 999_500_000:
        return f"{nanoseconds / 1e9:.2f} s"
    if nanoseconds >= 10_000_000:
        return f"{nanoseconds / 1e6:.0f} ms"
    if nanoseconds >= 999_500:
        return f"{nanoseconds / 1e6:.1f} ms"
    if nanoseconds >= 1_000:
        return f"{nanoseconds / 1e3:.0f} µs"
    return f"{nanoseconds} ns"


def bytes_of(count: int) -> str:
    """A count of bytes, in words.

    Args:
        count: how many bytes.

    Returns:
        Such as ``1,448 bytes``.

    >>> bytes_of(1), bytes_of(65483)
    ('1 byte', '65,483 bytes')
    """
    return "1 byte" if count == 1 else f"{count:,} bytes"


def plural(count: int, noun: str) -> str:
    """``count`` of something, in words.

    Args:
        count: how many.
        noun: what of, in the singular.

    Returns:
        Such as ``1 segment`` or ``2 segments``.

    >>> plural(1, "segment"), plural(2, "segment")
    ('1 segment', '2 segments')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
