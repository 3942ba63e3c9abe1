"""A capture with made-up frames."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from trioecho.capture.live import Capture
from trioecho.errors import TrioechoError
from trioecho.model import Frame

MOST_MARKS = 1000  # more than anybody waiting for an answer needs


class Canned(Capture):
    """Delivers given batches, then nothing or an error.

    Args:
        batches: the batches.
        index: the interface's number.
        failure: the error after the last batch.

    Attributes:
        marks: how often it was marked.
    """

    link = 101

    def __init__(
        self,
        batches: Sequence[list[Frame]] = (),
        index: int = 0,
        failure: TrioechoError | None = None,
    ) -> None:
        super().__init__(f"canned{index}", 1)
        self._batches = list(batches)
        self._captured = sum(map(len, batches))
        self._failure = failure
        self.marks = 0

    def dropped(self) -> int:
        return 0

    def close(self) -> None:
        pass

    def mark(self) -> None:
        self.marks += 1
        assert self.marks < MOST_MARKS, "it is marked again and again"
        super().mark()

    def _taken(self) -> int:
        return self._captured

    def _read(self) -> list[Frame]:
        batch = self._batches.pop(0) if self._batches else []
        self.number += len(batch)
        return batch

    async def _wait(self) -> None:
        if self._failure is not None:
            raise self._failure
        await trio.sleep_forever()
