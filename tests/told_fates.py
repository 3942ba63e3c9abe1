"""What becomes of the packets of two connections on a wire with each example of a fault, as text.

Of each packet that does not simply arrive: whether and why it is lost, how it was changed, and each
delivery, by how many nanoseconds it is later, and in which bytes it differs. Below them, why a
fault has done nothing, if so; and what is read, or what is wrong, where its words are others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from crafted import as_ip6
from fated import Wire
from frames import SERVER, frames

from trioecho.errors import TrioechoError
from trioecho.faults.fate import Decision, Delivery, Packet
from trioecho.faults.faults import completions, parse
from trioecho.faults.glossary import EXAMPLES

#: What was told when `make examples` was last run.
FATES = Path(__file__).parent / "faults" / "told.txt"
TRAFFIC = """
+0    > S  0:0(0) win 1000 <mss 1460,sackOK,wscale 2,ts 5>
+.01  < S. 0:0(0) ack 1 win 1000 <mss 1400,sackOK,wscale 2,ts 7>
+.3   < S. 0:0(0) ack 1 win 1000 <mss 1400,sackOK,wscale 2,ts 8>
+.01  > .  1:1(0) ack 1 win 1000 <ts 9>
+0    >2 S  0:5(5) win 1000 <mss 1000>
+.01  > P. 1:1001(1000) ack 1 win 1000 <ecn 2>
+.001 > P. 1001:2001(1000) ack 1 win 1000 <ecn 1>
+.001 > P. 2001:3001(1000) ack 1 win 1000
+.02  < .  1:1(0) ack 1001 win 1000 <sack 2001:3001>
+.3   > P. 1001:2001(1000) ack 1 win 1000
+.02  < P. 1:701(700) ack 3001 win 1000 <ecn 2>
+.001 > .  3001:3001(0) ack 701 win 1000
+.02  <2 S. 0:0(0) ack 6 win 1000
+.001 >2 P. 6:906(900) ack 1 win 1000
+.001 < P. 701:1401(700) ack 3001 win 1000
+.001 < P. 1401:2101(700) ack 3001 win 1000
+.001 < P. 2101:2801(700) ack 3001 win 1000
+.03  > .  3001:3001(0) ack 2801 win 1000
+2    > P. 3001:4401(1400) ack 2801 win 1000 <ecn 2>
+.3   > P. 3001:4401(1400) ack 2801 win 1000
+.001 > P. 4401:5801(1400) ack 2801 win 1000
+0    > P. 5801:7201(1400) ack 2801 win 1000
+0    > P. 7201:8601(1400) ack 2801 win 1000
+0    > P. 8601:8607(6) ack 2801 win 1000
+.02  < .  2801:2801(0) ack 8607 win 1000
+6    > FP. 8607:8617(10) ack 2801 win 1000
+.3   > FP. 8607:8617(10) ack 2801 win 1000
+.01  < F. 2801:2801(0) ack 8618 win 1000
+.01  > .  8618:8618(0) ack 2802 win 1000
+.01  >2 R. 906:906(0) ack 1 win 1000
+.01  > S  90000:90000(0) win 1000 <mss 1460>
+.01  > S  90000:90000(0) win 1000 <mss 1460>
+.01  > S  80000:80000(0) win 1000 <mss 1460>
+.01  > P. 80001:80101(100) ack 1 win 1000
"""
#: Faults that the examples do not have the like of.
MORE = (
    *("drop client data 3- 4 times", "drop data 1-2,5 connection 2", "drop segment all"),
    *("drop client syn once", "drop fin", "drop client rst", "drop client ack every 2 once"),
    *("drop client byte 1000 4 times connection 2", 'drop client data always containing "xx"'),
    *("delay 500us", "delay 1.5s", "delay server 2ms jitter 2ms", "delay client data 4 1s"),
    *("loss 0.5% seed 1", "loss 100%", "loss client 50% seed 2", "duplicate 100%"),
    *("reorder client 50% by 2ms seed 1", "reorder server data 1 2", "cut for 20ms at 10ms"),
    *("rate 2gbit", "rate client 64kbit", "queue 1", "queue 2 codel", "mark segment all"),
    *("police client 8kbit burst 1500B", "police 1gbit burst 1MB", "forget after 20ms idle rst"),
    *("strip mss", "strip wscale", "strip sack", "clamp mss 1000", "mtu 1280", "path mtu 1280"),
    *("inject syn after data 2", "inject rst to client after server data 1", "corrupt data 2-3"),
    *("inject rst to server offset 5 after client syn", "cut after server fin", "mark data 1-"),
)
#: A packet that holds no TCP segment.
OTHER = bytes.fromhex("4500001c000040004011000000000000") + SERVER[0] + bytes(8)


def faults() -> list[str]:
    """Each fault that is tried."""
    return [*EXAMPLES, *MORE]


def fates(text: str) -> list[str]:
    """What becomes of them with a fault, and how it is read with other words."""
    return [*_played(text), *(f"{other}: {what}" for other, what in dict(_others(text)).items())]


def _played(text: str) -> Iterator[str]:
    yield f"twice: {_twice(text)}"
    four = list(_sent(text, six=False))
    yield from four
    yield from (f"IPv6: {line}" for line in _sent(text, six=True) if line not in four)


def _twice(text: str) -> str:
    """What is wrong with two of them on a wire, and with one that is added later."""
    words = []
    for at_once in ([text, text], ["rate 1mbit"]):
        try:
            Wire(*at_once).fates.add(parse(text))
            words.append("well")
        except TrioechoError as error:
            words.append(str(error))
    return "; ".join(words)


def _sent(text: str, *, six: bool) -> Iterator[str]:
    wire = Wire(text, *(["rate 1mbit"] if text.startswith("queue") else []))
    before = wire.time
    sent = [(line.sender, frame.data, frame.time) for line, frame in frames(TRAFFIC, time=before)]
    for end, data, time in [*sent, ("client", OTHER, sent[-1][2] + 1)]:
        if "containing" in text:
            data = data.replace(b"x" * 900, b"x" * 447 + b"COMMIT" + b"x" * 447)
        if six and data != OTHER:
            data = as_ip6(data)
        decision = wire.send(end, data, time - wire.time)
        told = _decision(decision, Packet(wire.number, end, time, data, None))
        if told != f"{wire.number}: original +0":
            yield told
    yield from wire.fates.unmatched()


def _decision(decision: Decision, packet: Packet) -> str:
    words = [f"{packet.number}:"]
    if decision.lost:
        words.append("lost")
    for name in ("broken", "too_large"):
        if getattr(decision, name):
            words.append(name)
    words += [f"({one})" for one in (decision.fault, decision.edited) if one]
    words += [_delivery(one, packet) for one in decision.deliveries]
    return " ".join(words)


def _delivery(one: Delivery, packet: Packet) -> str:
    same = one.number == packet.number
    words = [one.kind, f"{one.at - packet.time:+}" if same else f"of {one.number}"]
    if one.to == packet.end:
        words.append("back")
    if one.broken:
        words.append("broken")
    if one.fault:
        words.append(f"({one.fault})")
    if same and len(one.data) == len(packet.data):
        differ = [at for at in range(len(one.data)) if one.data[at] != packet.data[at]]
        words += [f"{at}:{one.data[at]:02x}" for at in differ]
    elif same:
        words.append(one.data[:60].hex())
    return " ".join(words)


def _others(text: str) -> Iterator[tuple[str, str]]:
    """It with each word left out, or another; each number of it one more, less, 0 and large."""
    words = text.split()
    for at, word in enumerate(words):
        others = ["", "nothing", f"{word} {word}"]
        for number in re.findall(r"\d+", word):
            values = (int(number) - 1, int(number) + 1, 0, f"{number}.5", f"{number}000000000000")
            others += [word.replace(number, str(value), 1) for value in values]
        for other in others:
            changed = " ".join(one for one in [*words[:at], other, *words[at + 1 :]] if one)
            yield changed, _read(changed)
    for length in range(len(words) + 1):
        start = " ".join(words[:length])
        yield f"{start} ...", ", ".join(completions(f"{start} "))


def _read(text: str) -> str:
    try:
        return repr(parse(text))
    except TrioechoError as error:
        return str(error)
