"""What the ladder looks like."""

# covers: render/calls, render/colors, render/renderer, render/totals, render/words

from __future__ import annotations

import pytest
from frames import come_to, frames, play

from trioecho.model import Call, CaptureSummary, Endpoint, Rung, Stopped, Summary
from trioecho.packet.decode import decode
from trioecho.render import FORMATS, Setting
from trioecho.render.terminal import Terminal
from trioecho.tcp.tracker import Tracker

LADDER = """
+0    > S  0:0(0) win 65535 <mss 1460,wscale 7>
+.001 < S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 7>
+.001 > .  1:1(0) ack 1 win 512
+.1   > P. 1:6(5) ack 1 win 512 lost
+.3   > P. 1:6(5) ack 1 win 512
+.001 < R. 1:1(0) ack 6 win 512
"""

AT_80 = """\
a title

       ms  rung  client                                            server
    0.000     1  SYN-SENT     ── SYN seq 0 win 65535 mss 1460 ───▶
                                 wscale 7
                 1 of 3: the client opens, and offers mss 1460, window scale 7
    1.000     2  ESTABLISHED  ◀── SYN ACK seq 0 ack 1 win 65535 ── SYN-RECEIVED
                                 mss 1460 wscale 7
                 2 of 3: the server agrees and opens its direction with mss
                 1460, window scale 7
    2.000     3  │            ── ACK seq 1 ack 1 win 65536 ──────▶ ESTABLISHED
                 3 of 3: both ends know; the handshake took 2.0 ms
  102.000     4  │            ── PSH ACK seq 1 ack 1 len 5 ──✗     │
                                 win 65536
                                 b'xxxxx'
                 lost on the wire; the client sends 5 bytes
  402.000     5  │            ── PSH ACK seq 1 ack 1 len 5 ──────▶ │
                                 win 65536
                                 b'xxxxx'
                 retransmission of rung 4 after 300 ms: no ACK has come
  403.000     6  CLOSED       ◀── RST ACK seq 1 ack 6 win 65536 ── CLOSED
                 the server ended abruptly, perhaps before it had read what the
                 client sent: then data is lost
"""

AT_40 = """\
a title

       ms  rung  client           server
    0.000     1  ── SYN seq 0 ─────────▶
  client SYN-SENT
  win 65535 mss 1460 wscale 7
  1 of 3: the client opens, and offers
  mss 1460, window scale 7
    1.000     2  ◀── SYN ACK seq 0 ─────
  client ESTABLISHED, server
  SYN-RECEIVED
  ack 1 win 65535 mss 1460 wscale 7
  2 of 3: the server agrees and opens
  its direction with mss 1460, window
  scale 7
    2.000     3  ── ACK seq 1 ack 1 ───▶
  server ESTABLISHED
  win 65536
  3 of 3: both ends know; the handshake
  took 2.0 ms
  102.000     4  ── PSH ACK seq 1 ──✗
  ack 1 len 5 win 65536
  b'xxxxx'
  lost on the wire; the client sends 5
  bytes
  402.000     5  ── PSH ACK seq 1 ─────▶
  ack 1 len 5 win 65536
  b'xxxxx'
  retransmission of rung 4 after 300 ms:
  no ACK has come
  403.000     6  ◀── RST ACK seq 1 ─────
  client CLOSED, server CLOSED
  ack 6 win 65536
  the server ended abruptly, perhaps
  before it had read what the client
  sent: then data is lost
"""


def draw(ladder: str, **setting: object) -> str:
    terminal = Terminal(Setting(title="a title", **setting))  # type: ignore[arg-type]
    return (terminal.begin() + terminal.show(play(ladder))).decode()


def test_at_80_columns() -> None:
    assert draw(LADDER) == AT_80


def test_at_40_columns() -> None:
    """There is no room for the states' columns."""
    assert draw(LADDER, width=40) == AT_40


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("width", [40, 50, 60, 71, 72, 80, 100, 132, 200])
def test_no_line_is_wider_than_the_screen(width: int, several: bool) -> None:
    assert max(map(len, draw(LADDER, width=width, several=several).splitlines())) <= width
    terminal = Terminal(Setting(width=width, several=several))
    calls = [call(0, "bind", arguments="10.0.0.2:65432", result=0), *spins()]
    stopped = Stopped(time=1, end="server", signal="SIGTERM", why="the client has ended")
    summary = come_to(LADDER)[1]
    rows = terminal.show([*calls, stopped]) + terminal.table("a title", [summary], summary.start)
    assert max(map(len, rows.decode().splitlines())) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_a_state_that_is_not_known_is_not_named(width: int) -> None:
    text = draw("> S 0:0(0)\n+1 > S 0:0(0)\n< R. 1:1(0) ack 1", width=width)
    assert "UNKNOWN" not in text
    rows = [line for line in text.splitlines() if " SYN seq" in line]
    assert [row[-1] for row in rows] == ["▶", "▶"]  # and no lifeline of what may not be
    assert "server CLOSED" in text if width == 40 else text.count("CLOSED") == 2


def test_plain_ascii_where_the_locale_has_no_more() -> None:
    text = draw(LADDER, unicode=False)
    assert text.isascii()
    assert "-- SYN seq 0" in text
    assert "--> ESTABLISHED" in text
    assert "--X" in text


def test_colour_is_never_the_only_sign() -> None:
    colored = draw(LADDER, color=True)
    assert "\x1b[" in colored
    stripped = colored
    for code in ("0", "1", "2", "32", "36", "1;31"):
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert stripped == AT_80


def test_absolute_numbers() -> None:
    assert "SYN seq 1000 " in draw(LADDER, absolute=True)
    assert "seq 5000 ack 1001" in draw(LADDER, absolute=True)


def test_bytes_from_the_wire_are_escaped() -> None:
    """Escape sequences and newlines in a payload never reach the terminal."""
    evil = b"\x1b[2J\x1b]0;owned\x07\r\n\xe2\x80\xae"
    tracker = Tracker()
    for line, frame in frames("+0 > P. 1:6(5) ack 1"):
        assert line.length == 5
        segment = decode(
            type(frame)(
                1,
                0,
                frame.data[:2] + (40 + len(evil)).to_bytes(2, "big") + frame.data[4:40] + evil,
                frame.link,
                40 + len(evil),
            )
        )
        assert segment is not None
        assert segment.payload == evil
        text = Terminal(Setting()).show([tracker.seen(segment)]).decode()
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\r" not in text
    assert "\u202e" not in text
    assert r"\x1b[2J" in text


def call(time: int, name: str, **more: object) -> Call:
    return Call(time, "server", "listening", 3, name, **more)  # type: ignore[arg-type]


def test_calls_of_tls() -> None:
    """OpenSSL's, among those of the socket."""
    calls = [
        call(0, "SSL_write", result=16),
        call(1, "send", result=38, holds="application data"),
        call(2, "SSL_read", result=0),
        call(3, "SSL_read", error="UNEXPECTED_EOF_WHILE_READING"),
    ]
    (row, last) = Terminal(Setting(width=120)).show(calls).decode().splitlines()
    assert row.endswith("SSL_write 16 B, send 38 B (application data), SSL_read -> 0, close_notify")
    assert last.endswith("SSL_read -> UNEXPECTED_EOF_WHILE_READING")


def test_calls_of_one_socket_share_a_row() -> None:
    terminal = Terminal(Setting())
    text = terminal.show(
        [
            call(0, "socket", result=3),
            call(1, "bind", arguments="127.0.0.1:7", result=0),
            call(2, "listen", arguments="1", result=0),
            Call(3, "client", "connection", 4, "connect", error="ECONNREFUSED"),
        ]
    ).decode()
    rows = text.splitlines()
    assert rows[0].endswith("listening: socket, bind(127.0.0.1:7), listen(1)")
    assert rows[1].strip() == "LISTEN"
    assert rows[2].endswith("connect -> ECONNREFUSED")


def test_a_call_that_comes_later_has_a_row_of_its_own() -> None:
    """A row has one time, that of its first call."""
    pieces = [call(0, "recv", result=5), call(9_999_999, "recv", result=6)]
    later = call(19_999_999, "recv", result=7)
    rows = Terminal(Setting()).show([*pieces, later]).decode().splitlines()
    assert [row.split("listening: ")[1] for row in rows] == [
        "recv -> 5 B, recv -> 6 B",
        "recv -> 7 B",
    ]
    assert rows[1].startswith("   20.000")


def test_calls_on_a_narrow_screen_say_whose_they_are() -> None:
    listens = [call(0, "listen", arguments="1", result=0)]
    connects = [Call(3_000_000, "client", "connection", 4, "connect", error="ECONNREFUSED")]
    assert Terminal(Setting(width=50)).show([*listens, *connects]).decode() == (
        "    0.000        server: listening: listen(1)\n"
        "  server LISTEN\n"
        "    3.000        client: connect -> ECONNREFUSED\n"
    )


def spins(times: int = 3900) -> list[Call]:
    more = {"result": 0, "times": times}
    return [
        Call(5, "server", "connection", 4, "recv", "1024", **more),  # type: ignore[arg-type]
        Call(5, "server", "connection", 4, "send", **more),  # type: ignore[arg-type]
    ]


def test_a_server_that_spins_is_told_what_is_wrong() -> None:
    lines = Terminal(Setting()).show(spins()).decode().splitlines()
    assert lines[0].endswith("connection: recv(1024) -> 0, the end, 3,900 times")
    assert lines[1].endswith("connection: send 0 B, 3,900 times")
    assert " ".join(" ".join(lines[2:]).split()) == (
        "recv returned the end 3,900 times, and the server sent nothing each time: it spins;"
        " a loop must end when recv returns nothing"
    )


def test_a_call_that_fails_again_and_again() -> None:
    failing = Call(5, "server", "listening", 3, "accept", error="EMFILE", times=50)
    text = Terminal(Setting()).show([failing]).decode()
    assert "listening: accept -> EMFILE, 50 times" in text
    assert "accept failed 50 times with EMFILE: the server spins" in " ".join(text.split())


def test_a_program_that_was_stopped() -> None:
    stopped = Stopped(5, "server", "SIGTERM", "the client has ended")
    lines = Terminal(Setting()).show([stopped]).decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()) == (
        "0.000 trioecho stopped the server (SIGTERM), since the client has ended"
    )


def test_calls_are_folded_too() -> None:
    """A program that reads byte by byte, of what came in a few segments."""
    terminal = Terminal(Setting(fold=10))
    one = Call(5, "server", "connection", 4, "recv", "1", 1)
    close = Call(6, "server", "connection", 4, "close")
    text = " ".join(terminal.show([one] * 500 + [close]).decode().split())
    assert text.count("recv(1) -> 1 B") == 20
    assert text.endswith("480 socket calls folded (--all shows them) 0.000 connection: close")
    assert Terminal(Setting()).show([one] * 500).decode().count("recv(1) -> 1 B") == 500


def long_ladder(rungs: int) -> str:
    lines = [LADDER.split("+.1 ", maxsplit=1)[0]]
    for at in range(rungs):
        lines.append(f"+.001 > P. {1 + at * 5}:{6 + at * 5}(5) ack 1 win 512\n")
    return "".join(lines)


def test_what_is_folded_is_counted() -> None:
    text = draw(long_ladder(50) + "+.1 > F. 251:251(0) ack 1", fold=10)
    assert "43 segments with 215 bytes folded (--all shows them)" in " ".join(text.split())
    assert "FIN-WAIT-1" in text
    assert draw(long_ladder(50), fold=None).count(" PSH ACK ") == 50


def test_trouble_is_not_folded_the_first_times() -> None:
    trouble = "".join(f"+.3 > P. 251:256(5) ack 1 win 512 # {at}\n" for at in range(10))
    text = draw(long_ladder(50) + trouble, fold=10)
    assert text.count("retransmission of rung") == 5


def test_the_summary_is_loud_about_dropped_frames() -> None:
    text = Terminal(Setting()).end(Summary((), CaptureSummary("lo", 9, 3))).decode()
    assert "the kernel dropped 3 frames: this ladder has holes" in text


def test_details_stand_below_the_rung() -> None:
    text = draw("+0 > S 0:0(0)", details=lambda frame: [f"{len(frame.data)} bytes\x1b"])
    assert r"40 bytes\x1b" in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_cut_anywhere(name: str) -> None:
    """Events one by one or all at once, the bytes of their rungs are the same."""
    rungs = play(LADDER)
    whole, piecewise = FORMATS[name](Setting()), FORMATS[name](Setting())
    assert whole.begin() == piecewise.begin()
    assert whole.show(rungs) == b"".join(piecewise.show([rung]) for rung in rungs)


def test_several_connections_are_numbered() -> None:
    text = draw(LADDER + "+.1 >2 S 0:0(0)", several=True)
    assert " #1 " in text
    assert " #2 " in text


def test_types() -> None:
    assert str(Endpoint("::1", 7)) == "[::1]:7"
    assert all(isinstance(rung, Rung) for rung in play(LADDER))
