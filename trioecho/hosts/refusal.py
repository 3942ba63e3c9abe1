"""Why the kernel refused a private namespace, and which setting allows it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from trioecho.errors import TrioechoError

#: The keeper's step that only a wire needs, not a loopback.
TUN = "open /dev/net/tun"
# /proc/self/uid_map where no user namespace is around this process.
_EVERYONE = ["0", "0", "4294967295"]


class NamespaceUnavailable(TrioechoError):  # noqa: N818  a state of the machine, not a failure
    """Private namespaces are not available here; the message says what forbids them."""


def read_proc(path: str) -> str:
    """The text of a file below /proc, stripped; ``""`` where there is no such file."""
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def refusal(step: str, number: int, read: Callable[[str], str] = read_proc) -> NamespaceUnavailable:
    """Explain a refused step of the keeper.

    One error number has many causes; the kernel's settings tell which it was.

    See also:
        user_namespaces(7), namespaces(7) on /proc/sys/user; Ubuntu's
        apparmor_restrict_unprivileged_userns, under which the user namespace is made but has no
        capabilities, so that the step after it fails.
    """
    denied = number in (errno.EPERM, errno.EACCES)
    if number in (errno.EMFILE, errno.ENFILE):
        return because("no file descriptor is left for it", "Raise `ulimit -n`")
    if step == TUN:
        return _no_tun(number)
    if number in (errno.ENOSPC, errno.EUSERS) and step.startswith("unshare"):
        kind = "user" if "NEWUSER" in step else "net"
        setting = f"user.max_{kind}_namespaces"
        limit = read(f"/proc/sys/user/max_{kind}_namespaces")
        if limit != "0" and read("/proc/self/uid_map").split() not in ([], _EVERYONE):
            return because(
                f"a sandbox around this process allows no further {kind} namespace",
                f"Run it outside, or without that limit ({setting}, bwrap --disable-userns)",
            )
        return because(
            f"{setting} is {limit or 'reached'}, so there can be no further {kind} namespace",
            f"sudo sysctl {setting}=15000 allows it",
        )
    if denied and read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return because(
            "kernel.unprivileged_userns_clone is 0, which keeps user namespaces for root",
            "sudo sysctl kernel.unprivileged_userns_clone=1 allows it",
        )
    if denied and read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return because(
            "kernel.apparmor_restrict_unprivileged_userns is 1, which takes the capabilities away",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 allows it",
        )
    if denied and "NEWUSER" in step and "Seccomp:\t2" in read("/proc/self/status"):
        return because(
            "a seccomp filter forbids it, as most containers have one",
            "For Docker and Podman, --security-opt seccomp=unconfined allows it",
        )
    if number in (errno.ENOSYS, errno.EINVAL) and step == "unshare(CLONE_NEWUSER)":
        return because("this kernel has no user namespaces", "It needs CONFIG_USER_NS")
    return because(f"{step}: {os.strerror(number)}", "A container or a security module forbids it")


def because(reason: str, remedy: str) -> NamespaceUnavailable:
    """The error for what forbids a namespace, and what would allow it."""
    return NamespaceUnavailable(f"No private network namespace: {reason}", remedy)


def _no_tun(number: int) -> NamespaceUnavailable:
    """Why there is no private wire: its ends are TUN devices."""
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        reason = "there is no /dev/net/tun"
        remedy = (
            "sudo modprobe tun makes it; a container gets it by --device /dev/net/tun,"
            " bwrap by --dev-bind /dev/net/tun /dev/net/tun"
        )
    elif number in (errno.EACCES, errno.EPERM):
        reason = "/dev/net/tun is not open to you"
        remedy = "sudo chmod 0666 /dev/net/tun allows it, as on most systems"
    else:
        reason = f"{TUN}: {os.strerror(number)}"
        remedy = "A container or a security module forbids it"
    return NamespaceUnavailable(f"No private wire: {reason}", remedy)
