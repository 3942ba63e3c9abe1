"""What a wire of ours did with a segment, and what the kernel said, in words."""

from __future__ import annotations

from collections.abc import Iterator

from trioecho.model import End, Kernel, Rung
from trioecho.text import bytes_of, plural, seconds

# Shorter delays are not worth a word: the wire itself takes that long.
_NOTICED = 1_000_000
_MADE = {"copy": "a copy made by the wire", "injected": "forged by the wire"}


def fate(rung: Rung) -> Iterator[str]:
    """What became of a segment on a wire of ours, in sentences."""
    by = f" ({rung.fault})" if rung.fault else ""
    made = _MADE.get(rung.kind)
    if rung.edited:
        yield f"shown as the wire changed it: {rung.edited}{by}"
        by = ""
    if rung.lost:
        if made:
            yield made
        if rung.broken:
            yield f"broken on the wire, so that the checksum is wrong and it is discarded{by}"
        elif rung.too_large:
            yield f"too large for the path: lost, and ICMP tells the {rung.sender} so{by}"
        else:
            yield f"lost on the wire{by}"
    elif made:
        yield made + by
    elif rung.arrived is not None and rung.arrived - rung.time >= _NOTICED:
        yield f"{seconds(rung.arrived - rung.time)} on the way{by}"
    elif rung.on_wire and rung.arrived is None:
        yield f"still on its way at the end{by}"
    elif rung.fault and not rung.edited:
        yield rung.fault


def kernel_text(end: End, kernel: Kernel) -> str:
    """What the kernel said of one end, in a sentence."""
    words = [str(kernel.state)]
    for name, time in (("rtt", kernel.rtt), ("rto", kernel.rto)):
        if time is not None:
            words.append(f"{name} {seconds(time)}")
    for name, segments in (("cwnd", kernel.cwnd), ("ssthresh", kernel.ssthresh)):
        if segments is not None:
            words.append(f"{name} {segments}")
    for name, count in (
        ("in flight", kernel.in_flight),
        ("retransmitted", kernel.total_retransmits),
        ("backed off", kernel.retransmits),
    ):
        if count:
            words.append(f"{name} {count}")
    if kernel.congestion_control:
        words.append(f"congestion control {kernel.congestion_control}")
    return f"{end}'s kernel: {', '.join([*words, *_limits(kernel), *_queues(kernel)])}"


def _limits(kernel: Kernel) -> Iterator[str]:
    """How long the end has been busy, and what held it up."""
    for name, time in (
        ("busy", kernel.busy),
        ("limited by the peer's window", kernel.receiver_limited),
        ("limited by its send buffer", kernel.send_buffer_limited),
    ):
        if time:
            yield f"{name} {seconds(time)}"


def _queues(kernel: Kernel) -> Iterator[str]:
    """What waits to be acknowledged, to be read, to be accepted."""
    if kernel.send_queue:
        yield f"{bytes_of(kernel.send_queue)} not acknowledged"
    if kernel.receive_queue:
        yield f"{bytes_of(kernel.receive_queue)} unread"
    waiting = kernel.accept_queue
    told = waiting and f"{plural(waiting, 'connection')} {'waits' if waiting == 1 else 'wait'}"
    if kernel.accepted is False:
        yield "nobody has called accept() yet" + (f": {told}" if told else "")
    elif told:
        yield f"{told} for accept()"
