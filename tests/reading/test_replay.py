"""A ladder of a wire, written as pcapng and read back: it is the ladder written."""

# covers: render/pcapng

from __future__ import annotations

import io
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from broken import echo, play_all
from captures import Blocks, read
from edits import edited, edits
from frames import fragments, frames, tcp
from hypothesis import given, settings
from hypothesis import strategies as st
from ladders import HANDSHAKE, OPEN
from msgspec.structs import replace
from needs import need_tool
from wrapped import aggregate, ip4

from trioecho.capture.files import CaptureFile
from trioecho.errors import TrioechoError
from trioecho.model import SYN, CaptureSummary, Frame, Rung, Summary, Way
from trioecho.model.way import TOLD
from trioecho.reading import replay
from trioecho.reading.reading import Reading
from trioecho.render import FORMATS, Setting
from trioecho.stage.journal import Journal
from trioecho.stage.wire import open_wire
from trioecho.tcp.rules.resets import ProgramStopped
from trioecho.trace import TraceSettings, trace_echo

ECN = (("net.ipv4.tcp_ecn", "1"),)


def written(rungs: Sequence[Rung]) -> bytes:
    renderer = FORMATS["pcapng"](Setting("a wire", interfaces=("wire",)))
    end = renderer.end(Summary((), CaptureSummary("wire", len(rungs), 0)))
    return renderer.begin() + renderer.show(rungs) + end


def read_back(data: bytes) -> list[Rung]:
    with CaptureFile(io.BytesIO(data), "it") as file:
        rungs = list(Reading().through(file))
        assert file.trouble is None
    return rungs


def plain(rungs: Sequence[Rung]) -> list[Rung]:
    """Without what only one side has: the ways in the frames, and what the kernels said."""
    return [
        replace(
            rung,
            segment=replace(
                rung.segment,
                frame=replace(rung.segment.frame, way=None),
                earlier=tuple(replace(one, number=0) for one in rung.segment.earlier),
            ),
            client_kernel=None,
            server_kernel=None,
        )
        for rung in rungs
    ]


def check(rungs: Sequence[Rung]) -> None:
    again = read_back(written(rungs))
    assert plain(again) == plain(rungs)
    said = [[note.text(rung) for note in rung.notes] for rung in rungs]
    assert [[note.text(rung) for note in rung.notes] for rung in again] == said
    assert written(again) == written(rungs)


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize(
    "faults",
    [
        ["drop client data 1 twice"],
        ["drop server ack 1-4"],
        ["drop syn-ack", "drop client fin"],
        ["duplicate client data 1-3", "duplicate syn"],
        ["duplicate server ack all"],
        ["delay server ack 1-2 300ms"],
        ["corrupt client data 2", "corrupt server ack 1"],
        ["reorder client data 2 3"],
        ["cut for 300ms after client data 2"],
        ["inject rst to both offset 1000 after data 3"],
        ["inject syn after client data 2"],
        ["mtu 576", "loss 5% seed 3"],
        ["delay 20ms", "rate 5mbit", "queue 3"],
        ["path mtu 700"],
        ["police client 1mbit burst 4kB", "delay client 1ms"],
        ["duplicate 30% seed 3", "reorder client 30% by 2ms seed 3", "delay 1ms jitter 1ms"],
        ["strip sackok", "strip server timestamps", "clamp mss 1200", "duplicate syn"],
        ["mark client data all", "delay client data 1 5ms"],
        ["cut for 100ms at 3ms", "delay 5ms"],
        ["rate client 2mbit", "queue 1000 codel", "delay client 1ms"],
    ],
    ids=", ".join,
)
async def test_what_is_read_back_is_what_was_written(faults: list[str]) -> None:
    settings = TraceSettings(size=6_000, message=b"x" * 6_000, faults=tuple(faults), sysctl=ECN)
    ladder = await trace_echo(settings)
    assert ladder.rungs
    check(ladder.rungs)


@pytest.mark.usefixtures("wires")
async def test_that_we_stopped_a_program_is_read_back() -> None:
    ladder = await trace_echo(TraceSettings(faults=("drop client fin always",), grace=0))
    last = ladder.rungs[-1]
    assert (last.sender, last.notes) == ("server", (ProgramStopped(),))
    check(ladder.rungs)


@pytest.mark.usefixtures("wires")
def test_what_happens_by_chance_is_read_back() -> None:
    for rungs in trio.run(play_all, range(100, 112)).values():
        check(rungs)


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize(
    ("faults", "size", "lost"),
    [
        (
            ["delay client data 300ms", "forget after 100ms idle rst"],
            100,
            "forget after 100ms idle rst",
        ),
        (["rate client 5mbit", "queue 1000 codel"], 400_000, "queue 1000 codel"),
    ],
)
async def test_what_a_middlebox_loses_is_read_back(faults: list[str], size: int, lost: str) -> None:
    """A NAT that forgets ends the connection; a queue drops only where much has waited for long."""
    journal = Journal()
    async with open_wire(faults) as wire:
        wire.observers.append(journal)
        with suppress(ExceptionGroup):
            await echo(wire, size)
        while not journal.over():
            await journal.change()
    journal.finish()
    rungs = [event for event in journal.ready() if isinstance(event, Rung)]
    assert lost in {rung.fault for rung in rungs if rung.lost}
    check(rungs)


@pytest.mark.usefixtures("wires")
async def test_all_fragments_are_written_and_put_together_again() -> None:
    packet = tcp("client", SYN, 1, payload=b"x" * 100)
    async with open_wire(["drop syn-ack"]) as wire:
        journal = Journal()
        wire.observers.append(journal)
        with await wire.client.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for piece in fragments(packet):
                raw.sendto(piece, (wire.server.address, 0))
                wire.drain()
    journal.finish()
    rungs = [event for event in journal.ready() if isinstance(event, Rung)]
    first = rungs[0]
    assert (first.number, first.segment.frame.number, len(first.segment.earlier)) == (2, 2, 1)
    frames_read, _ = read(io.BytesIO(written(rungs)))
    assert len(frames_read) == len(rungs) + 1
    check(rungs)


def test_fragments_of_a_capture_are_all_written() -> None:
    pieces = fragments(tcp("client", SYN, 1, payload=b"x" * 100))
    found = Reading().rungs([Frame(n, n, data, 101, len(data)) for n, data in enumerate(pieces, 1)])
    assert len(found) == 1
    again = read_back(written(found))
    assert [(one.number, one.segment.payload) for one in again] == [(2, b"x" * 100)]


def test_a_frame_with_two_segments_is_written_once() -> None:
    data = aggregate(ip4(port=1000), ip4(port=1001))
    found = Reading().rungs([Frame(1, 1, data, 105, len(data))])
    assert len(found) == 2
    assert len(read(io.BytesIO(written(found)))[0]) == 1
    assert len(read_back(written(found))) == 2


@pytest.mark.usefixtures("wires")
async def test_what_was_still_under_way_when_it_ended() -> None:
    async with open_wire(["delay 20s"]) as wire:
        journal = Journal()
        wire.observers.append(journal)
        with trio.socket.from_stdlib_socket(await wire.client.socket(2, 1)) as client:
            with trio.move_on_after(0.05):
                await client.connect((wire.server.address, 7))
    journal.finish()
    rungs = [event for event in journal.ready() if isinstance(event, Rung)]
    assert [(rung.on_wire, rung.lost, rung.arrived) for rung in rungs] == [(True, False, None)]
    check(rungs)


@pytest.mark.usefixtures("wires")
def test_other_programs_keep_it(tmp_path: Path) -> None:
    """editcap and mergecap copy comments and the description of an interface."""
    faults = ("drop client data 1", "duplicate server data 1")
    rungs = trio.run(trace_echo, TraceSettings(faults=faults)).rungs
    path, copy = str(tmp_path / "a.pcapng"), tmp_path / "b.pcapng"
    Path(path).write_bytes(written(rungs))
    editcap, mergecap = need_tool("editcap"), need_tool("mergecap")
    for command in ([editcap, path, str(copy)], [mergecap, "-w", str(copy), path]):
        subprocess.run(command, check=True, capture_output=True)
        again = read_back(copy.read_bytes())
        assert [(one.lost, one.kind) for one in again] == [(one.lost, one.kind) for one in rungs]
    command = [need_tool("tshark"), "-r", path, "-T", "fields", "-e", "frame.comment"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert 'trioecho-way: {"fault":"drop client data 1","lost":true}' in done.stdout
    assert "lost on the wire (drop client data 1)" in done.stdout


# ---- what an enemy may write ---------------------------------------------------------------------


def told(ways: Sequence[tuple[str, ...]], *, description: str = TOLD, ladder: str = OPEN) -> bytes:
    """A ladder's frames, with comments."""
    blocks = Blocks()
    data = blocks.section() + blocks.interface((3, description.encode()), link=101)
    for number, (_, frame) in enumerate(frames(ladder)):
        comments = [(1, text.encode()) for text in (ways[number] if number < len(ways) else ())]
        time = frame.time // 1_000
        data += blocks.packet(time, frame.data, *comments)
    return data


def test_a_comment_that_is_not_ours_makes_a_frame_like_any_other() -> None:
    ways = (('trioecho-way: {"lost":true,"took":1}',), ("", "lost on the wire"), ())
    assert [rung.on_wire for rung in read_back(told(ways))] == [False] * 3


def test_comments_of_another_interface_say_nothing() -> None:
    ways = ((Way(lost=True).text(),),) * 3
    assert [rung.lost for rung in read_back(told(ways))] == [True] * 3
    assert [rung.lost for rung in read_back(told(ways, description="eth0"))] == [False] * 3


def test_no_more_wait_than_a_wire_lets_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MOST_WAITING", 2)
    ways = ((Way(took=1 << 50).text(),), *((Way(took=1).text(),),) * 5)
    ladder = HANDSHAKE + "+.1 > P. 1:6(5) ack 1\n+.1 < . 1:1(0) ack 6\n"
    rungs = read_back(told(ways, ladder=ladder))
    assert [rung.number for rung in rungs] == [1, 2, 3, 4, 5]
    assert [rung.arrived is None for rung in rungs] == [True, False, False, False, False]


texts = st.builds(
    Way,
    kind=st.sampled_from(["original", "copy", "injected"]),
    fault=st.sampled_from(["", "drop syn"]),
    lost=st.booleans(),
    took=st.none() | st.integers(0, 10**10),
).map(lambda way: (way.text(),))


@settings(max_examples=200, deadline=None)
@given(st.lists(texts | st.just(()), max_size=12), st.data())
def test_any_ways_are_played(ways: list[tuple[str, ...]], chance: st.DataObject) -> None:
    ladder = OPEN + chance.draw(st.sampled_from(LADDERS))
    rungs = read_back(told(ways, ladder=ladder))
    assert [rung.number for rung in rungs] == list(range(1, len(rungs) + 1))
    for rung in rungs:
        assert all(note.text(rung) for note in rung.notes)


LADDERS = [
    """
    +.1   > P. 1:101(100) ack 1
    +.21  > P. 1:101(100) ack 1
    +.1   < .  1:1(0) ack 101
    +.42  > P. 1:101(100) ack 1
    +.1   > F. 101:101(0) ack 1
    +.01  < F. 1:1(0) ack 102
    +.01  > .  102:102(0) ack 2
    """,
    """
    +.1   > R. 1:1(0) ack 1
    +.1   > S  0:0(0)
    +.1   < S. 0:0(0) ack 1
    +.1   < .  1:1(0) ack 1
    +.1   < .  1:1(0) ack 1
    """,
]


@settings(max_examples=200, deadline=None)
@given(edits)
def test_any_edit_of_such_a_file(changes: list[tuple[str, int, bytes]]) -> None:
    ways = ((Way(took=1_000).text(),), (Way(lost=True).text(),), (Way("copy", took=5).text(),))
    data = edited(told(ways, ladder=OPEN + LADDERS[0]), changes)
    try:
        file = CaptureFile(io.BytesIO(data), "it")
    except TrioechoError:
        return
    with file:
        list(Reading().through(file))
