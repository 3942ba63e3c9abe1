"""Both streams of a connection in order, as they are printed and as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from frames import frames

from trioecho.cli.read_follow import Follower, raw_paths
from trioecho.model.selection import Selection

OPEN = "+0 > S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n+.01 > . 1:1(0) ack 1\n"
BOTH = OPEN + "+.1 > P. 1:4(3) ack 1\n+.01 < P. 1:6(5) ack 4\n+.01 > P. 4:6(2) ack 6\n"
GAP = OPEN + "+.1 > P. 5:8(3) ack 1\n"
TURNED = OPEN + "+.1 > . 4:6(2) ack 1 <byte 98>\n+.01 > . 1:4(3) ack 1 <byte 97>\n"


def follow(ladder: str, *paths: Path) -> None:
    follower = Follower(Selection(connection=1), paths)
    follower.run([[frame] for _, frame in frames(ladder)])


def test_lines_change_with_their_sender(capsys: pytest.CaptureFixture[str]) -> None:
    follow(BOTH)
    assert capsys.readouterr().out == "> xxx\n< xxxxx\n> xx\n"


def test_what_was_overtaken_is_put_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    follow(TURNED)
    assert capsys.readouterr().out == "> aaabb\n"


def test_a_gap_is_said_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    follow(GAP)
    assert capsys.readouterr().out == "> [4 bytes missing]\n> xxx\n"


def test_lines_end_where_they_end_and_steer_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    follow(OPEN + "+.1 > P. 1:3(2) ack 1 <byte 10>\n+.1 > P. 3:5(2) ack 1 <byte 27>\n")
    assert capsys.readouterr().out == "> \n> \n> \\x1b\\x1b\n"


def test_files_hold_the_bytes_and_a_gap_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "both.raw"
    client, server = raw_paths([path])
    assert (client.name, server.name) == ("both.client.raw", "both.server.raw")
    follow(BOTH, path)
    assert (client.read_bytes(), server.read_bytes()) == (b"x" * 5, b"x" * 5)
    follow(GAP, path)
    assert client.read_bytes() == b"xxx"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "trioecho: 4 bytes of the client's stream are missing\n"


def test_what_lies_far_beyond_the_window_is_not_followed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Forged or garbled: the engine does not count on from it either."""
    forged = "+.01 < P. 800000001:800000007(6) ack 1 <byte 70>\n"
    follow(OPEN + "+.1 < P. 1:5(4) ack 1\n" + forged + "+.01 < P. 5:8(3) ack 1\n")
    assert capsys.readouterr().out == "< xxxxxxx\n"


def test_what_is_acknowledged_was_taken_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The capture has a hole, and only looks as if somebody had forged what comes behind."""
    far = "+.01 < P. 1000001:1000004(3) ack 1\n+.01 > . 1:1(0) ack 1000004\n"
    follow(OPEN + "+.1 < P. 1:5(4) ack 1\n" + far)
    assert capsys.readouterr().out == "< xxxx\n< [999,996 bytes missing]\n< xxx\n"


def test_the_text_of_a_reset_is_no_part_of_the_stream(capsys: pytest.CaptureFixture[str]) -> None:
    follow(OPEN + "+.1 < P. 1:5(4) ack 1\n+.01 < R. 5:37(32) ack 1 <byte 70>\n")
    assert capsys.readouterr().out == "< xxxx\n"


def test_the_syn_of_another_connection_is_not_followed(capsys: pytest.CaptureFixture[str]) -> None:
    follow(OPEN + "+.1 < P. 1:5(4) ack 1\n+.01 < S. 5:8(3) ack 1 <byte 70>\n")
    assert capsys.readouterr().out == "< xxxx\n"


GARBLED = "+.1 > P. 1:6(5) ack 1 <byte 88,sum 1>\n"


def test_what_was_garbled_is_not_followed(capsys: pytest.CaptureFixture[str]) -> None:
    """Its checksum is wrong, and another's is right, so that its sender does fill them in."""
    sound = OPEN.replace("> . 1:1(0) ack 1", "> . 1:1(0) ack 1 <sum 0>")
    again = "+.3 > P. 1:6(5) ack 1 <byte 104,sum 0>\n+.01 < . 1:1(0) ack 6\n"
    follow(sound + GARBLED + again)
    assert capsys.readouterr().out == "> hhhhh\n"
    follow(sound + GARBLED + "+.01 < . 1:1(0) ack 6\n")  # the next ACK overrules the guess
    assert capsys.readouterr().out == "> XXXXX\n"
    follow(OPEN + GARBLED)  # none is right: the device fills them in
    assert capsys.readouterr().out == "> XXXXX\n"
