"""The TLS records that begin in a payload, as far as their headers tell (RFC 8446 §5.1). PURE.

A segment is looked at alone. One that begins in the middle of a record has none here: TCP knows
nothing of records, and cuts where it likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trioecho.text import bytes_of

HEADER = 5
#: Bytes in a record at most: 2 ** 14, and what encrypting may add (RFC 5246 §6.2.3).
MOST_RECORD = (1 << 14) + 2048
#: Content types, and the two handshake messages that come in the clear in every version.
CHANGE, ALERT, HANDSHAKE, DATA = range(20, 24)
CLIENT_HELLO, SERVER_HELLO = 1, 2
_MESSAGES = {
    0: "HelloRequest",
    CLIENT_HELLO: "ClientHello",
    SERVER_HELLO: "ServerHello",
    4: "NewSessionTicket",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    22: "CertificateStatus",
}
# https://www.iana.org/assignments/tls-parameters
_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}
ENCRYPTED = "encrypted record"
_MOST_WORDS = 8  # of one segment, which may hold thousands that are as good as empty


def alert_of(body: bytes) -> str:
    """An alert in the words of its RFC; its number where none has it.

    >>> alert_of(b"\\x02\\x28"), alert_of(b"\\x02\\xff")
    ('handshake_failure', '255')
    """
    return _ALERTS.get(body[1], str(body[1]))


class Record(NamedTuple):
    """A record.

    Args:
        kind: what it is, such as ``ClientHello``, as far as that can be read.
        size: its bytes, with the header.
        held: how many of them the payload holds.
    """

    kind: str
    size: int
    held: int


def records(payload: bytes) -> list[Record]:
    """The records of a payload that begins with one; none if any is not valid."""
    found: list[Record] = []
    at, hidden = 0, False
    while at < len(payload):
        head = payload[at : at + HEADER]
        if len(head) < HEADER:
            break  # the rest of the header comes with the next segment
        size = HEADER + int.from_bytes(head[3:])
        body = payload[at + HEADER : at + size]
        kind = _kind(head, body, hidden=hidden)
        if not kind:
            return []
        hidden = hidden or head[0] == CHANGE
        found.append(Record(kind, size, HEADER + len(body)))
        at += size
    return found


def told(found: Sequence[Record]) -> str:
    """Records in words.

    >>> told(records(bytes.fromhex("140303000101" "1703030013") + bytes(10)))
    'TLS: ChangeCipherSpec, 15 of 24 bytes of an encrypted record'
    """
    words = list(_each(found))
    if len(words) > _MOST_WORDS:
        words = [*words[:_MOST_WORDS], f"{len(words) - _MOST_WORDS:,} more"]
    return f"TLS: {', '.join(words)}" if words else ""


def _each(found: Sequence[Record]) -> Iterator[str]:
    hidden = 0  # whole encrypted records in a row
    for index, one in enumerate(found):
        if one.held < one.size:
            article = "an" if one.kind[0] in "aeiouAEIOU" else "a"
            yield f"{one.held:,} of {bytes_of(one.size)} of {article} {one.kind}"
            continue
        if one.kind != ENCRYPTED:
            yield one.kind
            continue
        hidden += 1
        following = found[index + 1] if index + 1 < len(found) else None
        if following is None or following.kind != ENCRYPTED or following.held < following.size:
            yield ENCRYPTED if hidden == 1 else f"{hidden} {ENCRYPTED}s"
            hidden = 0


def _kind(head: bytes, body: bytes, *, hidden: bool) -> str:
    """What a record is; ``""`` if this is none."""
    size = int.from_bytes(head[3:])
    if head[1] != 3 or head[2] > 4 or not 0 < size <= MOST_RECORD:
        return ""
    if head[0] == CHANGE:
        return "ChangeCipherSpec" if size == 1 else ""
    if head[0] == DATA:
        return ENCRYPTED
    if head[0] == ALERT and size == 2:
        return f"alert {alert_of(body)}" if len(body) == 2 else "alert"
    if head[0] == HANDSHAKE and not hidden:
        return _messages(body, size)
    # In TLS 1.2 the outer type of an encrypted record is that of what it holds.
    return ENCRYPTED if head[0] in (ALERT, HANDSHAKE) and size >= 16 else ""


def _messages(body: bytes, size: int) -> str:
    """The handshake messages of a record, as far as they fit it; an encrypted one has none."""
    names: list[str] = []
    at = 0
    while at + 4 <= len(body) and len(names) < _MOST_WORDS:
        name = _MESSAGES.get(body[at], "")
        at += 4 + int.from_bytes(body[at + 1 : at + 4])
        if not name or at > size:
            break
        names.append(name)
    return " + ".join(names) or "handshake record"
