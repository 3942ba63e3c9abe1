"""A capture file read again, for the accounts of some of its connections.

A table of thousands shows a screenful of them. It takes less time to read the file once more for
those, and to pass over all others at a glance, than to account for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from trioecho.account import Account, Accounts
from trioecho.capture.files import CaptureFile, open_capture_file
from trioecho.model import ConnectionSummary, Frame, Segment
from trioecho.packet.decode import ports_at_a_glance
from trioecho.reading.reading import Reading


class Few:
    """Some connections of a capture, by their endpoints.

    Args:
        connections: the connections.
    """

    def __init__(self, connections: Sequence[ConnectionSummary]) -> None:
        ends = [(one.client, one.server) for one in connections]
        self._flows = {*ends, *((server, client) for client, server in ends)}
        self._ports = {client.port ^ server.port for client, server in ends}

    def takes(self, segment: Segment) -> bool:
        """Whether a segment is between such endpoints."""
        return (segment.source, segment.destination) in self._flows

    def passes(self, data: bytes, start: int, end: int, link: int) -> bool:
        """Whether a packet is at a glance one of other connections."""
        ports = ports_at_a_glance(data, start, end, link)
        return ports is not None and ports not in self._ports


def accounts_of(
    path: str,
    connections: Sequence[ConnectionSummary],
    frames_of: Callable[[CaptureFile], Iterator[list[Frame]]],
) -> dict[int, Account]:
    """Read a capture file for the accounts of some connections.

    Args:
        path: the file.
        connections: those that were found in it before.
        frames_of: gives its frames.

    Returns:
        The accounts by the connections' numbers.

    Raises:
        TrioechoError: the file cannot be read.
    """
    if not connections:
        return {}
    few = Few(connections)
    reading, accounts = Reading(share=few), Accounts()
    with open_capture_file(path, passing=few.passes) as file:
        for frames in frames_of(file):
            accounts.see(list(reading.rungs(frames)))
    accounts.see(reading.rest())
    numbers = {one.first_frame: one.number for one in connections}
    known = {one.number: numbers.get(one.first_frame) for one in reading.connections()}
    return {
        number: replace(account, connection=number)
        for account in accounts.end()
        if (number := known.get(account.connection)) is not None
    }
