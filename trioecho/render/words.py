"""A rung in words: what stands on its arrow, and the sentences below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from trioecho.model import Fact, Options, Rung, flag_names
from trioecho.render.fate import fate
from trioecho.text import plural

# Routine sentences are said this often for a connection, then left out.
_OFTEN = 3


class Telling:
    """The sentences of a ladder; it remembers what a connection's reader has heard often enough."""

    def __init__(self) -> None:
        self._said: Counter[tuple[int, type[Fact]]] = Counter()

    def of(self, rung: Rung) -> Iterator[str]:
        """The sentences on one rung, without full stops.

        Args:
            rung: the rung; each is to be asked for once.
        """
        if rung.lost or rung.arrived is not None or rung.kind != "original":
            yield from fate(rung)
        for note in rung.notes:
            if note.routine:
                key = rung.connection, type(note)
                self._said[key] += 1
                if self._said[key] > _OFTEN:
                    continue
            yield note.text(rung)

    def forget(self, before: int) -> None:
        """Drop what is known of connections with a number below ``before``."""
        for key in [key for key in self._said if key[0] < before]:
            del self._said[key]


def header(rung: Rung, *, absolute: bool = False) -> list[str]:
    """What a segment's header says, word by word, the most telling first.

    Args:
        rung: the rung.
        absolute: whether to give the raw sequence numbers.

    Returns:
        Such as ``["PSH ACK", "seq 1", "ack 17", "len 16", "win 65536"]``, and the options.
    """
    segment = rung.segment
    seq, ack = rung.seq, rung.ack
    if absolute:
        seq, ack = segment.seq, segment.ack
    parts = [" ".join(flag_names(segment.flags)) or "no flags", f"seq {seq}"]
    if ack is not None:
        parts.append(f"ack {ack}")
    if segment.length:
        parts.append(f"len {segment.length}")
    parts.append(f"win {rung.window}")
    return parts + _options(segment.options, "SYN" in parts[0])


def _options(options: Options, on_syn: bool) -> list[str]:
    """The options as words; timestamps only on a SYN, where they are offered."""
    words = []
    if options.mss is not None:
        words.append(f"mss {options.mss}")
    if options.window_scale is not None:
        words.append(f"wscale {options.window_scale}")
    if options.sack_permitted:
        words.append("sackOK")
    if options.timestamps is not None and on_syn:
        words.append("timestamps")
    if options.sack:
        words.append(plural(len(options.sack), "SACK block"))
    return words
