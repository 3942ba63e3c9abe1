"""One run of ``trioecho serve``: which sockets listen, and who echoes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from trioecho.echo.report import ServerReport
from trioecho.echo.server import BATCHED_RECV_SIZE, RECV_SIZE, serve
from trioecho.sockets.address import Address
from trioecho.sockets.listening import ListeningSocket, open_listeners

if TYPE_CHECKING:
    import trio

    from trioecho.cli.serve_report import ServeReport
    from trioecho.echo.behaviour import Behaviour


class Serving(NamedTuple):
    """The options of ``trioecho serve``."""

    addresses: Sequence[Address]
    backlog: int
    recv_size: int | None
    grace: float
    workers: int
    batched: bool
    behaviour: Behaviour | None


async def conduct(serving: Serving, show: ServeReport, stop: trio.Event) -> None:
    """Listen, and serve until told to stop.

    Raises:
        TrioechoError: an address cannot be listened on, or a worker cannot serve.
    """
    report = ServerReport()
    size = serving.recv_size or (BATCHED_RECV_SIZE if serving.batched else RECV_SIZE)
    with ExitStack() as opened:
        shares = await _listen(serving, show, opened)
        for listener in shares[0]:
            show.listening(listener)
        try:
            if serving.workers > 1:
                from trioecho.echo.workers import supervise

                await supervise(
                    shares,
                    recv_size=size,
                    grace=serving.grace,
                    stop=stop,
                    report=report,
                    replacing=show.replacing,
                )
            else:
                await serve(
                    shares[0],
                    recv_size=size,
                    grace=serving.grace,
                    nagle=not serving.batched,
                    batched=serving.batched,
                    behaviour=serving.behaviour,
                    stop=stop,
                    report=report,
                    exhausted=show.exhausted,
                    stopping=lambda: show.stopping(report, serving.grace),
                )
        finally:
            show.summary(report)


async def _listen(
    serving: Serving, show: ServeReport, opened: ExitStack
) -> list[list[ListeningSocket]]:
    """Listening sockets for each worker, all on the same addresses."""
    shares: list[list[ListeningSocket]] = []
    addresses = serving.addresses
    if serving.workers > 1:  # the kernel would let two such servers share their clients, too
        for address in addresses:
            for listener in await open_listeners(address):
                listener.close()
    for _ in range(serving.workers):
        share: list[ListeningSocket] = []
        for address in addresses:
            found = await open_listeners(
                address, backlog=serving.backlog, record=show.record, shared=serving.workers > 1
            )
            share += map(opened.enter_context, found)
        shares.append(share)
        # Port 0 has become one that the next share has to have, too.
        addresses = [Address(one.local.ip, one.local.port) for one in share if one.local]
    return shares
