"""TLS over a party's connection: OpenSSL's, held to one version, group and certificate.

All sizes are the same with any OpenSSL: the ClientHello is padded to 512 bytes (RFC 7685), keys are
of one group, signatures are Ed25519's, and there are no session tickets, whose sizes vary.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from time import time_ns
from typing import TypeVar

from trioecho.errors import TrioechoError
from trioecho.lessons.steps import UNEXPECTED_EOF
from trioecho.model import End
from trioecho.packet.records import ENCRYPTED, records
from trioecho.sockets.observed import ObservedSocket

# Whom the client expects, and the key and certificate that prove it. They are in every copy of
# trioecho: they protect nothing.
_NAME = "server.example"
_IDENTITY = Path(__file__).parent / "library" / "server.pem"
_GROUP = "prime256v1"
_PROTOCOL = "lesson"  # ALPN's; it also makes the ClientHello long enough to be padded
_PADDING = 0x10  # SSL_OP_TLSEXT_PADDING, which Python does not name
# Some versions of Python let OpenSSL take a FIN for an end of TLS; an older OpenSSL cannot.
_IGNORE_EOF = getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
_MOST = 65536  # bytes of one recv
# What each end sends encrypted before any data, a record each (RFC 8446 §2).
_HIDDEN: dict[End, tuple[str, ...]] = {
    "client": ("Finished",),
    "server": ("EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"),
}
T = TypeVar("T")


class Tls:
    """One end of a TLS session; each call of OpenSSL is recorded, as those of the socket are.

    Args:
        connection: the connection, which stays its owner's.
    """

    def __init__(self, connection: ObservedSocket) -> None:
        self._connection = connection
        self._read, self._written = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = connection.end == "server"
        self._tls = _context(connection.end).wrap_bio(
            self._read, self._written, server, server_hostname=None if server else _NAME
        )
        self._hidden: Iterator[str] = chain(_HIDDEN[connection.end], repeat("application data"))

    async def start(self) -> None:
        """Shake hands.

        Raises:
            OSError: the peer broke the connection, or the handshake failed.
        """
        name = "SSL_accept" if self._connection.end == "server" else "SSL_connect"
        await self._until_done(name, self._tls.do_handshake)
        self._connection.tell(time_ns(), name, result=0)

    async def send_all(self, data: bytes) -> None:
        """Send data as one or more records.

        Raises:
            OSError: the connection broke.
        """
        time = time_ns()
        self._tls.write(data)
        self._connection.tell(time, "SSL_write", result=len(data))
        await self._flush(self._hidden)

    async def recv(self, size: int) -> bytes:
        """Receive data of one record, once all of it has come; nothing after a close_notify.

        Raises:
            OSError: the connection broke, or ended without a close_notify.
        """
        try:
            data = await self._until_done("SSL_read", lambda: self._tls.read(size))
        except ssl.SSLZeroReturnError:
            data = b""
        self._connection.tell(time_ns(), "SSL_read", result=len(data))
        return data

    async def end(self) -> None:
        """Send a close_notify; receiving goes on.

        Raises:
            OSError: the connection broke.
        """
        self._connection.tell(time_ns(), "SSL_shutdown", result=0)
        with suppress(ssl.SSLWantReadError):  # the peer's own has not come, and need not
            self._tls.unwrap()
        await self._flush(repeat("close_notify"))

    async def _until_done(self, name: str, call: Callable[[], T]) -> T:
        """Make a call of OpenSSL's, again and again, with what the wire brings in between."""
        while True:
            try:
                done = call()
            except ssl.SSLWantReadError:
                await self._flush(self._hidden)
                self._take(await self._connection.recv(_MOST))
            except ssl.SSLZeroReturnError:
                raise
            except ssl.SSLError as error:
                if isinstance(error, ssl.SSLEOFError):
                    error.reason = UNEXPECTED_EOF  # an older OpenSSL has no word for it
                self._connection.tell(time_ns(), name, error=error)
                raise
            else:
                await self._flush(self._hidden)
                return done

    def _take(self, data: bytes) -> None:
        if data:
            self._read.write(data)
        else:
            self._read.write_eof()

    async def _flush(self, hidden: Iterable[str]) -> None:
        """Send what OpenSSL has written, in one call."""
        data = self._written.read()
        if data:
            names = iter(hidden)
            kinds = (one.kind for one in records(data))
            holds = [next(names) if kind == ENCRYPTED else kind for kind in kinds]
            await self._connection.send_all(data, ", ".join(dict.fromkeys(holds)))


@cache
def _context(end: End) -> ssl.SSLContext:
    """One end's settings.

    Raises:
        TrioechoError: this OpenSSL cannot do it.
    """
    try:
        server = end == "server"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.set_ecdh_curve(_GROUP)
        context.set_alpn_protocols([_PROTOCOL])
        context.options |= _PADDING
        context.options &= ~_IGNORE_EOF
        if server:
            context.num_tickets = 0
            context.load_cert_chain(_IDENTITY)
        else:
            context.load_verify_locations(_IDENTITY)
    except (OSError, ValueError) as error:
        what = f"{ssl.OPENSSL_VERSION} cannot do TLS 1.3 with {_GROUP} and Ed25519 here: {error}"
        raise TrioechoError(what, "A system-wide policy may forbid it") from None
    return context
