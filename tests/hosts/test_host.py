# covers: hosts/keeper, hosts/line, hosts/syscalls

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent

import pytest
import trio
from needs import need_tool, without_capabilities
from wiring import LOOPBACK, script, stream_socket, upload

from trioecho.errors import TrioechoError
from trioecho.hosts.host import open_host
from trioecho.hosts.refusal import NamespaceUnavailable

HELLO = dedent("""
    import socket, trio
    from trioecho.hosts.host import open_host
    from trioecho.hosts.refusal import NamespaceUnavailable

    async def main():
        try:
            async with open_host() as host:
                for family, kind in [(socket.AF_PACKET, socket.SOCK_RAW), (2, 1), (10, 1)]:
                    (await host.socket(family, kind)).close()
                print("hello")
        except NamespaceUnavailable as error:
            print(error)

    trio.run(main)
""")


@contextmanager
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """See to it that no process and no descriptor outlives the block."""
    started: list[trio.Process] = []
    really_open = trio.lowlevel.open_process

    async def open_process(*arguments: object, **options: object) -> trio.Process:
        process = await really_open(*arguments, **options)  # type: ignore[call-overload]
        started.append(process)
        return process  # type: ignore[no-any-return]

    monkeypatch.setattr(trio.lowlevel, "open_process", open_process)
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert all(process.returncode is not None for process in started)
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_its_loopback_carries_tcp(family: socket.AddressFamily) -> None:
    async with open_host() as host:
        assert host.interface == "lo"
        await upload(host, 100_000, family=family, port=1)


@pytest.mark.usefixtures("namespaces")
async def test_its_sockets_do_not_block_and_are_not_inherited() -> None:
    async with open_host() as host:
        with await host.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
            assert not made.getblocking()
            assert not made.get_inheritable()
            assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)


@pytest.mark.usefixtures("namespaces")
async def test_its_sockets_outlive_it() -> None:
    async with open_host() as host:
        listener = await stream_socket(host, socket.AF_INET, bind=7)
        client = await stream_socket(host, socket.AF_INET)
    with listener, client:
        await client.connect((LOOPBACK[socket.AF_INET], 7))


@pytest.mark.usefixtures("namespaces")
async def test_ten_at_once_on_one_port(monkeypatch: pytest.MonkeyPatch) -> None:

    async def one() -> None:
        async with open_host() as host, trio.open_nursery() as requests:
            for _ in range(5):
                requests.start_soon(ask, host.socket)
            await upload(host, 1000)

    async def ask(make: object) -> None:
        (await make(socket.AF_INET6, socket.SOCK_DGRAM)).close()  # type: ignore[operator]

    with trio.fail_after(60), nothing_left(monkeypatch):
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(one)


@pytest.mark.usefixtures("namespaces")
async def test_with_other_threads_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    async def idle() -> None:
        await trio.to_thread.run_sync(done.wait)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(idle)
        with nothing_left(monkeypatch):
            async with open_host() as host:
                await upload(host, 1000)
        done.set()


@pytest.mark.usefixtures("namespaces")
async def test_a_socket_the_kernel_refuses() -> None:
    async with open_host() as host:
        with pytest.raises(TrioechoError, match=r"refused socket\(2, 77, 0\)") as caught:
            await host.socket(socket.AF_INET, 77)
        assert os.strerror(errno.EINVAL) in str(caught.value)
        (await host.socket(socket.AF_INET, socket.SOCK_STREAM)).close()


@pytest.mark.usefixtures("namespaces")
async def test_no_descriptor_left() -> None:
    async with open_host() as host:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            with pytest.raises(TrioechoError, match="No file descriptor is left") as caught:
                await host.socket(socket.AF_INET, socket.SOCK_STREAM)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert caught.value.hint == "Raise `ulimit -n`"
        (await host.socket(socket.AF_INET, socket.SOCK_STREAM)).close()


@pytest.mark.usefixtures("namespaces")
async def test_a_keeper_that_is_gone() -> None:
    async with open_host() as host:
        os.kill(host.pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(TrioechoError, match="has ended"):
                await host.socket(socket.AF_INET, socket.SOCK_STREAM)


@pytest.mark.usefixtures("namespaces")
async def test_a_block_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with nothing_left(monkeypatch), pytest.raises(ZeroDivisionError):
        async with open_host():
            raise ZeroDivisionError


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("moment", range(12))
async def test_cancelled_at_any_moment(moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with nothing_left(monkeypatch):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_after, moment, nursery.cancel_scope)
            async with open_host() as host:
                (await host.socket(socket.AF_INET, socket.SOCK_STREAM)).close()
                await trio.sleep_forever()


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("moment", range(6))
async def test_a_request_that_was_cancelled_does_not_answer_the_next(
    moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nothing_left(monkeypatch):
        async with open_host() as host:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cancel_after, moment, nursery.cancel_scope)
                (await host.socket(socket.AF_INET, socket.SOCK_STREAM)).close()
            with await host.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
                domain = made.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN)
                assert domain == socket.AF_INET6


async def cancel_after(moment: int, scope: trio.CancelScope) -> None:
    for _ in range(moment):
        await trio.lowlevel.checkpoint()
    scope.cancel()


@pytest.mark.usefixtures("namespaces")
async def test_ctrl_c_leaves_the_keeper_to_its_parent() -> None:
    async with open_host() as host:
        assert os.getpgid(host.pid) != os.getpgrp()
        os.kill(host.pid, signal.SIGINT)
        (await host.socket(socket.AF_INET, socket.SOCK_STREAM)).close()


@pytest.mark.usefixtures("namespaces")
async def test_the_keeper_ends_when_its_parent_is_killed() -> None:
    source = dedent("""
        import trio
        from trioecho.hosts.host import open_host

        async def main():
            async with open_host() as host:
                print(host.pid, flush=True)
                await trio.sleep_forever()

        trio.run(main)
    """)
    parent = await trio.lowlevel.open_process(
        [sys.executable, "-c", source], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    async with parent.stdout:
        keeper = os.pidfd_open(int(await parent.stdout.receive_some()))
        try:
            parent.kill()
            await parent.wait()
            with trio.fail_after(30):
                await trio.lowlevel.wait_readable(keeper)
        finally:
            os.close(keeper)


@pytest.mark.usefixtures("namespaces")
def test_as_a_user_without_capabilities() -> None:
    done = script(HELLO, *without_capabilities())
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("kind", ["user", "net"])
def test_no_namespaces_left(kind: str) -> None:
    setting = f"/proc/sys/user/max_{kind}_namespaces"
    before = [need_tool("unshare"), "-Ur", "sh", "-c", f'echo 0 > {setting}; exec "$@"', "sh"]
    done = script(HELLO, *before)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No private network namespace: ")
    assert f"user.max_{kind}_namespaces is 0" in done.stdout
    assert f"sudo sysctl user.max_{kind}_namespaces=15000" in done.stdout


async def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NamespaceUnavailable, match="only on Linux"):
        async with open_host():
            raise AssertionError
