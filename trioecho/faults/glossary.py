"""What the words of faults mean, and examples of each fault. PURE.

The command ``trioecho faults`` shows them, and so does ``docs/faults.md``.
"""

from __future__ import annotations

import inspect
import re
from difflib import get_close_matches
from typing import NamedTuple

from trioecho.errors import TrioechoError
from trioecho.faults.additions import Inject
from trioecho.faults.delays import Reorder
from trioecho.faults.edits import LARGEST_MSS, SMALLEST_MSS, Clamp
from trioecho.faults.fault import Fault, Selecting
from trioecho.faults.faults import FAULTS, parse
from trioecho.faults.mtu import LARGEST_MTU, SMALLEST_MTU, SMALLEST_PATH_MTU, Mtu, PathMtu
from trioecho.faults.rate import DEFAULT_QUEUE, MOST_QUEUED, Queue


class Term(NamedTuple):
    """A part of a fault's words.

    Args:
        values: what may stand there.
        default: what holds where it is left out; ``""`` where it cannot be.
    """

    values: str
    default: str = ""


#: Those that several faults have; what is said stands in Markdown.
TERMS = {
    "ITEMS": Term(
        "`[END] KIND [WHICH] [TIMES] [TEXT] [connection N]`, or `END byte N [TIMES] [connection N]`"
    ),
    "SEGMENT": Term("`[END] KIND [N] [TEXT] [connection N]`, or `END byte N [connection N]`"),
    "END": Term("`client` or `server`: the sender", "either, counted together in order of time"),
    "KIND": Term("`syn`, `syn-ack`, `ack`, `data`, `fin`, `rst`, `segment`"),
    "WHICH": Term("`2`, `2,4-6`, `3-` (from the third on), `all`, `every 10`", "`1`"),
    "TIMES": Term("`once`, `twice`, `3 times`, `always`", "`once`"),
    "TEXT": Term('`containing "COMMIT"`, for `data`'),
    "TIME": Term("`25ms`, `1.5s`, `200us`; at most an hour"),
    "NUMBER%": Term("a share of all packets, such as `2%` or `0.5%`"),
    "NUMBERkbit|mbit|gbit": Term("bits a second, such as `500kbit` or `1.5mbit`; at most 100gbit"),
    "NUMBERB|kB|MB": Term("bytes, such as `1500B` or `20kB` (20,000); at most 1000MB"),
    "seed N": Term("a whole number; the same one chooses the same packets", "1"),
    "connection N": Term("the N-th connection that the wire saw", "each, counted on its own"),
    "byte N": Term("the segment with the N-th byte of its end's stream, from 1"),
    "N": Term("a number from 1 on", "1"),
}

#: Those that mean something of their own in one fault.
_OWN = {
    Mtu: {"N": Term(f"bytes of an IP packet, from {SMALLEST_MTU} to {LARGEST_MTU:,}")},
    PathMtu: {"N": Term(f"bytes of an IP packet, from {SMALLEST_PATH_MTU} to {LARGEST_MTU:,}")},
    Queue: {"N": Term(f"packets in each direction, from 1 to {MOST_QUEUED:,}")},
    Clamp: {"N": Term(f"bytes of data in a segment, from {SMALLEST_MSS} to {LARGEST_MSS:,}")},
    Reorder: {"N N": Term("the numbers of two segments, the lower one first")},
    Inject: {"offset N": Term("bytes that are added to its sequence number, or -N", "0")},
}

EXAMPLES = {
    "drop syn-ack": "the first SYN-ACK of each connection never arrives",
    "drop client data 2": "the second segment of data from the client is lost; its retransmission"
    " arrives",
    "drop client data 2 twice": "its first retransmission is lost too",
    "drop server data 2,4-6": "four of the server's segments of data are lost",
    "drop client data every 10": "the 10th, the 20th, …",
    'drop client data containing "COMMIT"': "the client's first segment of data with this text",
    "drop client byte 4000 always": "whatever brings the client's 4,000th byte, so that it never"
    " arrives",
    "delay server ack 200ms": "the server's first pure ACK arrives 200 ms later than it would",
    "duplicate client data 1": "it arrives twice",
    "reorder client data 2 3": "the second arrives right behind the third; it is held for one"
    " second at most",
    "corrupt client data 1": "one bit is flipped and the checksum left unchanged, so the receiver"
    " discards it",
    "inject rst after client data 2": "a forged RST follows it to the server, as if from the"
    " client, with the sequence number that the server expects",
    "inject rst to both offset 1000 after data 5": "to both ends, 1,000 beyond what each expects: a"
    " blind reset, answered by a challenge ACK",
    "inject syn after client data 2": "a forged SYN, far from the expected number",
    "cut after client data 3": "that one still passes; from then on nothing does, in either"
    " direction",
    "cut for 2s after client data 3": "a black hole of two seconds",
    "cut for 1s at 2s": "a black hole of a second, two seconds after the first TCP segment was sent"
    " on the wire",
    "cut": "nothing ever passes",
    "delay 25ms": "each packet takes 25 ms, in each direction",
    "delay client 20ms": "only what the client sends takes 20 ms",
    "delay 20ms jitter 5ms seed 7": "each packet takes 15 to 25 ms, by chance, and may overtake"
    " others; the same ones each time for the same seed (default: 1)",
    "rate 1mbit": "each direction carries 1,000,000 bits of IP packets a second, one packet after"
    " the other",
    "rate server 1mbit": "only what the server sends; what the client sends is as fast as the"
    " machine",
    "queue 20": "in each direction, 20 packets may wait for the rate; a packet that finds the queue"
    f" full is lost (default: {DEFAULT_QUEUE:,})",
    "queue 50 codel": "packets that wait 5 ms or more are lost, too, after 100 ms of that, and ever"
    " more often (CoDel, RFC 8289)",
    "loss 2% seed 7": "two packets in a hundred are lost, the same ones each time for the same seed"
    " (default: 1)",
    "duplicate 5% seed 3": "five packets in a hundred arrive twice",
    "reorder 10% by 5ms seed 3": "ten packets in a hundred arrive 5 ms later, behind those sent"
    " meanwhile",
    "loss server 2%": "only packets that the server sends",
    "mark client data 2": "it arrives with the ECN mark CE, as if a router were congested; a"
    " segment that was sent without ECN (Not-ECT) is left as it is",
    "strip sackOK": "no segment keeps this option: NOPs stand in its place",
    "strip server timestamps": "only what the server sends loses it",
    "clamp mss 1200": "a SYN or SYN-ACK that offers a larger MSS offers 1,200",
    "mtu 576": f"the MTU of both devices, at least {SMALLEST_MTU}: with much less, even TCP's"
    " smallest segments would be cut into fragments, of which a ladder shows the whole alone",
    "forget after 5s idle": "a NAT forgets a connection of which it sees nothing for 5 s, and drops"
    " all later segments of it",
    "forget after 5s idle rst": "it also answers each with a RST",
    "police 1mbit burst 20kB": "in each direction, packets above this rate are lost; 20,000 bytes"
    " may come at once",
    "path mtu 576": "a router in the middle drops larger packets that may not be fragmented, and"
    " reports it by ICMP",
    "path mtu 576 silent": "the router reports nothing: a path-MTU black hole",
}


def meaning(fault: type[Fault]) -> str:
    """What a fault does, in a sentence."""
    return " ".join((inspect.getdoc(fault) or "").partition("\n\n")[0].split())


def examples(fault: type[Fault]) -> dict[str, str]:
    """Examples of a fault, and what happens."""
    return {text: what for text, what in EXAMPLES.items() if type(parse(text)) is fault}


def terms(fault: type[Fault]) -> dict[str, Term]:
    """The parts of a fault's words, and the parts of those."""
    known = TERMS | _OWN.get(fault, {})
    if not issubclass(fault, Selecting):
        known = known | {"END": Term(TERMS["END"].values, "both, each for itself")}
    found: dict[str, Term] = {}
    forms = [fault.usage]
    for form in forms:
        for name in _names(form, known):
            if name not in found:
                found[name] = known[name]
                forms += _forms(known[name])
    return found


def _names(form: str, known: dict[str, Term]) -> list[str]:
    """The parts that a form names, in order."""
    either = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.findall(rf"(?<![A-Za-z-])(?:{either})(?![A-Za-z])", form)


def _forms(term: Term) -> list[str]:
    return re.findall(r"`([^`]*)`", term.values)


def find(word: str) -> list[type[Fault]]:
    """The faults in which a word may stand; those that begin with it come first.

    Raises:
        TrioechoError: it stands in none.
    """
    wanted = word.lower()
    found = [fault for fault in FAULTS if wanted in words(fault)]
    if found:
        return sorted(found, key=lambda fault: fault.verb != wanted)
    every = dict.fromkeys(one for fault in FAULTS for one in words(fault))
    close = get_close_matches(wanted, every, 3, 0.6)
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    raise TrioechoError(f"No fault has the word {word!r}", f"{meant}`trioecho faults` lists all")


def words(fault: type[Fault]) -> list[str]:
    """The words that may stand in a fault, and the names of its parts, in lower case."""
    found = terms(fault)
    forms = [fault.usage, *found, *(form for one in found.values() for form in _forms(one))]
    each = (re.findall(r"(?<![\w.\"])[a-z][a-z-]+(?![\w.\"])", form.lower()) for form in forms)
    return list(dict.fromkeys(word for words in each for word in words))
