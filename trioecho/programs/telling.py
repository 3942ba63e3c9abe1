"""What programs write, told in its place: behind whatever is older in the ladder."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from trioecho.programs.lines import ProgramLine, Tell
from trioecho.stage.outputs import Events, Kept, Output
from trioecho.stage.stage import RecordedStage

# Seconds that a line waits for what is older: a segment may be under way for longer, or a call.
PATIENCE = 1.0
_MOST = 1_000  # batches of lines that wait


class LinesOutput(Output):
    """Tells programs' lines, each once the outputs beside it have shown all that is older.

    Args:
        stage: where the programs run.
        beside: the other outputs.
        tell: shows lines.
    """

    def __init__(self, stage: RecordedStage, beside: Sequence[Output], tell: Tell) -> None:
        super().__init__(Kept(), lambda data: None, abandon=True)
        self._stage, self._beside, self._tell = stage, beside, tell
        self._lines, self._told = trio.open_memory_channel[tuple[float, Sequence[ProgramLine]]](
            _MOST
        )

    async def tell(self, lines: Sequence[ProgramLine]) -> None:
        """Queue lines."""
        await self._lines.send((trio.current_time(), lines))

    async def put(self, events: Events) -> None:
        """Nothing: the others show events."""

    def finish(self) -> None:
        """There are no more lines."""
        self._lines.close()

    async def run(self) -> None:
        """Tell lines until they end."""
        async with self._told:
            async for since, lines in self._told:
                with trio.move_on_at(since + PATIENCE):
                    await self._reached(lines[-1].time)
                await self._tell(lines)

    async def _reached(self, time: int) -> None:
        """Wait until the other outputs have shown everything up to a time."""
        if not self._stage.journal.finished:
            await self._stage.settle()
        await self._stage.journal.passed(time)
        for output in self._beside:
            await output.caught_up()
