"""Lessons of a user's own: what is wrong with them is said in one sentence."""

# covers: lessons/agreement, lessons/company, lessons/player

from __future__ import annotations

from pathlib import Path

import pytest
from own_lessons import CLIENT, SERVER, lesson

from trioecho.errors import TrioechoError
from trioecho.lessons.lesson import read
from trioecho.lessons.performance import perform_lesson
from trioecho.lessons.shelf import FOLDER, find, names


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), "'mine', it has no steps"),
        (("title = 1",), "is not a lesson: .*overwrite"),
        (("colour = 'red'", CLIENT), "unknown field `colour`"),
        (("takes = 'long'", CLIENT), r"Expected `float`, got `str` - at `\$.takes`"),
        (("takes = -1.0", CLIENT), "'mine', takes is -1; it must be at least 0 s"),
        (("takes = nan", CLIENT), "takes is nan"),
        (("takes = 3600", CLIENT), "less than an hour"),
        (("number = " + "9" * 5000, CLIENT), "is not a lesson: .*digits"),
        (("deep = " + "[" * 100_000, CLIENT), "is not a lesson: it nests too deep"),
        (("place = 'moon'", CLIENT), r"Invalid enum value 'moon' - at `\$.place`"),
        (("faults = ['dorp syn']", CLIENT), "'mine', the fault 'dorp syn': .*'dorp'"),
        (("faults = ['queue 2']", CLIENT), "needs a rate"),
        (("place = 'loopback'", "faults = ['drop syn']", CLIENT), "a loopback can have none"),
        (("[[client]]\nsteps = ['conect']",), "'mine', the step 'conect': word 1, 'conect'"),
        (("[[server]]\nsteps = ['accept']",), "step 'accept' needs a listening socket"),
        (
            ("[[server]]\nsteps = ['listen', 'stop listening', 'accept']",),
            "needs a listening socket",
        ),
        (("[[client]]\nsteps = ['meet me']", SERVER), "one party alone has the step 'meet me'"),
        (("[[client]",), "is not a lesson"),
    ],
)
def test_what_is_not_valid(parts: tuple[str, ...], words: str, tmp_path: Path) -> None:
    with pytest.raises(TrioechoError, match=words):
        read(lesson(tmp_path, *parts))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TrioechoError, match="No such file"):
        read(tmp_path / "none.toml")
    with pytest.raises(TrioechoError, match="Is a directory"):
        read(tmp_path)
    (tmp_path / "large.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(TrioechoError, match="too large"):
        read(tmp_path / "large.toml")
    (tmp_path / "latin.toml").write_bytes(b"title = '\xe4'")
    with pytest.raises(TrioechoError, match="is not a lesson"):
        read(tmp_path / "latin.toml")


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("'connect fails ECONNREFUSED', 'close'", "'connect fails ECONNREFUSED' did not fail"),
        ("'connect 9', 'close'", "The client's step 'connect 9' failed: Connection refused"),
        ("'connect 9 fails EPIPE'", "failed with ECONNREFUSED, not EPIPE: Connection refused"),
        ("'send 16'", "'send 16' needs a connection, and there is none"),
        ("'connect', 'close', 'close'", "'close' needs a connection, and there is none"),
        ("'connect', 'set SO_RCVBUF 1', 'set SO_ERROR 1'", "'set SO_ERROR 1' failed"),
    ],
)
async def test_a_step_that_goes_wrong(client: str, words: str, tmp_path: Path) -> None:
    path = lesson(tmp_path, f"[[client]]\nsteps = [{client}]", SERVER)
    with pytest.raises(TrioechoError, match=words):
        await perform_lesson(read(path), lambda title, interfaces: [])


@pytest.mark.usefixtures("wires")
async def test_the_end_comes_too_early(tmp_path: Path) -> None:
    server = "[[server]]\nsteps = ['listen', 'accept', 'receive 16']"
    path = lesson(tmp_path, "[[client]]\nsteps = ['connect', 'send 8', 'close']", server)
    with pytest.raises(TrioechoError, match="'receive 16' reached the end after 8 bytes"):
        await perform_lesson(read(path), lambda title, interfaces: [])


@pytest.mark.usefixtures("wires")
async def test_a_server_that_is_to_find_its_port_taken(tmp_path: Path) -> None:
    """The client does not wait for it to listen."""
    second = "[[server]]\nsteps = ['meet up', 'listen fails EADDRINUSE', 'meet down']"
    first = SERVER.replace('"listen",', '"listen", "meet up", "meet down",')
    one = read(lesson(tmp_path, first, second, CLIENT))
    performance = await perform_lesson(one, lambda title, interfaces: [])
    assert performance.disagreements == ()
    assert performance.summary.connections[0].closed_by == "fin"


@pytest.mark.usefixtures("wires")
async def test_who_listens_again(tmp_path: Path) -> None:
    """On another socket and port; the first is closed, and refuses."""
    server = "[[server]]\nsteps = ['listen on 7', 'stop listening', 'listen', 'meet up', 'accept']"
    client = "[[client]]\nsteps = ['meet up', 'old: connect 7 fails ECONNREFUSED', 'connect']"
    performance = await perform_lesson(
        read(lesson(tmp_path, server, client)), lambda title, interfaces: []
    )
    refused, accepted = performance.summary.connections
    assert (refused.closed_by, accepted.closed_by) == ("rst", None)


@pytest.mark.usefixtures("wires")
async def test_who_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trioecho.lessons.performance.PATIENCE", 0.5)
    path = lesson(tmp_path, "[[client]]\nsteps = ['connect', 'receive 16']", SERVER)
    with pytest.raises(TrioechoError, match=r"the server at 'receive to the end' and the client"):
        await perform_lesson(read(path), lambda title, interfaces: [])


@pytest.mark.usefixtures("wires")
async def test_a_setting_that_is_none(tmp_path: Path) -> None:
    path = lesson(tmp_path, "[sysctl.client]\n'net.ipv4.nothing' = 1", CLIENT, SERVER)
    with pytest.raises(TrioechoError, match=r"net\.ipv4\.nothing"):
        await perform_lesson(read(path), lambda title, interfaces: [])


@pytest.mark.usefixtures("wires")
async def test_where_the_ladder_is_wrong_it_is_said(tmp_path: Path) -> None:
    """An excuse that is none shows that states are compared at all."""
    excuse = "unseen = [{ end = 'client', shown = 'CLOSED', kernel = 'TIME-WAIT', why = '' }]"
    one = read(lesson(tmp_path, excuse, CLIENT, SERVER))
    performance = await perform_lesson(one, lambda title, interfaces: [])
    assert performance.disagreements == (
        "the client of connection 1 is TIME-WAIT in the kernel, and TIME-WAIT on the ladder",
    )
    excuse = excuse.replace("}", ", connection = 2 }")
    one = read(lesson(tmp_path, excuse, CLIENT, SERVER))
    performance = await perform_lesson(one, lambda title, interfaces: [])
    assert performance.disagreements == ("connection 2 has no client that could be TIME-WAIT",)


@pytest.mark.usefixtures("namespaces")
async def test_on_a_loopback(tmp_path: Path) -> None:
    one = read(lesson(tmp_path, "place = 'loopback'", CLIENT, SERVER))
    performance = await perform_lesson(one, lambda title, interfaces: [])
    assert performance.disagreements == ()
    assert performance.summary.connections[0].closed_by == "fin"
    assert performance.rungs[0].segment.options.mss == 65495
    with pytest.raises(TrioechoError, match=r"this lesson uses the loopback\. Leave out --kernel"):
        await perform_lesson(one, lambda title, interfaces: [], kernel=True)


@pytest.mark.usefixtures("namespaces")
async def test_a_failure_on_a_loopback(tmp_path: Path) -> None:
    one = read(lesson(tmp_path, "place = 'loopback'", CLIENT))
    with pytest.raises(TrioechoError, match="'connect' failed: Connection refused"):
        await perform_lesson(one, lambda title, interfaces: [])


def test_where_lessons_are() -> None:
    assert find("handshake") == FOLDER / "handshake.toml"
    assert find("./mine.toml") == Path("mine.toml")
    assert find("mine.toml") == Path("mine.toml")
    assert names() == sorted(names())
    with pytest.raises(TrioechoError, match=r"no lesson 'hand-shake'\. Did you mean handshake"):
        find("hand-shake")
    with pytest.raises(TrioechoError, match="no lesson ''"):
        find("")
