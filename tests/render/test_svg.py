"""The picture: sound XML with nothing in it that a peer could have put there, and true."""

# covers: render/canvas, render/lifelines, render/rows

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from frames import CLIENT, RAW, SERVER, play, tcp
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from trioecho.model import (
    Call,
    CaptureSummary,
    ConnectionSummary,
    Endpoint,
    Frame,
    Process,
    Stopped,
    Summary,
)
from trioecho.packet.decode import decode
from trioecho.render import Event, Setting
from trioecho.render.svg import FOLD, MOST, Svg
from trioecho.tcp.tracker import Tracker

SVG = "{http://www.w3.org/2000/svg}"
NOTHING = Summary((), CaptureSummary("lo", 0, 0))
HANDSHAKE = """
+0    > S  0:0(0) win 65535 <mss 1460,wscale 7>
+.001 < S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 7>
+.001 > .  1:1(0) ack 1 win 512
"""
LADDER = f"""{HANDSHAKE}
+.1   > P. 1:6(5) ack 1 win 512 lost
+.3   > P. 1:6(5) ack 1 win 512
+.001 < R. 1:1(0) ack 6 win 512
"""


def picture(
    events: Sequence[Event], summary: Summary = NOTHING, **setting: object
) -> ElementTree.Element:
    renderer = Svg(Setting(**{"title": "a title", **setting}))  # type: ignore[arg-type]
    assert renderer.begin() + renderer.show(events) == b""
    data = renderer.end(summary)
    root = ElementTree.fromstring(data.decode("utf-8"))
    assert root.tag == f"{SVG}svg"
    return root


def texts(root: ElementTree.Element, style: str = "") -> list[str]:
    found = (node for node in root.iter(f"{SVG}text") if style in node.get("class", "").split())
    return ["".join(node.itertext()) for node in (root.iter(f"{SVG}text") if not style else found)]


def shafts(root: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    return [
        tuple(float(line.get(name, "")) for name in ("x1", "y1", "x2", "y2"))  # type: ignore[misc]
        for line in root.iter(f"{SVG}line")
        if line.get("class") == "shaft"
    ]


def test_it_says_in_words_what_it_is() -> None:
    root = picture(play(LADDER))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root[0].text == "a title"
    assert root[1].text is not None
    assert root[1].text.startswith("A ladder of 6 segments between client and server, 1 of them")


def sides(root: ElementTree.Element) -> list[list[float]]:
    """How low the lines stand that tell of calls and states, on either side."""
    told = [node for node in root.iter(f"{SVG}text") if {"call", "state"} & set(words(node))]
    return [
        sorted(
            float(node.get("y", "")) for node in told if (node.get("text-anchor") == "end") == left
        )
        for left in (True, False)
    ]


def words(node: ElementTree.Element) -> list[str]:
    return node.get("class", "").split()


@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.integers(0, 8)), max_size=12))
@example([("server", 2)] * 5 + [("server", 6)] * 4)
def test_no_words_beside_a_lifeline_touch(calls: list[tuple[str, int]]) -> None:
    rungs = [replace(rung, arrived=rung.time + 3_000_000) for rung in play(LADDER) if not rung.lost]
    events: list[Event] = [*rungs]
    for at, (end, milliseconds) in enumerate(calls):
        time = rungs[0].time + milliseconds * 1_000_000
        events.append(Call(time, end, "connection", at, "recv", "4096", 5))  # type: ignore[arg-type]
    events.sort(key=lambda event: event.time)
    for side in sides(picture(events, fold=200)):
        assert all(below - above >= 12 for above, below in pairwise(side))


def test_a_fault_that_never_matched_is_said() -> None:
    sentence = "'drop client data 9' never matched: the client sent 1 segment of data"
    root = picture(play(LADDER), replace(NOTHING, unmatched=(sentence,), forgotten=2))
    assert f"! {sentence}" in texts(root, "trouble")
    assert any("2 connections before that" in text for text in texts(root))
    assert root[1].text is not None
    assert sentence in root[1].text
    assert "2 connections before that" in root[1].text


def test_each_segment_is_an_arrow_with_its_label_and_its_sentence() -> None:
    root = picture(play(LADDER))
    labels = texts(root, "label")
    assert labels[0] == "SYN seq 0"
    assert labels[3:5] == ["PSH ACK seq 1 ack 1 len 5"] * 2
    assert "retransmission of rung 4 after 300 ms: no ACK has come" in texts(root, "said")
    assert texts(root, "rung") == ["1", "2", "3", "4", "5", "6"]
    assert texts(root, "time")[3] == "102.000"


def test_arrows_slant_down_towards_the_receiver() -> None:
    there, back, *_ = shafts(picture(play(LADDER)))
    assert there[0] < there[2]
    assert back[0] > back[2]
    assert there[1] < there[3]
    assert back[1] < back[3]


def test_a_lost_arrow_ends_half_way() -> None:
    root = picture(play(LADDER))
    whole, lost = shafts(root)[2], shafts(root)[3]
    assert lost[2] - lost[0] == pytest.approx((whole[2] - whole[0]) / 2, abs=6)
    assert len([line for line in root.iter(f"{SVG}line") if line.get("class") == "cut"]) == 2
    assert "lost on the wire" in texts(root, "said")
    assert len(list(root.iter(f"{SVG}polygon"))) == 5  # the tips of those that arrived


def test_states_are_bands_with_their_names() -> None:
    root = picture(play(LADDER))
    assert texts(root, "state") == [
        *("SYN-SENT", "ESTABLISHED", "CLOSED"),
        *("SYN-RECEIVED", "ESTABLISHED", "CLOSED"),
    ]
    bands = [rect for rect in root.iter(f"{SVG}rect") if rect.get("width") == "9"]
    assert [band.get("fill") for band in bands] == [
        *("var(--opening)", "var(--up)", "var(--idle)"),
        *("var(--opening)", "var(--up)", "var(--idle)"),
    ]


def test_a_state_that_is_not_known_is_not_drawn() -> None:
    syn, refused = (f"{line}\n" for line in ("> S 0:0(0)", "< R. 1:1(0) ack 1"))
    root = picture(play(syn))
    assert texts(root, "state") == ["SYN-SENT"]
    assert texts(picture(play(syn + refused)), "state") == ["SYN-SENT", "CLOSED", "CLOSED"]
    bands = [rect for rect in root.iter(f"{SVG}rect") if rect.get("width") == "9"]
    assert [band.get("fill") for band in bands] == ["var(--opening)"]


def test_an_arrow_ends_below_what_happened_before_it_arrived() -> None:
    """The second segment overtakes the first."""
    first, second, third = play(HANDSHAKE)
    late = [
        replace(first, arrived=third.time + 1),
        replace(second, arrived=second.time),
        replace(third, arrived=third.time),
    ]
    root = picture(late)
    (_, tail, _, head), (_, _, _, next_head), (_, third_tail, _, _) = shafts(root)
    assert tail < next_head < third_tail < head
    assert any("ms on the way" in text for text in texts(root, "said"))


def test_calls_stand_at_the_outer_edges() -> None:
    def call(time: int, end: str, name: str, fd: int = 3, **more: object) -> Call:
        kind = "listening" if end == "server" else "connection"
        return Call(time, end, kind, fd, name, **more)  # type: ignore[arg-type]

    root = picture(
        [
            call(0, "server", "socket", result=3),
            call(1, "server", "listen", arguments="1", result=0),
            call(2, "client", "connect", 4, arguments="127.0.0.1:7"),
            Process(3, 1, "client", 12, "ncat"),
            *play(HANDSHAKE),
            Stopped(4, "server", "SIGTERM", "the client has ended"),
        ]
    )
    assert texts(root, "call") == [
        *("listening:", "socket", "listen(1)"),
        *("connect(127.0.0.1:7)", "ncat (pid 12)"),
        *("trioecho stopped the server", "(SIGTERM), since the client", "has ended"),
    ]
    assert texts(root, "state")[-3] == "LISTEN"
    where = {
        "".join(node.itertext()): float(node.get("x", ""))
        for node in root.iter(f"{SVG}text")
        if node.get("class") == "call"
    }
    (x1, _, x2, _), *_ = shafts(root)
    assert where["connect(127.0.0.1:7)"] < x1 < x2 < where["socket"]


def test_a_server_that_spins_is_told_what_is_wrong() -> None:
    spins = [
        Call(5, "server", "connection", 4, name, result=0, times=3900) for name in ("recv", "send")
    ]
    said = " ".join(texts(picture([*play(HANDSHAKE), *spins]), "call"))
    assert " ".join(said.split()) == (
        "connection: recv -> 0, the end, 3,900 times send 0 B, 3,900 times"
        " recv returned the end 3,900 times, and the server sent nothing each time: it spins;"
        " a loop must end when recv returns nothing"
    )


@pytest.mark.parametrize("rungs", [10, 600])
def test_a_long_run_is_folded_and_counted(rungs: int) -> None:
    data = "".join(f"+.001 > P. {at}:{at + 1}(1) ack 1 win 512\n" for at in range(1, rungs + 1))
    root = picture(play(HANDSHAKE + data))
    assert len(shafts(root)) == min(rungs + 3, FOLD)
    folded = rungs + 3 - FOLD
    said = f"{folded} segments with {folded} bytes folded"
    assert (said in texts(root, "said")) == (folded > 0)


def test_what_is_not_drawn_is_counted() -> None:
    """A SYN is never folded."""
    root = picture(play("".join(f"+1 >{at} S 0:0(0)\n" for at in range(1, MOST + 8))))
    assert len(shafts(root)) == MOST
    assert texts(root, "trouble") == ["and 7 further events, not drawn"]


def test_each_connection_has_lifelines_of_its_own() -> None:
    here = Endpoint("10.0.0.1", 40001), Endpoint("10.0.0.2", 7)
    summary = Summary(
        (
            ConnectionSummary(1, *here, None, 0, 0, 1, 0, 0, None),
            ConnectionSummary(2, *here, None, 0, 0, 1, 0, 0, None),
        ),
        CaptureSummary("lo", 2, 0),
    )
    root = picture(play("+0 > S 0:0(0)\n+1 >2 S 0:0(0)\n+1 > S 0:0(0)"), summary)
    assert texts(root, "end") == ["client", "server", "client", "server"]
    assert texts(root, "strong") == [
        f"connection {number}: 10.0.0.1:40001 to 10.0.0.2:7" for number in (1, 2)
    ]
    assert texts(root, "rung") == ["1", "3", "2"]


STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe]")


@given(st.binary(max_size=60), st.text(max_size=40))
def test_nothing_hostile_gets_through(payload: bytes, text: str) -> None:
    """A payload, a title, a process and a call's arguments as a peer would like them."""
    data = tcp("client", 16, 1, 1, payload)
    segment = decode(Frame(1, 0, data, RAW, len(data)))
    assert segment is not None
    assert (CLIENT[1], SERVER[1]) == (segment.source.port, segment.destination.port)
    rung = Tracker().seen(segment)
    call = Call(0, "client", "connection", 3, "connect", arguments=text, result=0)
    renderer = Svg(Setting(title=text, details=lambda frame: [text]))
    renderer.show([call, Process(0, 1, "server", 7, text), rung])
    drawn = renderer.end(Summary((), CaptureSummary(text, 1, 0))).decode("utf-8")
    assert not STEERING.search(drawn)
    root = ElementTree.fromstring(drawn)
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    known = {"svg", "title", "desc", "style", "rect", "line", "text", "tspan", "g", "polygon"}
    assert tags <= known
    names = {name for node in root.iter() for name in node.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name}


def test_markup_in_a_payload_is_text() -> None:
    evil = b"</text><script>alert(1)</script>"
    data = tcp("client", 16, 1, 1, evil)
    segment = decode(Frame(1, 0, data, RAW, len(data)))
    assert segment is not None
    root = picture([Tracker().seen(segment)])
    assert f"b'{evil.decode()}'" in " ".join(texts(root, "rest"))
