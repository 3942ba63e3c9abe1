"""Company: all parties of a lesson, side by side."""

from __future__ import annotations

import trio

from trioecho.errors import TrioechoError
from trioecho.lessons.lesson import Lesson
from trioecho.lessons.player import Meetings, Player
from trioecho.stage.play import cancelled_by
from trioecho.stage.stage import Stage


class Company:
    """All parties of a lesson."""

    def __init__(self, lesson: Lesson, stage: Stage) -> None:
        self._failures: list[TrioechoError] = []
        meetings = Meetings([script for _, script in lesson.parties])
        self._parties = [Player(end, script, stage, meetings) for end, script in lesson.parties]

    async def act(self, stop: trio.Event, patience: float) -> list[TrioechoError]:
        """Run all parties' steps; when one fails, the others are cancelled.

        The clients begin once every server of this lesson listens.
        """
        with trio.move_on_after(patience) as scope:
            async with cancelled_by(stop) as acting, trio.open_nursery() as nursery:

                async def party(one: Player) -> None:
                    try:
                        if one.end == "client":
                            for other in self._parties:
                                await other.listens.wait()
                        await one.act()
                    except TrioechoError as error:
                        self._failures.append(error)
                        acting.cancel()

                for one in self._parties:
                    nursery.start_soon(party, one)
        if scope.cancelled_caught:
            where = " and ".join(
                f"the {one.end} at {one.at.text!r}" for one in self._parties if one.at is not None
            )
            what = f"The lesson was not over {patience:g} s after its beginning: {where}"
            self._failures.append(TrioechoError(what))
        return self._failures

    def close(self) -> None:
        """Close what the parties have left open."""
        for one in self._parties:
            one.close()
