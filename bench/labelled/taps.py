"""What a capture at one end would hold of a run."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from labelled.perform import Run
from trioecho.account import Accounts
from trioecho.account.account import Account
from trioecho.account.spans import Span
from trioecho.model import End, Frame, Rung
from trioecho.reading.reading import Reading


def frames_at(rungs: Sequence[Rung], end: End) -> list[Frame]:
    """The frames that a capture on one end's interface holds: all it sends, and what arrives.

    Args:
        rungs: those of a wire.
        end: which end.
    """
    seen: list[tuple[int, int, Frame]] = []
    for number, rung in enumerate(rungs):
        frame = rung.segment.frame
        if rung.sender == end:
            seen.append((rung.time, number, frame))
        elif rung.arrived is not None:
            seen.append((rung.arrived, number, frame))
    seen.sort(key=lambda one: one[:2])
    return [
        replace(frame, number=place, time=time, way=None)
        for place, (time, _, frame) in enumerate(seen, 1)
    ]


def told(rungs: Sequence[Rung]) -> tuple[Account | None, list[Span]]:
    """What the account makes of some rungs: the first connection's, and its spans."""
    spans: list[Span] = []

    def keep(connection: int, span: Span) -> None:
        if connection == 1:
            spans.append(span)

    accounts = Accounts(on_span=keep)
    accounts.see(rungs)
    return next(accounts.end(), None), spans


def told_on_wire(run: Run) -> tuple[Account | None, list[Span]]:
    """What the account makes of the wire, without the kernels: these are asked for the truth."""
    return told([replace(rung, client_kernel=None, server_kernel=None) for rung in run.rungs])


def told_at(run: Run, end: End) -> tuple[Account | None, list[Span]]:
    """What the account makes of a capture at one end."""
    reading = Reading()
    frames = frames_at(run.rungs, end)
    return told([*reading.rungs(frames), *reading.rest()])
