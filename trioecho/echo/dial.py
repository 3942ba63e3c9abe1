"""Connecting: each address in turn, and one error when none of them answers."""

from __future__ import annotations

import errno
import math
import os
from typing import TYPE_CHECKING

import trio

from trioecho.errors import PeerResetError, TrioechoError
from trioecho.sockets.address import Address, resolve
from trioecho.sockets.observed import ObservedSocket
from trioecho.sockets.told import SocketFactory, plain_socket

if TYPE_CHECKING:
    from trioecho.sockets.recorder import Record, SocketAddress

# The most informative comes first: a refusal proves that the machine is there.
_TELLING = (errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)


async def open_connection(
    address: Address,
    *,
    nagle: bool = True,
    timeout: float = math.inf,
    factory: SocketFactory = plain_socket,
    record: Record | None = None,
) -> ObservedSocket:
    """Connect to a server, trying each address of its name in turn.

    Args:
        address: where to connect to.
        nagle: False sets TCP_NODELAY before connecting.
        timeout: seconds for all attempts together; each gets an equal share of what is left.
        factory: makes the socket.
        record: is told each call.

    Returns:
        The connected socket, which the caller closes.

    Raises:
        TrioechoError: the name is not known, or no address accepted the connection.
    """
    found = await resolve(address)
    start = trio.current_time()
    deadline = start + timeout
    failures: list[OSError] = []
    for tried, (family, place) in enumerate(found):
        share = (deadline - trio.current_time()) / (len(found) - tried)
        try:
            with trio.fail_after(max(share, 0)):
                return await _connect(family, place, nagle, factory, record)
        except trio.TooSlowError:
            failures.append(OSError(errno.ETIMEDOUT, "no answer"))
        except OSError as error:
            failures.append(error)
    raise _refusal(address, failures, min(trio.current_time() - start, timeout))


async def _connect(
    family: int,
    place: SocketAddress,
    nagle: bool,
    factory: SocketFactory,
    record: Record | None,
) -> ObservedSocket:
    connection = await ObservedSocket.create(family, end="client", factory=factory, record=record)
    try:
        if not nagle:
            connection.set_nodelay()
        await connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection


def _refusal(address: Address, failures: list[OSError], waited: float) -> TrioechoError:
    """The most telling of the failures, as a sentence."""
    numbers = [failure.errno for failure in failures]
    number = next((n for n in _TELLING if n in numbers), numbers[0] if numbers else None)
    match number:
        case errno.ECONNREFUSED:
            return PeerResetError(
                f"{address} refused the connection: nothing listens there",
                f"Start a server with: trioecho serve {address}",
            )
        case errno.ETIMEDOUT:
            return TrioechoError(
                f"{address} did not answer within {waited:.3g} s",
                "The machine may be off, or a firewall may drop the packets",
            )
        case errno.EHOSTUNREACH | errno.ENETUNREACH:
            return TrioechoError(
                f"{address} cannot be reached: there is no route to that network",
                "Check the address, and this machine's routes with: ip route",
            )
        case errno.EMFILE | errno.ENFILE:
            return TrioechoError(f"No socket is left for {address}", "Raise `ulimit -n`")
        case errno.ECONNRESET:
            return PeerResetError(f"Cannot connect to {address}: {os.strerror(number)}")
        case None:
            return TrioechoError(f"{address} has no TCP address")
        case _:
            why = failures[numbers.index(number)].strerror
            return TrioechoError(f"Cannot connect to {address}: {why}")
