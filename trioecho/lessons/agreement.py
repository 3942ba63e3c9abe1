"""Compares the ladder's last states with the kernels': a check of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trioecho.hosts.sockdiag import Diag
from trioecho.lessons.lesson import Unseen
from trioecho.model import End, State
from trioecho.tcp.tracker import Tracker

# Before the server knows a connection, and after both have forgotten it, there is none.
_NONE = (State.UNKNOWN, State.CLOSED, State.LISTEN)


def disagreements(
    tracker: Tracker, diags: Mapping[End, Diag], unseen: Sequence[Unseen] = ()
) -> Iterator[str]:
    """Compare the state of each end of each connection with what its kernel says."""
    excused = {(one.connection, one.end): one for one in unseen}
    for connection in tracker.connections:
        client, server = connection.client, connection.server
        if tracker.find(client.endpoint, server.endpoint) is not connection:
            continue
        for end, mine, theirs in (("client", client, server), ("server", server, client)):
            held = diags[end].find_now(mine.endpoint, theirs.endpoint)  # type: ignore[index]
            kernel = State.CLOSED if held is None else held.state
            shown = State.CLOSED if mine.state in _NONE else mine.state
            excuse = excused.pop((connection.number, end), None)  # type: ignore[arg-type]
            wanted = (shown, shown) if excuse is None else (excuse.shown, excuse.kernel)
            if (shown, kernel) != wanted:
                yield (
                    f"the {end} of connection {connection.number} is {kernel} in the kernel,"
                    f" and {mine.state} on the ladder"
                )
    for (number, end), excuse in excused.items():
        yield f"connection {number} has no {end} that could be {excuse.kernel}"
