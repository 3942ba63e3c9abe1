"""What becomes of packets: each fault, on segments with real bytes."""

# covers: faults/chance, faults/quoted, faults/tally, packet/build

from __future__ import annotations

from collections.abc import Sequence

import frames
import pytest
from fated import (
    MS,
    SECOND,
    START,
    Wire,
    good_checksums,
    lost,
    over_ipv6,
    segment_in,
    with_checksum,
)
from hypothesis import given
from hypothesis import strategies as st

from trioecho.errors import TrioechoError
from trioecho.faults.fate import Decision, Delivery
from trioecho.faults.faults import parse
from trioecho.faults.flows import Flows
from trioecho.model import ACK, FIN, OTHER, RST, SYN, End

# An exchange with a bit of everything; client's ISN 1000, server's 5000.
EXCHANGE = """
+0    > S  0:0(0)
+.001 < S. 0:0(0) ack 1
+.001 > .  1:1(0) ack 1
+.001 > P. 1:11(10) ack 1
+.001 < .  1:1(0) ack 11
+.001 > P. 11:21(10) ack 1
+.001 < P. 1:6(5) ack 21
+.001 > P. 21:31(10) ack 6
+.001 > P. 31:41(10) ack 6
+.001 < .  6:6(0) ack 41
+.001 > F. 41:41(0) ack 6
+.001 < F. 6:6(0) ack 42
+.001 > .  42:42(0) ack 7
"""


def test_nothing_happens_without_faults() -> None:
    wire = Wire()
    for line, frame in frames.frames(EXCHANGE):
        decision = wire.send(line.sender, frame.data)
        to = OTHER[line.sender]
        delivery = Delivery(wire.number, to, wire.time, frame.data, "original")
        assert decision == Decision((delivery,), False)
    assert wire.fates.unmatched() == ()


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        ("drop syn", [1]),
        ("drop syn-ack", [2]),
        ("drop client ack", [3]),
        ("drop server ack 2", [10]),
        ("drop ack 2", [5]),
        ("drop ack all", [3, 5, 10, 13]),
        ("drop client data 2", [6]),
        ("drop data 3", [7]),
        ("drop client data 2,4-6", [6, 9]),
        ("drop client data 3-", [8, 9]),
        ("drop client data every 2", [6, 9]),
        ("drop server fin", [12]),
        ("drop fin all", [11, 12]),
        ("drop segment 4-6", [4, 5, 6]),
        ("drop client segment 2", [3]),
        ("drop client data 2 connection 1", [6]),
        ("drop client data 2 connection 2", []),
        ("drop rst", []),
        ("cut", list(range(1, 14))),
        ("cut after client data 3", [9, 10, 11, 12, 13]),
        ("cut for 2ms after client data 3", [9]),
        ("cut for 2ms", [1, 2]),
        ("cut for 2ms at 3ms", [4, 5]),
        ("cut at 10ms", [11, 12, 13]),
        ("cut at 1s", []),
    ],
)
def test_what_is_lost(fault: str, numbers: list[int]) -> None:
    wire = Wire(fault)
    decisions = wire.play(EXCHANGE)
    assert lost(decisions) == numbers
    for decision in decisions:
        assert decision.fault == (fault if decision.lost else "")
        assert bool(decision.deliveries) != decision.lost


AGAIN = """
+0    > S  0:0(0)
+1    > S  0:0(0)
+3    > S  0:0(0)
+.001 < S. 0:0(0) ack 1
+.001 > .  1:1(0) ack 1
+.001 > P. 1:11(10) ack 1
+.001 > P. 11:21(10) ack 1
+.001 > P. 1:11(10) ack 1
+.001 > P. 11:31(20) ack 1
+.001 > P. 5:15(10) ack 1
+.001 > F. 31:31(0) ack 1
+.001 > F. 21:31(10) ack 1
"""


@pytest.mark.parametrize(
    "fault",
    [
        *("drop client data 2-3", "drop server fin", "drop data every 2", "corrupt server data 1"),
        *("duplicate ack all", "reorder client data 1 2", "delay fin all 5ms", "queue 1"),
        *("cut for 3ms after client data 1", "inject rst to both after server data 1"),
        *("inject syn to server after client data 2", "forget after 2ms idle rst", "rate 100kbit"),
        *(
            "duplicate 30% seed 3",
            "reorder 30% by 2ms seed 3",
            "loss 30% seed 3",
            "mark segment all",
        ),
    ],
)
@pytest.mark.parametrize(
    ("client_isn", "server_isn"), [(0xFFFFFFF5, 0xFFFFFFFD), (0, 0x7FFFFFFF), (0x7FFFFFF5, 0)]
)
def test_where_numbers_begin_makes_no_difference(
    fault: str, client_isn: int, server_isn: int
) -> None:
    def told(*isns: int) -> list[object]:
        wire = Wire(fault) if fault != "queue 1" else Wire(fault, "rate 100kbit")
        return [
            (one.lost, one.fault, [(item.to, item.at, item.kind) for item in one.deliveries])
            for ladder in (EXCHANGE, AGAIN)
            for one in wire.play(ladder, *isns)
        ]

    assert told(client_isn, server_isn) == told()


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        ("drop syn", [1]),
        ("drop syn twice", [1, 2]),
        ("drop syn 3 times", [1, 2, 3]),
        ("drop syn always", [1, 2, 3]),
        ("drop client data 2", [7]),
        ("drop client data 2 twice", [7, 9]),
        ("drop client data 2 always", [7, 9, 10]),
        ("drop client data 1 always", [6, 8, 10]),
        ("drop client data 3", [9]),
        ("drop client data 3 always", [9, 12]),
        ("drop client data 4", []),
        ("drop fin", [11]),
        ("drop fin always", [11, 12]),
    ],
)
@pytest.mark.parametrize("isn", [1000, 0xFFFFFFF5])
def test_a_repetition_is_no_new_item(fault: str, numbers: list[int], isn: int) -> None:
    assert lost(Wire(fault).play(AGAIN, isn)) == numbers


def held(seq: int, payload: bytes, end: End = "client", port: int = 0) -> bytes:
    """A segment with bytes of a stream, of which the first is 1."""
    return frames.tcp(end, ACK, 1000 + seq, 1, payload, port=port)


STREAM = [(1, b"BEGIN"), (6, b"COMMIT;"), (1, b"BEGIN"), (6, b"COMM"), (13, b"x COMMIT COMMIT")]


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        ('drop client data containing "COMMIT"', [3]),
        ('drop client data 2 containing "COMMIT"', [6]),
        ('drop client data all containing "COMMIT"', [3, 6]),
        ('drop client data 3 containing "COMMIT"', []),
        ('drop client data always containing "COMMIT"', [3, 5]),
        ('drop data twice containing "COMMIT;"', [3, 5]),
        ('drop data all containing "commit"', []),
        ('drop server data all containing "COMMIT"', []),
        (r'drop client data containing "\x3b"', [3]),
        ("drop client byte 1", [2]),
        ("drop client byte 5 always", [2, 4]),
        ("drop client byte 6", [3]),
        ("drop client byte 10 always", [3]),
        ("drop client byte 9 always", [3, 5]),
        ("drop client byte 9 always connection 2", []),
        ("drop client byte 27", [6]),
        ("drop client byte 28", []),
        ("drop server byte 1", []),
        ("cut after client byte 6", [4, 5, 6]),
        ('cut after client data containing "COMMIT"', [4, 5, 6]),
    ],
)
def test_what_a_segment_holds(fault: str, numbers: list[int]) -> None:
    wire = Wire(fault)
    decisions = [wire.send("client", frames.tcp("client", SYN, 1000))]
    decisions += [wire.send("client", held(*one)) for one in STREAM]
    assert lost(decisions) == numbers


def test_what_is_held_is_counted_in_each_connection() -> None:
    wire = Wire('drop data containing "x"', "drop client byte 2 twice")
    for port in (0, 1):
        assert not wire.send("client", frames.tcp("client", SYN, 1000, port=port)).lost
        decisions = [wire.send("client", held(seq, b"x", port=port)) for seq in (1, 2, 2, 2, 3)]
        assert lost(decisions) == [1, 2, 3]


def test_so_many_with_the_text_are_known_again() -> None:
    wire = Wire('drop client data 1 always containing "x"')
    wire.send("client", frames.tcp("client", SYN, 1000))
    assert wire.send("client", held(1, b"x")).lost
    for seq in range(2, 4_096 + 1):
        wire.send("client", held(seq, b"x"))
    assert wire.send("client", held(1, b"x")).lost
    wire.send("client", held(4_096 + 1, b"x"))
    assert not wire.send("client", held(1, b"x")).lost


def test_each_connection_is_counted_on_its_own() -> None:
    first = EXCHANGE
    for fault, numbers in {
        "drop client data 2": [6, 19],
        "drop client data 2 connection 2": [19],
    }.items():
        wire = Wire(fault)
        # The same pair of ports again, from another ISN.
        assert lost(wire.play(first) + wire.play(first, 900_000)) == numbers


def test_connections_side_by_side() -> None:
    wire = Wire("drop client data 1 connection 2")
    for port, expected in ((0, False), (1, True), (2, False)):
        wire.send("client", frames.tcp("client", SYN, 1000, port=port))
        data = frames.tcp("client", ACK, 1001, 1, b"x", port=port)
        assert wire.send("client", data).lost is expected


def test_simultaneous_open_is_one_connection() -> None:
    wire = Wire("drop syn 2", "drop syn connection 2")
    assert not wire.send("client", frames.tcp("client", SYN, 1000)).lost
    assert wire.send("server", frames.tcp("server", SYN, 5000)).lost
    assert wire.fates.unmatched() == (
        "'drop syn connection 2' never matched: there was 1 connection",
    )


def test_delay() -> None:
    wire = Wire("delay client data 1 200ms", "delay data 1 1ms", "delay 25ms", "delay 5ms")
    decisions = wire.play(EXCHANGE)
    for number, decision in enumerate(decisions, 1):
        (delivery,) = decision.deliveries
        late = 231 if number == 4 else 30
        assert delivery.at == START + (number + late) * MS
        assert not decision.lost
        words = "delay client data 1 200ms, delay data 1 1ms" if number == 4 else ""
        assert decision.fault == delivery.fault == words


def late(decisions: Sequence[Decision]) -> list[int]:
    """How many nanoseconds each of them is on its way; they are sent a millisecond apart."""
    return [one.deliveries[0].at - START - number * MS for number, one in enumerate(decisions, 1)]


def test_one_direction_is_delayed() -> None:
    decisions = Wire("delay client 20ms", "delay 1ms").play(EXCHANGE)
    senders = [line.sender for line, _ in frames.frames(EXCHANGE)]
    expected = [21 * MS if sender == "client" else MS for sender in senders]
    assert late(decisions) == expected


def test_jitter_is_chance_that_repeats_itself() -> None:
    ladder = "+0 > S 0:0(0)\n" + "+.001 > . 1:1(0) ack 1\n" * 500
    times = late(Wire("delay 20ms jitter 5ms seed 7").play(ladder))
    assert 15 * MS <= min(times) < 16 * MS
    assert 24 * MS < max(times) <= 25 * MS
    assert abs(sum(times) / len(times) - 20 * MS) < MS
    assert times == late(Wire("delay client 20ms jitter 5ms seed 7").play(ladder))
    assert times != late(Wire("delay 20ms jitter 5ms").play(ladder))
    assert late(Wire("delay server 20ms jitter 5ms").play(ladder)) == [0] * 501


def test_duplicate_of_a_delayed_one_is_as_late() -> None:
    wire = Wire("duplicate client data 1", "delay client data 1 200ms")
    original, copy = wire.play(EXCHANGE)[3].deliveries
    assert (original.kind, copy.kind) == ("original", "copy")
    assert original.at == copy.at == START + 204 * MS
    assert original.data == copy.data
    assert original.fault == "delay client data 1 200ms"
    assert copy.fault == "duplicate client data 1"


def test_drop_wins() -> None:
    script = ["duplicate syn", "delay syn 1ms", "corrupt syn", "drop syn", "drop client syn"]
    decision = Wire(*script).play(EXCHANGE)[0]
    assert decision == Decision((), True, "drop syn, drop client syn")


@pytest.mark.parametrize("payload", [b"", b"x", b"odd", bytes(1000)])
@pytest.mark.parametrize("options", [b"", b"\x02\x04\x05\xb4"])
@pytest.mark.parametrize("six", [False, True])
def test_corrupt(payload: bytes, options: bytes, six: bool) -> None:
    data = frames.tcp("client", ACK, 1001, 5001, payload, options=options)
    data = with_checksum(over_ipv6(data) if six else data)
    assert good_checksums(data)
    wire = Wire("corrupt segment 1", "duplicate segment 1")
    decision = wire.send("client", data)
    assert decision.lost
    assert decision.broken
    assert decision.fault == "corrupt segment 1, duplicate segment 1"
    original, copy = decision.deliveries
    assert copy.data == data  # made before it was broken
    assert original.broken
    assert not copy.broken
    assert not good_checksums(original.data)
    before, after = segment_in(data), segment_in(original.data)
    assert before is not None
    assert after is not None
    assert (before.source, before.seq, before.ack, before.flags, before.options) == (
        *(after.source, after.seq, after.ack, after.flags, after.options),
    )
    assert (before.payload != after.payload) is bool(payload)
    bits = sum((one ^ other).bit_count() for one, other in zip(data, original.data, strict=True))
    assert bits == 1


def test_reorder() -> None:
    decisions = Wire("reorder client data 2 3", "delay 5ms").play(EXCHANGE)
    (fallback,) = decisions[5].deliveries
    assert not decisions[5].lost
    assert decisions[5].fault == "reorder client data 2 3"
    assert (fallback.number, fallback.at) == (6, START + 11 * MS + SECOND)
    own, held = decisions[7].deliveries
    assert (own.number, held.number) == (8, 6)
    assert own.at == held.at == START + 13 * MS
    assert held.data == fallback.data
    assert held.kind == "original"
    assert (own.fault, held.fault) == ("", "reorder client data 2 3")
    assert [len(one.deliveries) for one in decisions[8:]] == [1] * 5


def test_a_held_segment_is_let_go_by_its_companion_lost_or_not() -> None:
    decisions = Wire("reorder client data 2 3", "drop client data 3").play(EXCHANGE)
    (held,) = decisions[7].deliveries
    assert decisions[7].lost
    assert (held.number, held.at) == (6, START + 8 * MS)


@pytest.mark.parametrize(
    ("after", "numbers"),
    [(SECOND - 1, [2, 1]), (SECOND, [2]), (SECOND + 1, [2]), (2 * SECOND, [2])],
)
def test_a_companion_that_comes_too_late(after: int, numbers: list[int]) -> None:
    wire = Wire("reorder client data 1 2")
    wire.send("client", frames.tcp("client", ACK, 1, 1, b"x"))
    decision = wire.send("client", frames.tcp("client", ACK, 2, 1, b"y"), after=after)
    assert [one.number for one in decision.deliveries] == numbers


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize(
    ("fault", "after", "expected"),
    [
        ("inject rst after client data 2", 6, [("server", RST | ACK, 1021, 5001)]),
        ("inject rst after server data 1", 7, [("client", RST | ACK, 5006, 1021)]),
        ("inject rst to client after client data 2", 6, [("client", RST | ACK, 5001, 1021)]),
        (
            "inject rst to both after client data 3",
            8,
            [("client", RST | ACK, 5006, 1031), ("server", RST | ACK, 1031, 5006)],
        ),
        ("inject rst offset 100 after client data 2", 6, [("server", RST | ACK, 1121, 5001)]),
        ("inject rst offset -2000 after data 2", 6, [("server", RST | ACK, 4294966317, 5001)]),
        ("inject rst after client syn", 1, [("server", RST, 1001, None)]),
        ("inject rst to client after client syn", 1, [("client", RST | ACK, 0, 1001)]),
        ("inject rst after syn-ack", 2, [("client", RST | ACK, 5001, 1001)]),
        ("inject rst after fin 1", 11, [("server", RST | ACK, 1042, 5006)]),
    ],
)
def test_inject_rst(
    fault: str, after: int, expected: list[tuple[str, int, int, int | None]], six: bool
) -> None:
    wire = Wire(fault)
    for line, frame in frames.frames(EXCHANGE):
        data = over_ipv6(frame.data) if six else frame.data
        decision = wire.send(line.sender, data)
        own, *injected = decision.deliveries
        assert own.kind == "original"
        assert not decision.lost
        assert decision.fault == ""
        found = []
        for one in injected:
            segment = segment_in(one.data)
            assert segment is not None
            assert good_checksums(one.data)
            assert (one.kind, one.fault, one.at) == ("injected", fault, own.at)
            found.append((one.to, segment.flags, segment.seq, segment.ack))
            sent = segment_in(data)
            assert sent is not None
            ends = (segment.source, segment.destination)
            same = (sent.source, sent.destination)
            assert ends == (same[::-1] if one.to == line.sender else same)
        assert found == (expected if wire.number == after else [])


def test_what_the_receiver_expects_is_what_arrived() -> None:
    """Data 2 is lost, so that a RST behind data 3 has to fill its place to be taken."""
    wire = Wire("drop client data 2", "inject rst after client data 3")
    for data in (
        frames.tcp("client", SYN, 1000),
        frames.tcp("server", SYN | ACK, 5000, 1001),
        *(frames.tcp("client", ACK, 1001 + at, 5001, b"x" * 10) for at in (0, 10, 20)),
    ):
        end: End = "server" if data[15] == 2 else "client"
        decision = wire.send(end, data)
    segment = segment_in(decision.deliveries[-1].data)
    assert segment is not None
    assert segment.seq == 1011


@pytest.mark.parametrize("offset", ["", "offset 5 "])
def test_inject_syn(offset: str) -> None:
    decision = Wire(f"inject syn {offset}after client data 2").play(EXCHANGE)[5]
    segment = segment_in(decision.deliveries[1].data)
    assert segment is not None
    assert (segment.flags, segment.ack) == (SYN, None)
    assert (segment.seq - 1021) % (1 << 32) == (1 << 30) + (5 if offset else 0)
    assert good_checksums(decision.deliveries[1].data)


def test_a_forged_segment_follows_a_lost_one() -> None:
    decision = Wire("drop client data 2", "inject rst after client data 2").play(EXCHANGE)[5]
    assert decision.lost
    (forged,) = decision.deliveries
    segment = segment_in(forged.data)
    assert segment is not None
    assert (forged.kind, segment.seq) == ("injected", 1011)


def test_rate() -> None:
    """1,000 bytes at 1 Mbit/s take 8 ms; the other way has a line of its own."""
    wire = Wire("rate 1mbit", "delay 25ms")
    data = frames.tcp("client", ACK, 1, 1, bytes(960))
    back = frames.tcp("server", ACK, 1, 1, bytes(960))
    first = wire.send("client", data)
    second = wire.send("client", data)
    other = wire.send("server", back)
    third = wire.send("client", data, after=SECOND)
    times = [one.deliveries[0].at - START for one in (first, second, other, third)]
    assert times == [
        (1 + 8 + 25) * MS,
        (1 + 8 + 8 + 25) * MS,
        (3 + 8 + 25) * MS,
        1003 * MS + (8 + 25) * MS,
    ]


def through(wire: Wire, end: End) -> int:
    """How long a packet of 1,000 bytes takes that an end sends a second later."""
    decision = wire.send(end, frames.tcp(end, ACK, 1, 1, bytes(960)), after=SECOND)
    return decision.deliveries[0].at - wire.time


def test_one_direction_has_a_rate() -> None:
    wire = Wire("rate server 1mbit")
    assert (through(wire, "client"), through(wire, "server")) == (0, 8 * MS)
    wire.fates.add(parse("rate client 2mbit"))
    assert (through(wire, "client"), through(wire, "server")) == (4 * MS, 8 * MS)
    wire.fates.add(parse("rate 4mbit"))
    assert (through(wire, "client"), through(wire, "server")) == (2 * MS, 2 * MS)
    wire.fates.add(parse("rate server 1mbit"))
    assert (through(wire, "client"), through(wire, "server")) == (2 * MS, 8 * MS)


def test_a_new_rate_keeps_what_is_on_the_line() -> None:
    wire = Wire("rate 1mbit")
    through(wire, "client")
    wire.fates.add(parse("rate client 2mbit"))
    data = frames.tcp("client", ACK, 1, 1, bytes(960))
    assert wire.send("client", data, after=0).deliveries[0].at - wire.time == (8 + 4) * MS


@given(st.integers(1, 10**6), st.integers(40, 1500), st.integers(1, 30))
def test_rate_is_exact(kbit: int, size: int, count: int) -> None:
    wire = Wire(f"rate {kbit}kbit")
    data = frames.tcp("client", ACK, 1, 1, bytes(size - 40))
    for _ in range(count):
        decision = wire.send("client", data, after=0)
    spent = decision.deliveries[0].at - START
    exact = size * 8 * SECOND * count / (kbit * 1000)
    assert exact - 1e-3 * count <= spent <= exact + count


def test_queue_drops_the_tail() -> None:
    wire = Wire("rate 1mbit", "queue 2")
    data = frames.tcp("client", ACK, 1, 1, bytes(960))
    decisions = [wire.send("client", data, after=0) for _ in range(5)]
    assert lost(decisions) == [4, 5]
    assert {one.fault for one in decisions[3:]} == {"queue 2"}
    assert not wire.send("client", data, after=8 * MS).lost  # one went on the line
    assert wire.send("client", data, after=0).lost
    assert wire.fates.unmatched() == ()


def test_a_rate_has_a_queue_even_if_none_is_asked_for() -> None:
    wire = Wire("rate 1kbit")
    data = frames.tcp("client", ACK, 1, 1, bytes(960))
    decisions = [wire.send("client", data, after=0) for _ in range(1002)]
    assert lost(decisions) == [1002]
    assert decisions[-1].fault == "rate 1kbit"


def losses(text: str, end: End, noise: bool = False) -> list[int]:
    wire = Wire(text)
    decisions = []
    for at in range(1000):
        if noise:
            wire.send(end, b"\x45" + bytes(27))
            wire.send(OTHER[end], frames.tcp("server", ACK, at, 1))
        decisions.append(wire.send(end, frames.tcp(end, ACK, at, 1)))
    return lost(decisions)


def test_loss_is_chance_that_repeats_itself() -> None:
    found = losses("loss 5% seed 7", "client")
    assert 20 < len(found) < 90
    assert found == losses("loss 5% seed 7", "client")
    assert found == losses("loss client 5% seed 7", "client", noise=True)
    assert found != losses("loss 5% seed 8", "client")
    assert found != losses("loss 5% seed 7", "server")
    assert losses("loss 5%", "client") == losses("loss 5% seed 1", "client")
    assert losses("loss server 100%", "client") == []
    assert len(losses("loss 100%", "client")) == 1000


def test_doubling_is_chance_that_repeats_itself() -> None:
    ladder = "+0 > S 0:0(0)\n" + "+.001 > . 1:1(0) ack 1\n" * 500
    decisions = Wire("duplicate 5% seed 3", "delay 1ms").play(ladder)
    copied = [number for number, one in enumerate(decisions) if len(one.deliveries) == 2]
    assert 10 < len(copied) < 50
    for number in copied:
        original, copy = decisions[number].deliveries
        assert (original.data, original.at, original.fault) == (copy.data, copy.at, "")
        assert (copy.kind, copy.fault) == ("copy", "duplicate 5% seed 3")
        assert decisions[number].fault == "duplicate 5% seed 3"
    assert len(decisions[-1].deliveries) == 1
    assert decisions[-1].fault == ""
    assert not any(len(one.deliveries) > 1 for one in Wire("duplicate server 100%").play(ladder))
    both = Wire("duplicate 100%", "loss 100%").play(ladder)
    assert not any(one.deliveries for one in both)


def test_straying_is_chance_that_repeats_itself() -> None:
    ladder = "+0 > S 0:0(0)\n" + "+.001 > . 1:1(0) ack 1\n" * 500
    decisions = Wire("reorder 10% by 5ms seed 3").play(ladder)
    times = late(decisions)
    assert set(times) == {0, 5 * MS}
    assert 25 < times.count(5 * MS) < 90
    words = {(time, one.fault) for time, one in zip(times, decisions, strict=True)}
    assert words == {(0, ""), (5 * MS, "reorder 10% by 5ms seed 3")}
    assert times == late(Wire("reorder client 10% by 5ms seed 3").play(ladder))
    assert times != late(Wire("reorder 10% by 5ms").play(ladder))
    assert set(late(Wire("reorder server 100% by 5ms").play(ladder))) == {0}


def test_a_cut_begins_after_the_first_segment_of_tcp() -> None:
    wire = Wire("cut at 5ms")
    other = b"\x45" + bytes(27)
    assert not wire.send("client", other, after=SECOND).lost
    assert not wire.send("client", frames.tcp("client", SYN, 1000), after=SECOND).lost
    wire.fates.add(parse("cut for 1ms at 2ms"))
    assert not wire.send("client", other, after=2 * MS - 1).lost
    assert wire.send("client", other, after=1).fault == "cut for 1ms at 2ms"
    assert not wire.send("client", other, after=MS).lost
    assert not wire.send("client", other, after=2 * MS - 1).lost
    assert wire.send("client", other, after=1).fault == "cut at 5ms"
    assert wire.fates.unmatched() == ()


def large(size: int, df: bool = True) -> bytes:
    data = frames.tcp("client", ACK, 1001, 5001, bytes(size - 40))
    return data[:6] + (b"\x40" if df else b"\x00") + data[7:]


def test_path_mtu() -> None:
    wire = Wire("path mtu 576", "delay 5ms")
    assert not wire.send("client", large(576)).lost
    assert not wire.send("client", large(577, df=False)).lost
    decision = wire.send("client", large(577))
    assert decision.lost
    assert decision.fault == "path mtu 576"
    (told,) = decision.deliveries
    assert (told.kind, told.to, told.fault) == ("icmp", "client", "path mtu 576")
    assert told.at == wire.time + 5 * MS
    assert good_checksums(told.data)
    assert len(told.data) == 576
    kind, code, mtu = told.data[20], told.data[21], told.data[26:28]
    assert (kind, code, int.from_bytes(mtu, "big")) == (3, 4, 576)
    assert told.data[12:20] == bytes((10, 0, 0, 2, 10, 0, 0, 1))
    assert told.data[28:] == large(577)[:548]


@pytest.mark.parametrize(("size", "effective"), [(576, 1280), (1400, 1400)])
def test_path_mtu_of_ipv6(size: int, effective: int) -> None:
    wire = Wire(f"path mtu {size}")
    data = over_ipv6(frames.tcp("client", ACK, 1001, 5001, bytes(effective - 60)))
    assert not wire.send("client", data).lost
    data = over_ipv6(frames.tcp("client", ACK, 1001, 5001, bytes(effective - 59)))
    (told,) = wire.send("client", data).deliveries
    assert good_checksums(told.data)
    assert len(told.data) == 1280
    assert (told.data[6], told.data[40], told.data[41]) == (58, 2, 0)
    assert int.from_bytes(told.data[44:48], "big") == effective
    assert told.data[8:24] == data[24:40]
    assert told.data[24:40] == data[8:24]
    assert told.data[48:] == data[:1232]


def test_a_silent_router() -> None:
    wire = Wire("path mtu 576 silent")
    assert wire.send("client", large(577)) == Decision((), True, "path mtu 576 silent")


def test_a_cut_takes_whatever_there_is() -> None:
    wire = Wire("cut")
    assert wire.send("client", b"\x45" + bytes(27)) == Decision((), True, "cut")


def test_a_fault_is_added_from_now_on() -> None:
    wire = Wire("rate 1mbit", "delay 1ms")
    assert lost(wire.play(EXCHANGE[: EXCHANGE.index("+.001 < .  1:1")])) == []
    for text in ("drop client data 2", "delay 2ms", "queue 1", "path mtu 576", "rate 1kbit"):
        wire.fates.add(parse(text))
    decision = wire.send("client", large(577))
    assert decision.fault == "drop client data 2"
    late = wire.send("client", large(40), after=0).deliveries[0].at - wire.time
    assert late == 320 * MS + 3 * MS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("queue 5", "The fault 'queue 5' needs a rate"),
        ("mtu 576", "The fault 'mtu 576' comes too late: the devices have their MTU"),
    ],
)
def test_what_cannot_be_added(text: str, sentence: str) -> None:
    wire = Wire("delay 1ms")
    with pytest.raises(TrioechoError, match=sentence):
        wire.fates.add(parse(text))
    assert wire.play(EXCHANGE)[0].fault == ""


def test_a_queue_without_a_rate_is_refused() -> None:
    with pytest.raises(TrioechoError, match="needs a rate"):
        Wire("queue 5")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("drop client data 9", "the client sent 4 segments of data"),
        ("drop server data 2-", "the server sent 1 segment of data"),
        ("drop data every 6", "the two ends sent 5 segments of data"),
        ("drop rst", "the two ends sent no RST"),
        ("delay server syn 1ms", "the server sent no SYN"),
        ("cut after client fin 2", "the client sent 1 FIN"),
        ("drop client byte 41", "the client sent 40 bytes"),
        ("drop server byte 6", "the server sent 5 bytes"),
        ('drop data containing "y"', "the two ends sent no segment of data with that text"),
        ('drop server data 2 containing "x"', "the server sent 1 segment of data with that text"),
        ("inject rst after ack 9", "the two ends sent 4 pure ACKs"),
        ("drop syn connection 2", "there was 1 connection"),
        ("drop client data 9 connection 1", "the client sent 4 segments of data"),
        ("cut at 1s", "no packet was sent then"),
        ("cut for 1us at 10.5ms", "no packet was sent then"),
        ("duplicate 0.001%", "chance took none of 13 packets"),
        ("reorder client 0.001% by 1ms", "chance took none of 8 packets"),
        ("loss server 0.001%", "chance took none of 5 packets"),
        ("path mtu 1000", "none of 13 packets was too large and not to be split"),
    ],
)
def test_unmatched(fault: str, why: str) -> None:
    wire = Wire(fault)
    wire.play(EXCHANGE)
    assert wire.fates.unmatched() == (f"{fault!r} never matched: {why}",)


@pytest.mark.parametrize(
    ("fault", "again", "why"),
    [
        (
            "drop client fin 2",
            "> F. 41:41(0) ack 6",
            "the client sent 1 FIN, not counting retransmissions",
        ),
        ("drop client fin 2", "> . 42:42(0) ack 7", "the client sent 1 FIN"),
        (
            "drop client data 9 twice",
            "> P. 1:11(10) ack 6",
            "the client sent 4 segments of data, not counting retransmissions",
        ),
        ("drop client ack 9", "> . 42:42(0) ack 7", "the client sent 3 pure ACKs"),
    ],
)
def test_unmatched_though_it_was_sent_again(fault: str, again: str, why: str) -> None:
    wire = Wire(fault)
    wire.play(f"{EXCHANGE}+.001 {again}\n")
    assert wire.fates.unmatched() == (f"{fault!r} never matched: {why}",)


def test_unmatched_companion() -> None:
    wire = Wire("reorder client data 4 5")
    wire.play(EXCHANGE)
    assert wire.fates.unmatched() == (
        "'reorder client data 4 5' held one for a second in vain: "
        "the client sent 4 segments of data",
    )


def test_a_copy_does_not_wait_for_a_companion() -> None:
    wire = Wire("reorder client data 1 2", "duplicate client data 1")
    held, copy = wire.play(EXCHANGE)[3].deliveries
    assert held.at - copy.at == 1_000_000_000


def test_unmatched_in_several_connections() -> None:
    wire = Wire("drop client data 9", "rate 1gbit", "queue 7")
    wire.play(EXCHANGE)
    wire.play(EXCHANGE, 900_000)
    most = "the client sent 4 segments of data at most in any connection"
    assert wire.fates.unmatched() == (
        f"'drop client data 9' never matched: {most}",
        "'queue 7' never matched: 0 packets waited at most",
    )


def test_unmatched_before_anything_was_sent() -> None:
    wire = Wire("cut", "drop syn connection 1")
    assert wire.fates.unmatched() == (
        "'drop syn connection 1' never matched: there was none",
        "'cut' never matched: no packet was sent",
    )


def test_unmatched_for_one_that_came_too_late() -> None:
    wire = Wire()
    decisions = frames.frames(EXCHANGE)
    for line, frame in decisions:
        wire.send(line.sender, frame.data)
        if wire.number == 6:
            wire.fates.add(parse("drop client data 2"))
    assert wire.fates.unmatched() == (
        "'drop client data 2' never matched: the client had sent it before",
    )


def test_flows_are_forgotten_and_so_is_what_they_remember() -> None:
    flows = Flows()
    segments = [
        segment_in(frames.tcp("client", ACK, 1000, 1, b"x", port=port - 40000))
        for port in range(1, 10_000 + 2)
    ]
    first, last = segments[0], segments[-1]
    assert first is not None
    assert last is not None
    for segment in segments:
        assert segment is not None
        flow, _ = flows.see("client", segment, True)
    assert flow.number == 10_000 + 1
    assert flows.see("client", last, True)[0] is flow
    assert flows.see("client", first, True)[0].number == 10_000 + 2


SCRIPTS = [
    ["drop data all always", "inject syn to both after segment 3"],
    ["reorder segment 1 2", "corrupt segment all", "duplicate segment every 2"],
    ["inject rst to both after segment 1", "delay segment all 1ms", "cut for 1ms after rst"],
    ["path mtu 68", "rate 1mbit", "queue 1", "loss 50%"],
]

hostile = st.builds(
    frames.tcp,
    st.sampled_from(["client", "server"]),
    st.integers(0, 0xFFF),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 32) - 1),
    st.binary(max_size=80),
    options=st.binary(max_size=40),
    port=st.integers(0, 2),
)


@given(
    st.sampled_from(SCRIPTS),
    st.lists(
        st.tuples(
            st.sampled_from(["client", "server"]),
            st.binary(max_size=80) | hostile | hostile.map(over_ipv6),
        )
    ),
)
def test_any_bytes_have_a_fate(script: list[str], packets: list[tuple[End, bytes]]) -> None:
    wire = Wire(*script)
    for end, data in packets:
        decision = wire.send(end, data)
        for delivery in decision.deliveries:
            assert delivery.at >= wire.time
            assert delivery.number <= wire.number
            if delivery.kind in ("injected", "icmp"):
                assert good_checksums(delivery.data)
            if delivery.kind == "injected":
                assert segment_in(delivery.data) is not None
        if not decision.lost:
            originals = [one.number for one in decision.deliveries if one.kind == "original"]
            assert wire.number in originals
    wire.fates.unmatched()


def test_fin_is_seen_with_data() -> None:
    data = frames.tcp("client", FIN | ACK, 1, 1, b"x")
    assert Wire("drop fin").send("client", data).lost
    assert Wire("drop data").send("client", data).lost
    assert not Wire("drop ack").send("client", data).lost
