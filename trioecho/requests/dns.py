"""The names that were asked for by UDP before a connection was opened, read by dnslib."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from struct import Struct as Layout
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from trioecho.model import Datagram, Endpoint
from trioecho.requests.protocol import MOST_TEXT, Missing
from trioecho.requests.request import Moment, Opening, Request

if TYPE_CHECKING:
    from dnslib import DNSRecord

PORT = 53
#: Questions and names that are remembered.
MOST_REMEMBERED = 10_000
#: Questions for one name belong together, and so does a connection that follows them, for so long.
TOGETHER = 2_000_000_000
#: A and AAAA, with the bytes of an address; how many records of an answer are looked at.
_ADDRESSES = {1: 4, 28: 16}
_MOST_RECORDS = 100
_record = Layout("!HHIH")
_HEADER, _POINTER, _LONGEST_NAME = 12, 0xC0, 255


def addresses(message: bytes, at: int, count: int) -> Iterator[str]:
    """The addresses in an answer, by RFC 1035 §4.1.3.

    Args:
        message: all of it.
        at: where its records begin.
        count: how many there are said to be.
    """
    for _ in range(min(count, _MOST_RECORDS)):
        at = _behind_name(message, at)
        if at + _record.size > len(message):
            return
        kind, _, _, size = _record.unpack_from(message, at)
        at += _record.size
        data = message[at : at + size]
        at += size
        if _ADDRESSES.get(kind) == len(data):
            yield str(ip_address(data))


def _behind_name(message: bytes, at: int) -> int:
    """Where a name ends, or is too long: behind its last label, or the pointer to its rest."""
    last = min(len(message) - 1, at + _LONGEST_NAME)
    while at <= last and 0 < message[at] < _POINTER:
        at += 1 + message[at]
    return at + 1 + (at < len(message) and message[at] >= _POINTER)


class Message(NamedTuple):
    """A message's beginning.

    Args:
        record: its header and its question.
        at: where its records begin.
        answers: how many of them there are said to be.
    """

    record: DNSRecord
    at: int
    answers: int


class Messages:
    """Reads messages.

    Raises:
        Missing: dnslib is not installed.
    """

    def __init__(self) -> None:
        try:
            import dnslib
        except ImportError:
            raise Missing("DNS") from None
        self._dnslib = dnslib

    def read(self, payload: bytes) -> Message | None:
        """A message without its records, of which dnslib would decode each name, however long."""
        dnslib = self._dnslib
        if _behind_name(payload, _HEADER) > _HEADER + _LONGEST_NAME:
            return None
        try:
            buffer = dnslib.DNSBuffer(payload)
            header = dnslib.DNSHeader.parse(buffer)
            count = header.a  # which a record of the question alone has not
            record = dnslib.DNSRecord(header, [dnslib.DNSQuestion.parse(buffer)])
        except (dnslib.DNSError, ValueError, LookupError):
            return None
        return Message(record, buffer.offset, count)

    def asked(self, record: DNSRecord) -> str:
        """What a message asks, in words: ``A shop.example``."""
        return f"{self._dnslib.QTYPE.get(record.q.qtype)} {name_of(record)}"

    def status(self, record: DNSRecord) -> str:
        """How an answer came out, in words: ``NOERROR``."""
        return str(self._dnslib.RCODE.get(record.header.rcode))


class _Lookup(Struct):
    """Questions for one name, such as for its IPv4 and its IPv6 addresses.

    Args:
        asked: when the first was asked.
        named: when each answer came.
        used: whether a connection is known that was opened with it.
    """

    asked: int
    named: list[int]
    used: bool = False


class Names:
    """Questions and answers of DNS, and the lookups that they make up.

    Args:
        number: gives the next request its number.

    Raises:
        Missing: dnslib is not installed.
    """

    def __init__(self, number: Callable[[], int]) -> None:
        self._messages = Messages()
        self._number = number
        self._open: dict[tuple[Endpoint, Endpoint, int], tuple[Request, str]] = {}
        self._lookups: dict[tuple[str, str], _Lookup] = {}
        self._addresses: dict[tuple[str, str], deque[_Lookup]] = {}

    def take(self, datagram: Datagram) -> Iterator[Request]:
        """Take a datagram; given are the requests that are over with it."""
        message = self._messages.read(datagram.payload)
        if message is None:
            return
        record = message.record
        if datagram.destination.port == PORT and not record.header.qr:
            yield from self._ask(datagram, record)
        elif datagram.source.port == PORT and record.header.qr:
            yield from self._answer(datagram, message)

    def opening(self, client: str, server: str, time: int) -> Opening:
        """What a connection's client asked before it opened it: the latest lookup of the address.

        Args:
            client, server: the addresses of both ends.
            time: when its first segment was seen.
        """
        for lookup in reversed(self._addresses.get((client, server), ())):
            named = max((one for one in lookup.named if one <= time), default=None)
            if named is not None and time - named <= TOGETHER and not lookup.used:
                lookup.used = True
                return Opening(lookup.asked, named)
        return Opening()

    def rest(self) -> Iterator[Request]:
        """The questions without an answer, when nothing more comes."""
        for request, _ in self._open.values():
            yield request
        self._open.clear()

    def _ask(self, datagram: Datagram, record: DNSRecord) -> Iterator[Request]:
        client, server = datagram.source, datagram.destination
        key = client, server, record.header.id
        time, name = datagram.frame.time, name_of(record)
        moment = Moment(time, time, datagram.frame.number)
        asked = self._messages.asked(record)
        before, _ = self._open.get(key, (None, ""))
        if before is not None:
            if before.what == asked:
                return  # it is asked again
            yield before
        request = Request(
            self._number(),
            None,
            client,
            server,
            "DNS",
            moment,
            moment,
            what=asked,
            sent=len(datagram.payload),
            costs={},
        )
        self._open[key] = request, name
        lookup = self._lookups.get((client.ip, name))
        if lookup is None or time - lookup.asked > TOGETHER:
            _keep(self._lookups, (client.ip, name), _Lookup(time, []))
        if len(self._open) > MOST_REMEMBERED:
            request, _ = self._open.pop(next(iter(self._open)))
            yield request

    def _answer(self, datagram: Datagram, message: Message) -> Iterator[Request]:
        record = message.record
        client, server, time = datagram.destination, datagram.source, datagram.frame.time
        request, name = self._open.pop((client, server, record.header.id), (None, ""))
        if request is None:
            return
        request.answered = request.ended = Moment(time, time, datagram.frame.number)
        request.received, request.whole = len(datagram.payload), True
        request.status = self._messages.status(record)
        lookup = self._lookups.get((client.ip, name))
        if lookup is not None:
            lookup.named = [*lookup.named[-10:], time]
            for found in addresses(datagram.payload, message.at, message.answers):
                address = client.ip, found
                if address not in self._addresses:
                    _keep(self._addresses, address, deque(maxlen=4))
                if lookup not in self._addresses[address]:
                    self._addresses[address].append(lookup)
        yield request


def _keep(known: dict, key: tuple[str, str], value: object) -> None:  # type: ignore[type-arg]
    """Remember something, and forget the oldest where that is too much."""
    known[key] = value
    if len(known) > MOST_REMEMBERED:
        del known[next(iter(known))]


def name_of(record: DNSRecord) -> str:
    """The name that is asked for."""
    return str(record.q.qname).rstrip(".")[:MOST_TEXT] or "."
