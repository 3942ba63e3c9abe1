"""The plugin in other people's test suites: each test here runs a pytest of its own."""

from __future__ import annotations

import os
import select
import signal
import subprocess

import pytest
from needs import need_tool
from suite import ASYNCIO as WITH_ASYNCIO
from suite import PLAIN, PYTEST, WITHOUT, run_suite

from trioecho.view import read

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("wires")

BLOCKING = """
    def test_blocking(wire):
        listener = wire.server.listen(7)
        client = wire.client.connect((wire.server.address, 7))
        peer, _ = listener.accept()
        client.sendall(b"hello")
        assert peer.recv(5) == b"hello"
        client.close()
        peer.close()
        wire.settle()
        assert wire.connection().closed_by == "fin"
"""
TRIO = """
    import pytest, trio

    @pytest.mark.trio
    async def test_trio(wire, autojump_clock):
        listener = trio.socket.from_stdlib_socket(wire.server.listen(7))
        client = trio.SocketStream(trio.socket.from_stdlib_socket(wire.client.socket()))
        await client.socket.connect((wire.server.address, 7))
        peer, _ = await listener.accept()
        await client.send_all(b"hello")
        assert await peer.recv(5) == b"hello"
        await client.aclose()
        peer.close()
        await trio.to_thread.run_sync(wire.settle)
        assert wire.connection().closed_by == "fin"
"""
ASYNCIO = """
    import asyncio, pytest

    async def answer(reader, writer):
        writer.write(await reader.readexactly(5))
        writer.close()
        await writer.wait_closed()

    @pytest.mark.asyncio
    async def test_asyncio(wire):
        with wire.server.inside():
            server = await asyncio.start_server(answer, wire.server.address, 7)
        with wire.client.inside():
            reader, writer = await asyncio.open_connection(wire.server.address, 7)
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
        server.close()
        await asyncio.to_thread(wire.settle)
        assert wire.connection().closed_by == "fin"
"""
ANYIO = """
    import anyio, pytest

    @pytest.mark.anyio
    @pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
    async def test_anyio(wire):
        with wire.server.inside():
            listener = await anyio.create_tcp_listener(local_host=wire.server.address)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)

        async def answer(stream):
            async with stream:
                await stream.send(await stream.receive())

        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, answer)
            with wire.client.inside():
                stream = await anyio.connect_tcp(wire.server.address, port)
            async with stream:
                await stream.send(b"hello")
                assert await stream.receive() == b"hello"
                with pytest.raises(anyio.EndOfStream):
                    await stream.receive()
            await anyio.to_thread.run_sync(wire.settle)
            group.cancel_scope.cancel()
        await listener.aclose()
        assert wire.connection().closed_by == "fin"
"""
PROGRAMS = """
    import subprocess, sys

    def python(source):
        return [sys.executable, "-c", source]

    def test_programs(wire):
        server = wire.server.popen(python(
            "import socket; s = socket.create_server(('', 7)); c, _ = s.accept();"
            "print(c.recv(5)); c.close(); s.close()"
        ), stdout=subprocess.PIPE)
        wire.server.wait_listening(7)
        wire.client.run(python(
            "import socket; s = socket.create_connection(('10.0.0.2', 7)); s.sendall(b'hello');"
            "s.recv(1); s.close()"
        ), check=True)
        assert server.stdout.read() == b"b'hello'\\n"
        wire.settle()
        assert wire.connection().closed_by == "fin"
"""


def test_all_kinds_of_tests_side_by_side(pytester: pytest.Pytester) -> None:
    """Each worker has its own wires, with the same addresses and the same ports."""
    pytester.makepyfile(
        test_blocking=BLOCKING,
        test_trio=TRIO,
        test_asyncio=ASYNCIO,
        test_anyio=ANYIO,
        test_programs=PROGRAMS,
        test_more=BLOCKING,
    )
    run_suite(pytester, "-n", "2", plugins=WITH_ASYNCIO).assert_outcomes(passed=7)


FAILING = """
    import pytest, socket

    def connect(wire):
        wire.server.listen(7)
        return wire.client.connect((wire.server.address, 7))

    def test_plain_assert(wire):
        wire.fault("drop client data 7")
        connect(wire).sendall(b"hello")
        assert wire.connection().retransmissions == 3

    def test_match(wire):
        connect(wire)
        wire.match('''
            > S  0:0(0)
            < R. 0:0(0)
        ''')

    @pytest.mark.trio
    async def test_trio(wire):
        connect(wire)
        assert wire.connection().client_bytes == 9

    @pytest.fixture
    def broken(wire):
        connect(wire)
        raise LookupError

    def test_setup(broken): ...

    @pytest.fixture
    def careless(wire):
        yield
        raise LookupError

    def test_teardown(wire, careless):
        connect(wire)

    def test_passing(wire):
        connect(wire)

    def test_skipped(wire):
        connect(wire)
        pytest.skip("for no reason")

    def test_strict(wire):
        wire.strict()
        wire.fault("drop client data 7")
        connect(wire).sendall(b"hello")

    def test_strict_and_matched(wire):
        wire.strict()
        wire.fault("delay client data 1ms")
        connect(wire).sendall(b"hello")

    @pytest.mark.trio
    async def test_strict_but_failed_before(wire):
        wire.strict()
        wire.fault("drop fin")
        raise LookupError

    def test_fault(wire):
        wire.fault("break syn")

    def test_settle(wire):
        connect(wire)
        wire.settle(0)

    def test_sysctl(wire):
        wire.client.sysctl("no.such")

    @pytest.mark.parametrize("text", ["a/b", "a b", "<&\\x1b"])
    def test_of_a_name(wire, text):
        wire.fault("drop client data")
        connect(wire).sendall(b"hello")
        assert text == "</pre>"
"""


@pytest.mark.parametrize(
    "options", [("--wire-artefacts", "kept"), ("-n", "2")], ids=["alone", "xdist"]
)
def test_a_failure_shows_and_keeps_the_ladder(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    pytester.makeini("[pytest]\nwire_artefacts = kept")
    pytester.makepyfile(test_it=FAILING)
    result = run_suite(pytester, "-rA", "--tb=short", *options)
    result.assert_outcomes(passed=3, failed=11, errors=2, skipped=1)
    text = result.stdout.str()
    assert text.count("── SYN seq 0 win ") == 10
    for when, count in ("call", 11), ("setup", 1), ("teardown", 1):
        assert text.count(f" Captured wire {when} ") == count
    result.stdout.fnmatch_lines(
        [
            "E *assert 0 == 3",
            "E * where 0 = <connection 1: 10.0.0.1:* ESTABLISHED to 10.0.0.2:7 ESTABLISHED;"
            " handshake complete; not closed; client 5 bytes, server 0 bytes; 0 retransmissions;"
            " 0 resets>.retransmissions",
            "private wire; drop client data 7",
            "*3 of 3: both ends know; the handshake took *",
            "! 'drop client data 7' never matched: the client sent 1 segment of data",
        ],
    )
    result.stdout.fnmatch_lines(
        [
            "E *AssertionError: The wire carried other segments (+) than expected (-):",
            "E  *  > S 0:0(0)",
            "E  *- < R. 0:0(0)",
            "E  *+ < S. 0:0(0)",
        ],
    )
    unmatched = "'drop client data 7' never matched: the client sent 1 segment of data"
    result.stdout.fnmatch_lines([f"The wire is strict, and {unmatched}"])
    for frame in ("portal.py", "testing/wire.py", "testing/host.py", "keeper"):
        assert frame not in text, frame

    kept = sorted(path.name for path in (pytester.path / "kept").iterdir())
    assert len(kept) == 2 * 13
    path, other = (pytester.path / "kept").glob("test_it.py_test_of_a_name_a_b*.pcapng")
    assert path != other
    (connection,) = read(path)
    assert [rung.fault for rung in connection.lost] == ["drop client data"]
    ladder = path.with_suffix(".txt").read_text("utf-8")
    assert ladder.startswith("private wire; drop client data\n")
    assert "lost on the wire (drop client data)" in ladder

    summary = (pytester.path / "summary.md").read_text("utf-8")
    assert summary.count("<details>") == summary.count("\n</pre>\n\n</details>\n") == 13
    assert "<summary>The wire of test_it.py::test_of_a_name[&lt;&amp;" in summary


def test_the_debugger_shows_the_ladder_before_its_prompt(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def connect(wire):
            wire.server.listen(7)
            wire.client.connect((wire.server.address, 7))

        def test_broken(wire):
            connect(wire)
            assert False

        def test_stopped(wire):
            connect(wire)
            breakpoint()

        def test_stopped_elsewhere():
            breakpoint()
    """,
        **WITHOUT,
    )
    result = pytester.run(*PYTEST, *PLAIN, "--pdb", stdin=b"c\nc\nc\n")
    result.assert_outcomes(passed=2, failed=1)
    broken, stopped, elsewhere, _ = result.stdout.str().split("(Pdb)")
    assert broken.count("── SYN seq 0 win ") == stopped.count("── SYN seq 0 win ") == 1
    assert "private wire" not in elsewhere


def test_where_there_is_no_wire(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("required", ["", "all"])
        def test_it(request, monkeypatch, required):
            monkeypatch.setenv("TRIOECHO_REQUIRE", required)
            request.getfixturevalue("wire")
    """)
    hide = 'mount -t tmpfs none /dev/net; exec "$@"'
    before = (need_tool("unshare"), "-Urm", "sh", "-c", hide, "sh")
    result = run_suite(pytester, "-rs", before=before)
    result.assert_outcomes(skipped=1, failed=1)
    result.stdout.fnmatch_lines(["TRIOECHO_REQUIRE=all, but No private wire: *"])
    result.stdout.fnmatch_lines(["SKIPPED*No private wire: there is no /dev/net/tun.*modprobe*"])


def test_it_costs_nothing_until_it_is_asked_for(pytester: pytest.Pytester) -> None:
    """pytest-trio imports trio for its own sake, so it is left out."""
    pytester.makeconftest("""
        import sys

        def pytest_sessionfinish():
            names = {name for name in sys.modules if name.startswith("trioecho")}
            print("LOADED", *sorted(names | sys.modules.keys() & {"trio", "scapy", "msgspec"}))
    """)
    pytester.makepyfile("def test_nothing(): ...")
    result = run_suite(pytester, "-s", "-p", "no:trio")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*LOADED trioecho trioecho.pytest_plugin"])
    for option, line in ("--markers", "@pytest.mark.wire(?faults):*"), ("--fixtures", "wire -- *"):
        pytester.runpytest_inprocess(option, "-p", "no:cacheprovider", *PLAIN).stdout.fnmatch_lines(
            [line]
        )


def test_nothing_is_left_behind(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import os, socket, subprocess, sys, threading
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def nothing_is_left():
            # What is loaded and started once in a process is no trace of a wire.
            import trio
            from trioecho.hosts import sockdiag as diag
            from trioecho import testing

            before = set(os.listdir("/proc/self/fd"))
            yield
            assert set(os.listdir("/proc/self/fd")) == before
            threads = [one.name for one in threading.enumerate()]
            assert not [name for name in threads if "wire" in name], threads
            with pytest.raises(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
            assert socket.socket.__init__.__module__ == "socket"

        @pytest.mark.parametrize("end", ["pass", "fail", "skip", "exit"])
        def test_use(wire, end):
            listener = wire.server.listen(7)
            client = wire.client.connect((wire.server.address, 7))
            listener.accept()[0].close()
            wire.server.popen(["sleep", "1000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            wire.server.popen(["sh", "-c", "setsid sleep 1000 & sleep 1000"]).stdin
            with wire.client.inside():
                if end == "skip":
                    pytest.skip("so")
                if end == "exit":
                    sys.exit("so")
                assert end == "pass"
    """)
    result = run_suite(pytester)
    result.assert_outcomes(passed=1, failed=2, skipped=1, errors=0)


WAITING = """
    import pytest, trio

    def prepare(wire):
        listener = wire.server.listen(7)
        client = wire.client.connect((wire.server.address, 7))
        program = wire.server.popen(["sleep", "1000"])
        keeper = wire.client._host.pid
        print("READY", program.pid, keeper, flush=True)
        return listener

    def test_accept(wire):
        listener = prepare(wire)
        with listener.accept()[0]:
            listener.accept()

    def test_settle(wire):
        prepare(wire)
        wire.settle(1000)

    @pytest.mark.trio
    async def test_trio(wire):
        prepare(wire)
        await trio.sleep_forever()
"""


@pytest.mark.parametrize("name", ["accept", "settle", "trio"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_interrupted(pytester: pytest.Pytester, name: str, sent: signal.Signals) -> None:
    path = pytester.makepyfile(WAITING, **WITHOUT)
    command = [*PYTEST, *PLAIN, "-s", "-q", f"{path}::test_{name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        words: list[str] = []
        while words[:1] != ["READY"]:
            line = process.stdout.readline()
            assert line, "it ended before"
            words = line.split()
        left = [os.pidfd_open(int(pid)) for pid in words[1:]]
        process.send_signal(sent)
        text = process.stdout.read()
        ended = process.wait()
    if sent == signal.SIGKILL:
        assert ended == -sent
    elif name == "trio":  # pytest-trio has the interrupt in a group, which is taken for a failure
        assert ended in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    else:
        assert ended == pytest.ExitCode.INTERRUPTED
    assert ("KeyboardInterrupt" in text) == (sent == signal.SIGINT)
    for one in left:
        assert select.select([one], [], [], 30)[0], "a process was left behind"
        os.close(one)
