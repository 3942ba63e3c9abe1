"""Several processes that echo on the same addresses, and the one that looks after them."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Sequence
from subprocess import PIPE

import trio

from trioecho.echo.report import ServerReport
from trioecho.errors import TrioechoError
from trioecho.sockets.listening import ListeningSocket
from trioecho.text import exit_of

#: Seconds until another takes the place of a worker that lived no longer than this.
BREATH = 1.0
#: Seconds that a worker has to cut off its connections, and to report, where all is cancelled.
LAST = 0.5


async def supervise(
    shares: Sequence[Sequence[ListeningSocket]],
    *,
    recv_size: int,
    grace: float,
    stop: trio.Event,
    report: ServerReport,
    replacing: Callable[[int, int], None],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a worker for each share of the listening sockets, until told to stop.

    A share stays open here, so that what waits to be accepted outlives its worker, and the next
    one accepts it. Cancelling it ends the workers at once; what they have done until then is
    counted.

    Args:
        shares: the sockets that each worker listens on; they belong to it from now on.
        recv_size: bytes to receive at the most in one call.
        grace: seconds that open connections get to finish after ``stop``.
        stop: when set, the workers stop accepting.
        report: gets each worker's counts when it has ended.
        replacing: called with a worker's number, from 1, and how it ended (see
            ``trio.Process.returncode``), before another takes its place; what it has counted is
            lost.
        task_status: told when each worker serves.

    Raises:
        TrioechoError: a worker could not begin to serve.
    """
    try:
        async with trio.open_nursery() as nursery:
            ready = [trio.Event() for _ in shares]
            for number, share in enumerate(shares, 1):
                worker = _Worker(number, share, recv_size, grace, report)
                nursery.start_soon(worker.keep, stop, replacing, ready[number - 1])
            for one in ready:
                await one.wait()
            task_status.started()
            await stop.wait()
            _close(shares)
    finally:
        _close(shares)


def _close(shares: Sequence[Sequence[ListeningSocket]]) -> None:
    for share in shares:
        for listener in share:
            listener.close()


class _Worker:
    def __init__(
        self,
        number: int,
        share: Sequence[ListeningSocket],
        recv_size: int,
        grace: float,
        report: ServerReport,
    ) -> None:
        self._number = number
        self._report = report
        self._descriptors = [listener.fd for listener in share]
        wanted = {"descriptors": self._descriptors, "recv_size": recv_size, "grace": grace}
        self._command = [sys.executable, "-m", "trioecho.echo.worker", json.dumps(wanted)]

    async def keep(
        self, stop: trio.Event, replacing: Callable[[int, int], None], ready: trio.Event
    ) -> None:
        while not stop.is_set():
            since = trio.current_time()
            code = await self._live(stop, ready)
            if stop.is_set():
                break
            if not ready.is_set():
                raise TrioechoError(f"A worker ended before it could serve: {exit_of(code)}")
            replacing(self._number, code)
            if trio.current_time() < since + BREATH:
                with trio.move_on_after(BREATH):
                    await stop.wait()
        ready.set()  # or it was told to stop before it served

    async def _live(self, stop: trio.Event, ready: trio.Event) -> int:
        """Run one process to its end, and return how it ended."""
        process = await trio.lowlevel.open_process(
            self._command,
            stdin=PIPE,  # it ends when this closes: with us, however we end
            stdout=PIPE,
            pass_fds=self._descriptors,
            start_new_session=True,  # a terminal's Ctrl-C is for us alone
        )
        assert process.stdout is not None
        assert process.stdin is not None
        told = bytearray()
        async with process.stdout, process.stdin:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_end, process, stop)
                    async for data in process.stdout:
                        ready.set()
                        told += data
                    await process.wait()
                    nursery.cancel_scope.cancel()
            finally:
                if process.returncode is None:
                    told += await _hurry(process)
                if len(lines := told.split(b"\n")) > 2:  # that it served, its report, and no more
                    self._report.add(ServerReport(**json.loads(lines[1])))
        assert process.returncode is not None
        return process.returncode


async def _hurry(process: trio.Process) -> bytes:
    """End a process soon, and return what it still says."""
    assert process.stdout is not None
    assert process.stdin is not None
    told = b""
    with trio.CancelScope(shield=True):
        with trio.move_on_after(LAST):
            await process.stdin.aclose()
            async for data in process.stdout:
                told += data
            await process.wait()
        process.kill()
        await process.wait()
    return told


async def _end(process: trio.Process, stop: trio.Event) -> None:
    await stop.wait()
    process.send_signal(signal.SIGTERM)
