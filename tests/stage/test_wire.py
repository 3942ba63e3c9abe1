# covers: hosts/devices, packet/decoder

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from textwrap import dedent

import frames
import pytest
import trio
from frames import REPETITIONS
from needs import need_tool, without_capabilities
from wiring import script

from trioecho.errors import TrioechoError
from trioecho.hosts.line import Keeper
from trioecho.hosts.refusal import NamespaceUnavailable
from trioecho.model import ECE, ENDS, PSH, RST, SYN, Rung
from trioecho.stage.journal import Journal
from trioecho.stage.wire import Passage, PrivateWire, open_wire

pytestmark = pytest.mark.usefixtures("wires")


class Diary:
    """What an observer is told, word by word."""

    full = False

    async def room(self) -> None:
        raise AssertionError("it is never full")

    def __init__(self) -> None:
        self.sent_: list[Passage] = []
        self.done_: list[Passage] = []

    def sent(self, passage: Passage) -> None:
        assert passage.arrived is None
        assert not passage.lost
        self.sent_.append(passage)

    def done(self, passage: Passage) -> None:
        assert (passage.arrived is None) is passage.lost
        self.done_.append(passage)


async def exchange(wire: PrivateWire, size: int = 100, family: int = socket.AF_INET) -> None:
    """A client sends so many bytes, and closes; the server reads them all, and closes."""
    place = wire.server.address if family == socket.AF_INET else wire.server.address6
    with (
        trio.socket.from_stdlib_socket(await wire.server.socket(family, 1)) as listener,
        trio.socket.from_stdlib_socket(await wire.client.socket(family, 1)) as client,
    ):
        await listener.bind((place, 7))
        listener.listen(1)
        await client.connect((place, 7))
        connection, peer = await listener.accept()
        assert peer[0] == (wire.client.address if family == 2 else wire.client.address6)
        with connection:

            async def send() -> None:
                stream = trio.SocketStream(client)
                await stream.send_all(b"x" * size)
                await stream.aclose()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(send)
                got = 0
                while data := await connection.recv(65536):
                    got += len(data)
            assert got == size


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_it_carries_tcp_and_tells_each_segment(family: socket.AddressFamily) -> None:
    async with open_wire() as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, 100_000, family)
    # A busy machine may make a kernel send something again; each byte counts once.
    isn = diary.sent_[0].segment.seq
    data = [p.segment for p in diary.sent_ if p.end == "client" and p.segment.length]
    assert max((one.seq + one.length - isn) % (1 << 32) for one in data) == 100_001
    assert {p.end for p in diary.sent_} == {"client", "server"}
    times = [passage.frame.time for passage in diary.sent_]
    assert times == sorted(set(times))
    assert [p.frame.number for p in diary.sent_] == list(range(1, len(times) + 1))
    assert all(p.arrived is not None and p.arrived > p.frame.time for p in diary.done_)
    assert not any(passage.segment.checksum_unfilled for passage in diary.sent_)


@pytest.mark.parametrize("size", [576, 1500, 9000])
async def test_no_packet_is_longer_than_the_mtu(size: int) -> None:
    async with open_wire([f"mtu {size}"]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, 50_000)
    assert max(p.frame.length for p in diary.sent_) == size
    assert diary.sent_[0].segment.options.mss == size - 40


async def test_what_is_dropped_never_arrives_and_the_kernel_sends_it_again() -> None:
    async with open_wire(["drop client data 1"]) as wire:
        journal = Journal()
        wire.observers.append(journal)
        await exchange(wire)
        assert not wire.unmatched()
    rungs = [event for event in journal.ready() if isinstance(event, Rung)]
    first, again = (rung for rung in rungs if rung.segment.length)
    assert first.lost
    assert first.fault == "drop client data 1"
    assert not again.lost
    assert [note.of for note in again.notes if isinstance(note, REPETITIONS)] == [first.number]


@pytest.mark.parametrize(
    ("fault", "length"),
    [("drop client byte 4000", 1448), ('drop client data containing "xxxx"', 1448)],
)
async def test_what_holds_a_byte_or_a_text_is_dropped(fault: str, length: int) -> None:
    async with open_wire([fault]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, 5000)
        assert not wire.unmatched()
    isn = diary.sent_[0].segment.seq
    (lost,) = (passage.segment for passage in diary.sent_ if passage.lost)
    first = lost.seq - isn & 0xFFFFFFFF
    assert lost.length == length
    assert first <= (4000 if "byte" in fault else 1) < first + length


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_what_the_wire_changes_is_taken_by_the_kernel(family: socket.AddressFamily) -> None:
    faults = ["strip sackok", "strip wscale", "clamp mss 1200", "mark client data all"]
    async with open_wire(faults) as wire:
        for host in (wire.client, wire.server):
            await host.sysctl("net.ipv4.tcp_ecn", 1)
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, 20_000, family)
        assert not wire.unmatched()
    opens, agrees = diary.sent_[0], diary.sent_[1]
    assert opens.edited == f"sackOK stripped, wscale stripped, {CLAMPED[family]}"
    assert agrees.edited == CLAMPED[family]  # the server offers what it was offered
    assert opens.segment.options.mss == agrees.segment.options.mss == 1200
    # One right checksum in 65,536 is also that of a segment whose device has yet to fill it in.
    assert all(one.segment.sound() is not False for one in diary.sent_)
    data = [one.segment for one in diary.sent_ if one.segment.length]
    assert max(one.length for one in data) <= 1200
    assert {one.ecn for one in data} == {3}
    assert any(one.segment.flags & ECE for one in diary.sent_[2:] if one.end == "server")


CLAMPED = {
    socket.AF_INET: "mss lowered from 1460 to 1200",
    socket.AF_INET6: "mss lowered from 1440 to 1200",
}


async def test_chance_doubles_and_reorders() -> None:
    reordered = "reorder client 50% by 1ms"
    async with open_wire(["duplicate 100%", reordered]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, 20_000)
        assert not wire.unmatched()
    kinds = [one.kind for one in diary.done_]
    assert kinds.count("copy") == kinds.count("original")
    words = {one.fault for one in diary.done_ if one.kind == "original" and one.end == "client"}
    assert words == {"duplicate 100%", f"duplicate 100%, {reordered}"}


async def test_a_cut_begins_at_its_time() -> None:
    """No two packets have the same time, so that the first alone passes."""
    with trio.CancelScope() as scope:
        async with open_wire(["cut at 0.001us"]) as wire:
            diary = Bomb(4, scope)
            wire.observers.append(diary)
            await exchange(wire)
    assert [(one.end, one.lost, one.fault) for one in diary.done_] == [
        ("client", False, ""),
        ("server", True, "cut at 0.001us"),
    ]


async def test_a_nat_that_forgot_resets_an_end() -> None:
    async with open_wire() as wire:
        diary = Diary()
        with (
            trio.socket.from_stdlib_socket(await wire.server.socket(2, 1)) as listener,
            trio.socket.from_stdlib_socket(await wire.client.socket(2, 1)) as client,
        ):
            await listener.bind((wire.server.address, 7))
            listener.listen(1)
            await client.connect((wire.server.address, 7))
            connection, _ = await listener.accept()
            with connection:
                wire.fault("forget after 0.001us idle rst")  # the next segment is the last to pass
                wire.observers.append(diary)
                await client.send(b"hello")
                assert await connection.recv(5) == b"hello"
                with pytest.raises(ConnectionResetError):
                    await connection.recv(1)
        assert not wire.unmatched()
    done = [(one.end, one.kind, one.lost) for one in diary.done_ if one.segment.flags & (RST | PSH)]
    assert done[:2] == [("client", "original", False), ("client", "injected", False)]


async def test_a_policer_drops_and_the_kernel_sends_less() -> None:
    async with open_wire(["police client 10mbit burst 8kB"]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, 30_000)
        assert not wire.unmatched()
    lost = [one for one in diary.done_ if one.lost]
    assert {(one.end, one.fault) for one in lost} == {("client", "police client 10mbit burst 8kB")}


@pytest.mark.parametrize(
    ("queue", "size"),
    [("queue 5", 100_000), ("queue 1000 codel", 400_000)],
    ids=["that is full", "that was too long"],
)
async def test_a_queue_drops(queue: str, size: int) -> None:
    async with open_wire(["rate client 5mbit", queue]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, size)
        assert not wire.unmatched()
    assert {(one.end, one.fault) for one in diary.done_ if one.lost} == {("client", queue)}


async def test_a_fault_may_be_added_later() -> None:
    async with open_wire() as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire)
        wire.fault("drop syn")
        wire.fault("drop client data 7")
        await exchange(wire)
        (sentence,) = wire.unmatched()
    assert sentence.startswith("'drop client data 7' never matched: the client sent 1 segment")
    assert [p.lost for p in diary.sent_ if p.segment.flags & SYN].count(True) == 1


async def test_a_delay_is_kept_both_ways() -> None:
    async with open_wire(["delay 20ms"]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire)
    ways = [p.arrived - p.frame.time for p in diary.done_ if p.arrived]
    assert min(ways) >= 20_000_000


@pytest.mark.parametrize("fault", ["delay client 20ms", "delay client 25ms jitter 5ms seed 7"])
async def test_one_direction_is_delayed(fault: str) -> None:
    async with open_wire([fault, "rate client 100mbit"]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire)
    ways = [p.arrived - p.frame.time for p in diary.done_ if p.arrived and p.end == "client"]
    assert min(ways) >= 20_000_000


@pytest.mark.parametrize("end", ["client", "server"])
async def test_one_direction_has_a_rate(end: str) -> None:
    """Packets of 52 bytes or more take 21 ms at least on that line; the other has none."""
    async with open_wire([f"rate {end} 20kbit"]) as wire:
        diary = Diary()
        wire.observers.append(diary)
        await exchange(wire, 300)
    ways = {
        one: [p.arrived - p.frame.time for p in diary.done_ if p.arrived and p.end == one]
        for one in ENDS
    }
    sent = [p for p in diary.done_ if p.end == end]
    slow, fast = (ways[one] for one in sorted(ENDS, key=lambda one: one != end))
    assert min(slow) >= 20_800_000 > min(fast)
    took = max(p.arrived or 0 for p in sent) - sent[0].frame.time
    assert took >= sum(len(p.frame.data) for p in sent) * 8 * 10**9 // 20_000


async def test_settings_are_the_hosts_own() -> None:
    name = "net.ipv4.tcp_syn_retries"
    async with open_wire() as wire:
        before = await wire.server.sysctl(name)
        assert await wire.client.sysctl(name, 2) == "2"
        assert await wire.client.sysctl("net.ipv4.tcp_rmem", "4096 8192 16384") == "4096 8192 16384"
        assert await wire.server.sysctl(name) == before
        for wrong in ("net.ipv4.tcp_nothing", "kernel.hostname", "net/ipv4", "net.ipv4", ""):
            with pytest.raises(TrioechoError):
                await wire.client.sysctl(wrong, 1)
        with pytest.raises(TrioechoError, match="Invalid argument"):
            await wire.client.sysctl(name, "many")


async def everything(program: trio.Process) -> bytes:
    """What a program says until it closes its output."""
    assert program.stdout is not None
    async with program.stdout:
        return b"".join([data async for data in program.stdout])


async def test_programs_run_on_a_host() -> None:
    async with open_wire() as wire:
        show = "import socket; s = socket.create_connection(('10.0.0.2', 9)); print(s.recv(9))"
        with trio.socket.from_stdlib_socket(await wire.server.socket(2, 1)) as listener:
            await listener.bind(("10.0.0.2", 9))
            listener.listen(1)
            program = await wire.client.run([sys.executable, "-c", show], stdout=subprocess.PIPE)
            connection, _ = await listener.accept()
            with connection:
                await connection.send(b"hello")
                assert await everything(program) == b"b'hello'\n"
                assert await program.wait() == 0


async def test_a_program_that_is_not_there() -> None:
    async with open_wire() as wire:
        with pytest.raises(TrioechoError, match="no program 'no-such-thing'"):
            await wire.client.run(["no-such-thing"])


async def test_programs_and_all_they_started_end_with_it() -> None:
    async with open_wire() as wire:
        shell = await wire.client.run(
            ["sh", "-c", "setsid sleep 1000 & echo $!; exec sleep 1000"], stdout=subprocess.PIPE
        )
        assert shell.stdout is not None
        async with shell.stdout:
            child = os.pidfd_open(int(await shell.stdout.receive_some()))
    with trio.fail_after(10):
        await trio.lowlevel.wait_readable(child)
        assert await shell.wait() == -signal.SIGKILL
    os.close(child)


async def test_nothing_is_left_when_the_parent_is_killed() -> None:
    source = dedent("""
        import subprocess, trio
        from trioecho.stage.wire import open_wire

        async def main():
            async with open_wire() as wire:
                program = await wire.server.run(["sleep", "1000"])
                print(wire.client.pid, program.pid, flush=True)
                await trio.sleep_forever()

        trio.run(main)
    """)
    parent = await trio.lowlevel.open_process(
        [sys.executable, "-c", source], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    async with parent.stdout:
        left = [os.pidfd_open(int(pid)) for pid in (await parent.stdout.receive_some()).split()]
        parent.kill()
        await parent.wait()
        with trio.fail_after(30):
            for one in left:
                await trio.lowlevel.wait_readable(one)
                os.close(one)


async def test_many_at_once() -> None:
    async def one() -> None:
        async with open_wire() as wire:
            await exchange(wire, 10_000)

    before = set(os.listdir("/proc/self/fd"))
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(one)
    assert set(os.listdir("/proc/self/fd")) == before


class Bomb(Diary):
    """Cancels a scope when so many things have been told."""

    def __init__(self, moment: int, scope: trio.CancelScope) -> None:
        super().__init__()
        self.left, self.scope = moment, scope

    def sent(self, passage: Passage) -> None:
        super().sent(passage)
        self.tick()

    def done(self, passage: Passage) -> None:
        super().done(passage)
        self.tick()

    def tick(self) -> None:
        self.left -= 1
        if not self.left:
            self.scope.cancel()


@pytest.mark.parametrize("moment", [1, 2, 3, 5, 8, 12])
async def test_cancelled_while_it_carries(moment: int) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with trio.CancelScope() as scope:
        async with open_wire() as wire:
            wire.observers.append(Bomb(moment, scope))
            await exchange(wire)
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("moment", range(1, 5))
async def test_cancelled_while_it_is_made(moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(os.listdir("/proc/self/fd"))
    asked, really_ask = 0, Keeper.ask
    with trio.CancelScope() as scope:

        async def ask(keeper: Keeper, verb: str, *words: int | str) -> tuple[str, list[int]]:
            nonlocal asked
            asked += 1
            if asked == moment:
                scope.cancel()
            return await really_ask(keeper, verb, *words)

        monkeypatch.setattr(Keeper, "ask", ask)
        async with open_wire() as wire:
            await exchange(wire)
            raise AssertionError("two devices and two sockets were asked for")
    assert scope.cancelled_caught
    assert set(os.listdir("/proc/self/fd")) == before


async def test_a_ladder_that_nobody_takes_holds_up_the_wire() -> None:
    """What is not taken off the wire waits in the kernels, and memory does not grow."""
    async with open_wire() as wire:
        journal = Journal(most=50)
        wire.observers.append(journal)
        with trio.move_on_after(0.3):
            await exchange(wire, 3_000_000)
            raise AssertionError("so much does not fit on the ladder")
        assert journal.full
        wire.observers.clear()


@pytest.mark.parametrize(("faults", "rungs"), [([], 1), (["loss 100% seed 1"], 0)])
async def test_a_segment_in_fragments_is_seen_when_all_of_them_pass(
    faults: list[str], rungs: int
) -> None:
    packet = frames.tcp("client", SYN, 1, payload=b"x" * 100)
    async with open_wire(faults) as wire:
        journal = Journal()
        wire.observers.append(journal)
        with await wire.client.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for piece in frames.fragments(packet):
                raw.sendto(piece, (wire.server.address, 0))
                wire.drain()
    journal.finish()
    seen = [one for one in journal.ready() if isinstance(one, Rung) and one.sender == "client"]
    assert [(one.segment.length, one.arrived is not None) for one in seen] == [(100, True)] * rungs


async def test_a_device_that_is_gone() -> None:
    ip = need_tool("ip")

    async def remove() -> None:
        async with open_wire() as wire:
            program = await wire.client.run([ip, "link", "delete", "wire"])
            with trio.CancelScope(shield=True):
                await program.wait()
            await trio.sleep_forever()

    with pytest.raises(TrioechoError, match="The device of the client's host is gone or down"):
        await remove()


async def test_an_error_inside_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_wire():
            raise ZeroDivisionError


async def test_a_fault_that_makes_no_sense_is_said_before_anything_starts() -> None:
    with pytest.raises(TrioechoError, match="'dorp'"):
        async with open_wire(["dorp syn"]):
            raise AssertionError


HELLO = dedent("""
    import trio
    from trioecho.hosts.refusal import NamespaceUnavailable
    from trioecho.stage.wire import open_wire

    async def main():
        try:
            async with open_wire() as wire:
                await wire.client.sysctl("net.ipv4.tcp_syn_retries", 1)
                program = await wire.client.run(["sh", "-c", "exit 3"])
                print("hello", await program.wait())
        except NamespaceUnavailable as error:
            print(error)

    trio.run(main)
""")


def test_as_a_user_without_capabilities() -> None:
    done = script(HELLO, *without_capabilities())
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello 3\n", "")


def test_without_a_tun_device() -> None:
    hide = 'mount -t tmpfs none /dev/net; exec "$@"'
    done = script(HELLO, need_tool("unshare"), "-Urm", "sh", "-c", hide, "sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No private wire: there is no /dev/net/tun. sudo modprobe tun")


async def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NamespaceUnavailable, match="only on Linux"):
        async with open_wire():
            raise AssertionError
