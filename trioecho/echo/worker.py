"""One process of several that echo on the same addresses: ``python -m trioecho.echo.worker``."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

import trio

from trioecho.echo.report import ServerReport
from trioecho.echo.server import serve
from trioecho.sockets.listening import ListeningSocket


async def work(descriptors: Sequence[int], recv_size: int, grace: float) -> None:
    """Serve on sockets that were inherited, until SIGTERM, or the end of standard input.

    It writes a line to standard output when it serves, and its report as JSON at its end.

    Args:
        descriptors: of the listening sockets.
        recv_size: bytes to receive at the most in one call.
        grace: seconds that open connections get to finish.
    """
    listeners = [ListeningSocket(socket.socket(fileno=fd), end="server") for fd in descriptors]
    stop, report = trio.Event(), ServerReport()
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def obey() -> None:
                await anext(signals)
                stop.set()

            async def outlive_nobody() -> None:
                await trio.lowlevel.wait_readable(sys.stdin)
                nursery.cancel_scope.cancel()

            async def echo(*, task_status: trio.TaskStatus[None]) -> None:
                await serve(
                    listeners,
                    recv_size=recv_size,
                    nagle=False,
                    grace=grace,
                    stop=stop,
                    report=report,
                    batched=True,
                    exhausted=_lacks,
                    task_status=task_status,
                )
                nursery.cancel_scope.cancel()

            nursery.start_soon(obey)
            nursery.start_soon(outlive_nobody)
            await nursery.start(echo)
            _tell("ready")
    _tell(json.dumps(asdict(report)))


def _lacks(error: OSError) -> None:
    print(
        f"trioecho: worker {os.getpid()} cannot accept for now: {error.strerror}; it tries again",
        file=sys.stderr,
    )


def _tell(line: str) -> None:
    with suppress(BrokenPipeError):  # who looked after it is gone
        print(line, flush=True)


if __name__ == "__main__":
    trio.run(lambda: work(**json.loads(sys.argv[1])))
