"""Ways: the settings of private hosts, so that a ladder depends on no machine and no load."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from msgspec import Struct

from trioecho.hosts.host import CONGESTION_CONTROL, Host
from trioecho.hosts.line import KernelRefusedError

PROBES = "net.ipv4.tcp_early_retrans"

# The first that a network namespace may have; reno is in every kernel. Without this, a host has the
# machine's own default.
CONGESTION_CONTROLS = ("cubic", "reno")

#: The quiet kernel: what it would do by its own clock, or by what it remembers, and need not do.
#: docs/reference/quiet.md has the reasons, and what is left alone.
QUIET: dict[str, str] = {
    PROBES: "0",  # no tail loss probe (RFC 8985 §7): a busy machine is late, and nothing is lost
    "net.ipv4.tcp_no_metrics_save": "1",  # a second connection knows nothing of the first
}
# What does not depend on the machine. How large buffers grow, and so the window scale, is copied
# from it into a new network namespace; these are Linux's own, where there is much memory.
ALWAYS: dict[str, str] = {
    "net.ipv4.ip_unprivileged_port_start": "0",  # a server may have any port
    "net.ipv4.tcp_rmem": "4096 131072 33554432",
    "net.ipv4.tcp_wmem": "4096 16384 4194304",
}
# A setting that this kernel lacks or keeps to itself; in a container all may be read-only.
_LACKING = (errno.ENOENT, errno.EPERM, errno.EACCES, errno.EINVAL, errno.EROFS)


class Ways(Struct, frozen=True):
    """The settings of private hosts.

    Args:
        quiet: whether they have those of `QUIET`.
        sysctl: further settings of both hosts, each a name and a value.
    """

    quiet: bool = True
    sysctl: tuple[tuple[str, str], ...] = ()


#: The quiet kernel, and no further settings: what private hosts have if nothing else is said.
USUAL = Ways()


async def give_ways(hosts: Sequence[Host], ways: Ways = USUAL) -> None:
    """Give private hosts their settings.

    Raises:
        TrioechoError: a host has no setting of ``ways.sysctl``, or refuses its value.
    """
    for host in hosts:
        for name in CONGESTION_CONTROLS:
            if await _given(host, CONGESTION_CONTROL, name):
                break
        for name, value in {**ALWAYS, **(QUIET if ways.quiet else {})}.items():
            await _given(host, name, value)
        host.quiet = not QUIET.keys().isdisjoint(host.changed)
        host.usual = dict(host.changed)
        for name, value in ways.sysctl:
            await host.sysctl(name, value)


def words_of(hosts: Sequence[Host]) -> str:
    """How hosts are set, in words: ``quiet kernel (no tail loss probes), …``."""
    client, *others = hosts
    server = others[0] if others else client
    words = []
    if client.quiet:
        silent = all(host.changed.get(PROBES) == "0" for host in hosts)
        words.append("quiet kernel" + (" (no tail loss probes)" if silent else ""))
    else:
        why = "/proc/sys is read-only here" if client.fixed else "--quiet-kernel changes them"
        words.append(f"the kernel's own ways ({why})")
    control = [host.changed.get(CONGESTION_CONTROL, "the kernel's own") for host in hosts]
    if len(set(control)) == 1:
        words.append(f"congestion control {control[0]}")
    else:
        words.append(f"congestion control {control[0]} (client) and {control[1]} (server)")
    ends = (("client", client), ("server", server)) if others else (("", client),)
    both = _set(client) & _set(server)
    words += [f"{name} = {value}" for name, value in sorted(both)]
    for end, host in ends:
        words += [f"{end}'s {name} = {value}" for name, value in sorted(_set(host) - both)]
    return ", ".join(words)


def _set(host: Host) -> set[tuple[str, str]]:
    """What has been set besides the usual."""
    return {
        (name, value)
        for name, value in host.changed.items()
        if name != CONGESTION_CONTROL and host.usual.get(name) != value
    }


async def _given(host: Host, name: str, value: str) -> bool:
    """Set what this kernel may lack, or keep from a network namespace; whether it is set."""
    try:
        await host.sysctl(name, value)
    except KernelRefusedError as error:
        if error.number in _LACKING:
            host.fixed = host.fixed or error.number == errno.EROFS
            return False
        raise
    return True


def own_words() -> str:
    """How this machine itself is set, whose settings stay as they are."""
    words = "this machine's own settings"
    try:
        with open("/proc/sys/" + CONGESTION_CONTROL.replace(".", "/")) as file:
            return f"{words}, congestion control {file.read().strip()}"
    except OSError:
        return words
