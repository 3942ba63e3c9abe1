"""What a wire of ours did with a segment, and what the kernel said, in words."""

from __future__ import annotations

from collections.abc import Iterator

from trioecho.model import End, Kernel, Rung
from trioecho.text import seconds

# Less than this on the way says nothing: it is the time that the wire itself takes.
_NOTICED = 1_000_000
_MADE = {"copy": "a copy made by the wire", "injected": "forged by the wire"}


def fate(rung: Rung) -> Iterator[str]:
    """Sentences on what became of a segment.

    Args:
        rung: a rung of a wire of ours.
    """
    by = f" ({rung.fault})" if rung.fault else ""
    made = _MADE.get(rung.kind, "")
    if rung.lost:
        if made:
            yield made
        if rung.broken:
            yield f"broken on the wire, so that the checksum is wrong and it is discarded{by}"
        else:
            yield f"lost on the wire{by}"
        return
    if made:
        yield made + by
        return
    took = 0 if rung.arrived is None else rung.arrived - rung.time
    if took >= _NOTICED:
        yield f"{seconds(took)} on the way{by}"
    elif by:
        yield by.strip(" ()")


def kernel_text(end: End, kernel: Kernel) -> str:
    """What the kernel said of one end.

    Args:
        end: which end.
        kernel: what it said.
    """
    words = [str(kernel.state)]
    if kernel.rtt is not None:
        words.append(f"rtt {seconds(kernel.rtt)}")
    if kernel.rto is not None:
        words.append(f"rto {seconds(kernel.rto)}")
    if kernel.cwnd is not None:
        words.append(f"cwnd {kernel.cwnd}")
    if kernel.ssthresh is not None:
        words.append(f"ssthresh {kernel.ssthresh}")
    if kernel.in_flight:
        words.append(f"in flight {kernel.in_flight}")
    if kernel.total_retransmits:
        words.append(f"retransmitted {kernel.total_retransmits}")
    if kernel.retransmits:
        words.append(f"backed off {kernel.retransmits}")
    return f"{end}'s kernel: {', '.join(words)}"
