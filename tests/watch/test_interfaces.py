"""Which interfaces are watched, in a network of the test's own."""

from __future__ import annotations

from network import Network

OPEN = """
import sys
from trioecho.errors import TrioechoError
from trioecho.text import printable
from trioecho.watch import Wanted, interfaces, open_taps

if sys.argv[1:]:
    interfaces._up = lambda probe: sys.argv[1:]  # what was listed, and may have gone since
try:
    with open_taps(Wanted()) as taps:
        print(*taps.names)
        print([capture._index for capture in taps.captures])
        print(*map(printable, taps.notices), sep="\\n")
except TrioechoError as error:
    print(error)
"""

ODD = "et\udcff"  # how Python writes a byte that is no UTF-8


def test_an_interface_that_has_gone_since_it_was_listed_is_passed_over(network: Network) -> None:
    network.ip("link add left type veth peer name right")
    assert network.python(OPEN, "gone0", "lo", "left").splitlines() == [
        "lo",
        "[0]",
        "gone0 is not watched. There is no interface 'gone0'",
        "left is not watched. The interface left is down",
    ]


def test_the_last_interface_that_cannot_be_watched_is_told_of(network: Network) -> None:
    network.ip("link add left type veth peer name right")
    said = "The interface left is down. sudo ip link set left up brings it up\n"
    assert network.python(OPEN, "gone0", "left") == said


def test_a_name_that_is_no_utf_8(network: Network) -> None:
    """The kernel allows it, Python's sockets do not."""
    for words in (
        f"link add {ODD} type veth peer name right",
        f"link set {ODD} up",
        "link set right up",
    ):
        network.ip(words)
    assert network.python(OPEN).splitlines() == [
        "lo right",
        "[0, 1]",
        r"et\udcff is not watched. The name of the interface 'et\udcff' is no UTF-8,"
        " and Python takes no other",
    ]
