"""WireHost: one end of the wire as a test uses it, with calls that block."""

from __future__ import annotations

import os
import socket as sockets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from subprocess import CompletedProcess, Popen
from subprocess import run as run_program
from typing import Any, TypeVar, TypeVarTuple

import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host
from trioecho.hosts.lending import ask_for_sockets
from trioecho.hosts.syscalls import StepError
from trioecho.model import Endpoint
from trioecho.testing.inside import in_a_thread, making
from trioecho.testing.portal import Portal

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class WireHost:
    """One end of the wire: its sockets, programs and settings.

    At the end of the test its sockets are closed and its programs killed.

    Args:
        portal: into the wire's loop.
        host: the host there.
        stack: closed at the end of the test.

    Attributes:
        address, address6: its addresses on the wire.
    """

    def __init__(self, portal: Portal, host: Host, stack: ExitStack) -> None:
        self.address = host.address
        self.address6 = host.address6
        self._portal = portal
        self._host = host
        self._stack = stack

    def __repr__(self) -> str:
        return f"<host {self.address}>"

    # ---- sockets ---------------------------------------------------------------------------------

    def socket(
        self,
        family: int = sockets.AF_INET,
        type: int = sockets.SOCK_STREAM,  # noqa: A002
        proto: int = 0,
    ) -> sockets.socket:
        """Make an ordinary, blocking socket on this host.

        Args:
            family, type, proto: as for ``socket.socket``, whose default timeout applies here too.

        Returns:
            The socket; it is closed when the test is over.

        Raises:
            TrioechoError: the kernel refuses it.
        """
        __tracebackhide__ = True
        made = self._portal.call(self._host.socket, family, type, proto)
        made.settimeout(sockets.getdefaulttimeout())
        return self._stack.enter_context(made)

    def listen(
        self, port: int = 0, *, family: int = sockets.AF_INET, backlog: int = 128
    ) -> sockets.socket:
        """Make a TCP socket that listens on this host's address.

        Args:
            port: the port; 0 for any free one, which ``getsockname()[1]`` gives.
            family: ``AF_INET`` or ``AF_INET6``.
            backlog: as for ``socket.listen``.

        Returns:
            The socket; it is closed when the test is over.
        """
        made = self.socket(family)
        made.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        made.bind((self.address6 if family == sockets.AF_INET6 else self.address, port))
        made.listen(backlog)
        return made

    def connect(self, address: tuple[str, int], timeout: float | None = None) -> sockets.socket:
        """Make a TCP socket and connect it, as ``socket.create_connection`` does.

        Args:
            address: an IP address and a port.
            timeout: in seconds, for this and each later call on it; None for no limit.

        Returns:
            The socket; it is closed when the test is over.

        Raises:
            OSError: the connection was refused, or timed out.
        """
        made = self.socket(sockets.AF_INET6 if ":" in address[0] else sockets.AF_INET)
        if timeout is not None:
            made.settimeout(timeout)
        made.connect(address)
        return made

    def inside(self) -> AbstractContextManager[None]:
        """Put the IP sockets that Python code creates within the block on this host.

        This applies to the current thread or task, to the tasks it starts, and to threads that are
        in no such block themselves. Names are still resolved by the machine, so use addresses;
        sockets that a C library makes stay on the machine, except in `call`.
        """
        return making(self._descriptor)

    def call(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Call a function in a thread of its own, all of whose IP sockets are made on this host.

        That includes those of C libraries (libpq, uvloop, libcurl) and of the threads that they
        start. No name can be resolved there, so use addresses. It blocks until the function
        returns; in an async test call it in a thread: ``await asyncio.to_thread(host.call, …)``.

        Args:
            function, arguments: what to call.

        Returns:
            What the function returns.

        Raises:
            TrioechoError: this kernel cannot do that; ``run`` a program instead.
            BaseException: what the function raises.
        """
        __tracebackhide__ = True
        return in_a_thread(lambda: self._call(function, *arguments))

    # ---- programs --------------------------------------------------------------------------------

    def popen(self, command: Sequence[str], **options: Any) -> Popen[Any]:
        """Start a program on this host; it is killed at the end of the test.

        Args:
            command: the program and its arguments.
            options: as for ``subprocess.Popen``.

        Returns:
            The process, as ``subprocess.Popen`` gives it.

        Raises:
            TrioechoError: there is no such program, or no nsenter (util-linux).
        """
        __tracebackhide__ = True
        with self._entered(command, options) as whole:
            process: Popen[Any] = Popen(whole, **options)
        self._stack.callback(_end, process)
        return process

    def run(self, command: Sequence[str], **options: Any) -> CompletedProcess[Any]:
        """Run a program on this host until it ends.

        Args:
            command: the program and its arguments.
            options: as for ``subprocess.run``: ``timeout``, ``check``, ``capture_output`` …

        Returns:
            The result, as ``subprocess.run`` gives it.

        Raises:
            TrioechoError: there is no such program, or no nsenter (util-linux).
        """
        __tracebackhide__ = True
        with self._entered(command, options) as whole:
            return run_program(whole, **options)

    def wait_listening(self, port: int | None = None, timeout: float = 10.0) -> int:
        """Wait until a program listens on this host.

        Args:
            port: the TCP port; None for any.
            timeout: seconds to wait.

        Returns:
            The port.

        Raises:
            AssertionError: none does within that time.
        """
        __tracebackhide__ = True
        endpoint = self._portal.call(self._listening, port, timeout)
        if endpoint is None:
            where = self.address if port is None else Endpoint(self.address, port)
            raise AssertionError(f"Nothing listens on {where} after {timeout:g} s")
        return endpoint.port

    # ---- settings --------------------------------------------------------------------------------

    def sysctl(self, name: str, value: str | int | None = None) -> str:
        """Read or change a setting of this host's network; the machine's own is not touched.

        Args:
            name: such as ``net.ipv4.tcp_retries2``.
            value: what to set it to; None only reads.

        Returns:
            Its value, now.

        Raises:
            TrioechoError: there is no such setting in a namespace, or the value is not valid.
        """
        __tracebackhide__ = True
        return self._portal.call(self._host.sysctl, name, value)

    # ---- in the loop -----------------------------------------------------------------------------

    async def _listening(self, port: int | None, timeout: float) -> Endpoint | None:
        from trioecho.stage.kernels import open_diag

        async with open_diag(self._host) as diag:
            with trio.move_on_after(timeout):
                return await diag.wait_listening(port)
        return None

    def _call(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        try:
            listener = ask_for_sockets()
        except StepError as error:
            what = f"The kernel refused {error.step}: {os.strerror(error.errno)}"
            raise TrioechoError(what, "Run such code as a program: host.run([…])") from None
        try:
            self._portal.call(self._host.lend_sockets, listener)
        finally:
            os.close(listener)
        with self.inside():
            return function(*arguments)

    def _descriptor(self, family: int, type: int, proto: int) -> int:  # noqa: A002
        made = self._portal.call(self._host.socket, family, type, proto)
        made.setblocking(not type & sockets.SOCK_NONBLOCK)
        return made.detach()

    @contextmanager
    def _entered(self, command: Sequence[str], options: dict[str, Any]) -> Iterator[list[str]]:
        if isinstance(command, str) or options.get("shell"):
            raise TrioechoError("A program is given as a list of words", "Such as ['sh', '-c', …]")
        path = None if options.get("env") is None else options["env"].get("PATH")
        prefix, descriptors = self._portal.call(self._host.entrance, command, path)
        options["pass_fds"] = [*options.get("pass_fds", ()), *descriptors]
        try:
            yield [*prefix, *command]
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _end(process: Popen[Any]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):  # what was written and never read
                stream.close()
    process.wait()
