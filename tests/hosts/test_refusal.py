from __future__ import annotations

import errno

import pytest

from trioecho.hosts.refusal import TUN, read_proc, refusal

USER, NET = "unshare(CLONE_NEWUSER)", "unshare(CLONE_NEWNET)"
SYS = "/proc/sys"


@pytest.mark.parametrize(
    ("step", "number", "settings", "reason", "remedy"),
    [
        (
            USER,
            errno.ENOSPC,
            {f"{SYS}/user/max_user_namespaces": "0"},
            "user.max_user_namespaces is 0",
            "sudo sysctl user.max_user_namespaces=15000",
        ),
        (
            NET,
            errno.ENOSPC,
            {
                f"{SYS}/user/max_net_namespaces": "3",
                "/proc/self/uid_map": "         0          0 4294967295",
            },
            "user.max_net_namespaces is 3",
            "sudo sysctl user.max_net_namespaces=15000",
        ),
        (
            USER,
            errno.ENOSPC,
            {
                f"{SYS}/user/max_user_namespaces": "2147483647",
                "/proc/self/uid_map": "      1000       1000          1",
            },
            "a sandbox around this process allows no further user namespace",
            "bwrap --disable-userns",
        ),
        (NET, errno.EMFILE, {}, "no file descriptor is left for it", "Raise `ulimit -n`"),
        (
            USER,
            errno.EPERM,
            {f"{SYS}/kernel/unprivileged_userns_clone": "0"},
            "kernel.unprivileged_userns_clone is 0",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
        ),
        (
            NET,
            errno.EPERM,
            {f"{SYS}/kernel/apparmor_restrict_unprivileged_userns": "1"},
            "kernel.apparmor_restrict_unprivileged_userns is 1",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            USER,
            errno.EACCES,
            {f"{SYS}/kernel/apparmor_restrict_unprivileged_userns": "1"},
            "kernel.apparmor_restrict_unprivileged_userns is 1",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            USER,
            errno.EPERM,
            {"/proc/self/status": "NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1"},
            "a seccomp filter forbids it",
            "--security-opt seccomp=unconfined",
        ),
        (USER, errno.EPERM, {"/proc/self/status": "Seccomp:\t0"}, f"{USER}: Operation not", ""),
        (USER, errno.EINVAL, {}, "this kernel has no user namespaces", "CONFIG_USER_NS"),
        (USER, errno.ENOSYS, {}, "this kernel has no user namespaces", "CONFIG_USER_NS"),
        ("ioctl(SIOCSIFFLAGS)", errno.EPERM, {}, "ioctl(SIOCSIFFLAGS): Operation not", ""),
    ],
)
def test_it_names_what_forbids_it_and_what_would_allow_it(
    step: str, number: int, settings: dict[str, str], reason: str, remedy: str
) -> None:
    error = refusal(step, number, lambda path: settings.get(path, ""))
    assert reason in error.what
    assert remedy in error.hint
    assert not error.what.endswith(".")
    assert "\n" not in str(error)


def test_a_setting_that_is_not_there_reads_as_nothing() -> None:
    assert read_proc("/proc/sys/kernel/no_such_setting") == ""
    assert read_proc("/proc/self/status").startswith("Name:")


@pytest.mark.parametrize(
    ("number", "reason", "remedy"),
    [
        (errno.ENOENT, "there is no /dev/net/tun", "modprobe tun"),
        (errno.EACCES, "/dev/net/tun is not open to you", "sudo chmod 0666 /dev/net/tun"),
        (errno.EPERM, "/dev/net/tun is not open to you", "sudo chmod 0666 /dev/net/tun"),
        (errno.EIO, "Input/output error", "security module"),
    ],
)
def test_a_wire_also_needs_a_tun_device(number: int, reason: str, remedy: str) -> None:
    error = refusal(TUN, number)
    assert error.what.startswith("No private wire: ")
    assert reason in error.what
    assert remedy in error.hint
