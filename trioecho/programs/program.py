"""One program: started, its output shown, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from subprocess import DEVNULL, STDOUT
from time import time_ns

import trio

from trioecho.errors import TrioechoError, sole
from trioecho.hosts.host import Host
from trioecho.model import End
from trioecho.programs.lines import Lines, ProgramLine, Tell
from trioecho.programs.pipe import Pipe
from trioecho.programs.settings import OUTPUT_LIMIT
from trioecho.programs.strace import OPTIONS
from trioecho.programs.tracing import Tracing
from trioecho.text import bytes_of, exit_of

#: Seconds between a signal and a stronger one.
GRACE = 2.0
#: Seconds after which an unfinished line is shown: it may be a prompt.
PROMPT = 0.3
# strace writes to standard error, which it has to itself; the program's goes to its standard
# output.
_TRACED = ("-o", "/dev/stderr", "sh", "-c", 'exec "$@" 2>&1', "sh")


class Program:
    """A program on a host.

    Attributes:
        ended: set when it has ended.
        told: set when all its output has been shown, too.
    """

    def __init__(
        self, end: End, process: trio.Process, *, alone: bool, tracing: Tracing | None
    ) -> None:
        self.end = end
        self.ended = trio.Event()
        self.told = trio.Event()
        self._process = process
        self._alone = alone
        self._tracing = tracing

    @property
    def code(self) -> int:
        """Its exit code as a shell gives it: 128 plus the number for a signal."""
        code = self._process.returncode
        assert code is not None
        return code if code >= 0 else 128 - code

    @property
    def how(self) -> str:
        """How it ended, in words."""
        code = self._process.returncode
        assert code is not None
        return exit_of(code)

    async def untraced(self) -> TrioechoError | None:
        """Why strace could not trace it, if that failed; asked when it has ended."""
        if self._tracing is None or not self._process.returncode:
            return None
        if not (failure := await self._tracing.failure()):
            return None
        what = f"The {self.end}'s calls cannot be shown: strace says {failure!r}"
        if failure.startswith("setreuid"):  # which it calls where it does not know its user
            return TrioechoError(
                what,
                "Without CAP_SETFCAP, root has no user id on a private host, which strace needs:"
                " add the capability, be an ordinary user, or leave out --calls",
            )
        hint = "Leave out --calls, or use strace 5.6 or later; a container needs SYS_PTRACE"
        return TrioechoError(what, hint)

    async def finish(
        self, *numbers: signal.Signals, told: Callable[[signal.Signals], None]
    ) -> bool:
        """End it, unless it has ended; ``told`` of the first signal, just before that is sent.

        Returns:
            Whether none of the signals ended it, so that it was killed.
        """
        for number in numbers:
            if self.ended.is_set():
                return False
            if number is numbers[0] and self._process.returncode is None:
                told(number)
            self._signal(number)
            with trio.move_on_after(GRACE):
                await self.ended.wait()
        if self.ended.is_set():
            return False
        self._signal(signal.SIGKILL)
        await self.ended.wait()
        return True

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            if self._alone:
                os.killpg(process.pid, number)
                return
            if self._tracing:
                for pid in _children(process.pid):
                    os.kill(pid, number)
            if not self._tracing or number is signal.SIGKILL:
                process.send_signal(number)

    async def wait(self) -> None:
        """Wait for its end."""
        await self._process.wait()
        self.ended.set()

    async def kill(self) -> None:
        """Kill it, unless it has ended, and wait until it has."""
        self._signal(signal.SIGKILL)
        with trio.CancelScope(shield=True):
            await self.wait()


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


@asynccontextmanager
async def open_program(
    host: Host,
    end: End,
    command: Sequence[str],
    tell: Tell,
    *,
    limit: int = OUTPUT_LIMIT,
    tracing: Callable[[Pipe, End], Tracing] | None = None,
    foreground: bool = False,
) -> AsyncIterator[Program]:
    """Start a program and report its output, for as long as the block lasts.

    Standard output and standard error share one pipe, so their order is kept. The client inherits
    this process's standard input; the server has none.

    Raises:
        TrioechoError: there is no such program, or no strace.
    """
    _demand(command[0])
    words = list(command)
    if tracing is not None:
        strace = shutil.which("strace")
        if strace is None:
            what = "Programs' socket calls are shown through strace, which is not installed"
            raise TrioechoError(what, "Install the package strace, or leave out --calls")
        words = [strace, *OPTIONS, *_TRACED, *words]
    with Pipe() as output, Pipe() as log:
        process = await host.run(
            words,
            stdin=None if end == "client" else DEVNULL,
            stdout=output.writer,
            stderr=STDOUT if tracing is None else log.writer,
            **({} if foreground else {"process_group": 0}),
        )
        traced = None if tracing is None else tracing(log, end)
        program = Program(end, process, alone=not foreground, tracing=traced)
        output.close_writer()
        log.close_writer()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_show, output, program, tell, limit)
                if traced is not None:
                    nursery.start_soon(traced.run, program.ended, tell)
                nursery.start_soon(program.wait)
                try:
                    yield program
                finally:
                    await program.kill()
        except BaseExceptionGroup as group:
            raise sole(group) from None


def _demand(program: str) -> None:
    if shutil.which(program) is not None:
        return
    if os.path.isfile(program):
        raise TrioechoError(
            f"{program!r} may not be executed",
            f"Make it executable (chmod +x), or name what runs it: python3 {program}",
        )
    raise TrioechoError(f"There is no program {program!r} to start")


async def _show(pipe: Pipe, program: Program, tell: Tell, limit: int) -> None:
    """Report a program's output, line by line, up to ``limit`` bytes."""
    lines, left = Lines(program.end), limit
    while True:
        patience = PROMPT if lines.waiting else float("inf")
        data = await pipe.read(program.ended, patience)
        shown = data and data[: max(left, 0)]
        cut = lines.feed(time_ns(), shown) if shown else lines.flush()
        if data and 0 <= left < len(data):
            cut += lines.flush()
            cut.append(_remark(program, "writes more, which is counted (--output-limit)"))
        left -= len(data or b"")
        if data == b"" and left < 0:
            cut.append(_remark(program, f"wrote {bytes_of(-left)} more"))
        if cut:
            await tell(cut)
        if data == b"":
            await program.ended.wait()  # it may have closed its output earlier
            program.told.set()
            return


def _remark(program: Program, text: str) -> ProgramLine:
    return ProgramLine(time_ns(), program.end, text, remark=True)
