"""Which programs to run, and where."""

from __future__ import annotations

from msgspec import Struct

from trioecho.hosts.ways import Ways

#: Bytes of a program's output that are shown.
OUTPUT_LIMIT = 1 << 20


class RunSettings(Struct, frozen=True):
    """What to run.

    Args:
        server, client: the two programs, each with its arguments.
        faults: what the wire does, and to which segments.
        same_host: whether both run on one host, over its loopback, instead of a wire.
        wait: seconds within which the server must listen; None for 10, but only 1 for one that
            listens where another host cannot reach it.
        port: the port it must listen on; None for any.
        timeout: seconds after which both are stopped; None for no limit.
        output_limit: bytes of each program's output that are shown; more are counted.
        strict: whether a fault that has not acted is an error.
        calls: whether to show their socket calls.
        kernel: whether to ask the kernel about both ends, at each segment.
        foreground: whether the client stays in this process's group, so that it may read from the
            terminal, and gets what is typed there, Ctrl-C included.
        ways: the settings of the hosts: by default the kernel's own.
    """

    server: tuple[str, ...]
    client: tuple[str, ...]
    faults: tuple[str, ...] = ()
    same_host: bool = False
    wait: float | None = None
    port: int | None = None
    timeout: float | None = None
    output_limit: int = OUTPUT_LIMIT
    strict: bool = False
    calls: bool = False
    kernel: bool = False
    foreground: bool = False
    ways: Ways = Ways(quiet=False)
