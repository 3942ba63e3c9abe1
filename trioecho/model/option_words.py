"""TCP options in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from trioecho.model.packet import Options

#: What each field of `Options` is called, given its value, in the order to name them.
Names: TypeAlias = Mapping[str, Callable[[Any], str]]

#: In a sentence.
SENTENCE: Names = {
    "mss": "mss {}".format,
    "window_scale": "window scale {}".format,
    "sack_permitted": "SACK".format,
    "timestamps": "timestamps".format,
}
#: On an arrow.
HEADER: Names = {
    "mss": "mss {}".format,
    "window_scale": "wscale {}".format,
    "sack_permitted": "sackOK".format,
    "timestamps": "timestamps".format,
}
#: In the ``.ladder`` notation, as tcpdump and packetdrill write them.
NOTATION: Names = {
    "mss": "mss {}".format,
    "sack_permitted": "sackOK".format,
    "timestamps": "ts".format,
    "window_scale": "wscale {}".format,
    "fast_open": lambda cookie: "tfo cookie" if cookie else "tfo cookiereq",
}


def option_words(options: Options, names: Names) -> list[str]:
    """The options of a SYN in words.

    Args:
        options: the options.
        names: what they are called: ``SENTENCE``, ``HEADER`` or ``NOTATION``.

    Returns:
        Such as ``["mss 1460", "window scale 7", "SACK"]``.
    """
    found = []
    for field, name in names.items():
        value = getattr(options, field)
        if value is not None and value is not False:
            found.append(name(value))
    return found


def offer(options: Options) -> str:
    """What a SYN offers, for a sentence.

    Args:
        options: the SYN's options.

    Returns:
        Such as ``mss 1460, window scale 7, SACK``, or ``no options``.
    """
    words = option_words(options, SENTENCE) + ["options that the capture cut"] * options.cut
    return ", ".join(words) or "no options"
