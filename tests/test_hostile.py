"""Captures are hostile: mutated headers, lengths and options make nothing stumble."""

from __future__ import annotations

from crafted import crafted
from frames import RAW, frames
from hostile import climb, read_and_climb
from hypothesis import given, settings
from hypothesis import strategies as st

from trioecho.model import Frame

LADDER = """
+0    > S  0:0(0) win 65535 <mss 1460,sackOK,wscale 7>
+.001 < S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,wscale 7>
+.001 > .  1:1(0) ack 1 win 512
+.1   > P. 1:6(5) ack 1 win 512
+.001 < P. 1:100(99) ack 6 win 512
+.001 > F. 6:6(0) ack 100 win 512
+.001 < F. 100:100(0) ack 7 win 512
+.001 > .  7:7(0) ack 101 win 512
"""
CRAFTED = [data for _, data in crafted()]
WHOLE = [frame for _, frame in frames(LADDER)]


@given(st.data())
@settings(max_examples=200)
def test_mutated_segments(data: st.DataObject) -> None:
    """Any bytes of any header changed, and any order."""
    mutated: list[Frame] = []
    for frame in data.draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=20)):
        packet = bytearray(frame.data)
        for _ in range(data.draw(st.integers(0, 3))):
            packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
        number, time = len(mutated) + 1, data.draw(st.integers(0, 1 << 62))
        mutated.append(Frame(number, time, bytes(packet), RAW, len(packet)))
    climb(mutated)


@given(st.lists(st.tuples(st.binary(max_size=80), st.sampled_from([0, 1, 9, 12, 101, 113, 276]))))
def test_any_frames(packets: list[tuple[bytes, int]]) -> None:
    climb([Frame(n, n, data, link, len(data)) for n, (data, link) in enumerate(packets, 1)])


@given(st.data())
@settings(max_examples=100)
def test_mutated_captures(data: st.DataObject) -> None:
    """A capture of anything with some of its bytes changed, through the whole engine."""
    capture = bytearray(data.draw(st.sampled_from(CRAFTED)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(capture) - 1))
        value = data.draw(st.binary(min_size=1, max_size=4))
        capture[at : at + len(value)] = value
    read_and_climb(bytes(capture))
