"""Company: all parties of a lesson, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host
from trioecho.lessons.lesson import Lesson
from trioecho.lessons.party import Meetings, Party, Place
from trioecho.model import OTHER, End
from trioecho.sockets.recorder import Record
from trioecho.trace.place import factory


class Company:
    """All parties of a lesson.

    Args:
        lesson: says what each does.
        hosts: where they stand; both ends may be on one.
        record: is told each of their calls.

    Attributes:
        failures: what went wrong.
    """

    def __init__(self, lesson: Lesson, hosts: Mapping[End, Host], record: Record) -> None:
        self.failures: list[TrioechoError] = []
        parties = lesson.parties
        meetings = Meetings([script for _, script in parties])
        self._parties = []
        for end, script in parties:
            own, other = hosts[end], hosts[OTHER[end]]
            place = Place(factory(own), own.address, other.address, record)
            self._parties.append(Party(end, script, place, meetings))

    async def act(self, stop: trio.Event, patience: float) -> None:
        """Let all of them do their steps; when one fails, the others are cut off.

        A client begins when every server that listens in this lesson does so.

        Args:
            stop: when set, all are cut off.
            patience: seconds until whoever is not done will not be any more.
        """
        with trio.move_on_after(patience) as scope:
            async with trio.open_nursery() as watching:

                async def interrupt() -> None:
                    await stop.wait()
                    watching.cancel_scope.cancel()

                async def party(one: Party) -> None:
                    try:
                        if one.end == "client":
                            for other in self._parties:
                                await other.listens.wait()
                        await one.act()
                    except TrioechoError as error:
                        self.failures.append(error)
                        watching.cancel_scope.cancel()

                watching.start_soon(interrupt)
                async with trio.open_nursery() as nursery:
                    for one in self._parties:
                        nursery.start_soon(party, one)
                watching.cancel_scope.cancel()
        if scope.cancelled_caught:
            where = " and ".join(
                f"the {one.end} at {one.at.text!r}" for one in self._parties if one.at is not None
            )
            what = f"The lesson was not over {patience:g} s after its beginning: {where}"
            self.failures.append(TrioechoError(what))

    def complain(self) -> None:
        """Raise the first failure, if there is any."""
        if self.failures:
            raise self.failures[0]

    def close(self) -> None:
        """Close what the parties have left open."""
        for one in self._parties:
            one.close()
