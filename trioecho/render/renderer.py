"""What every format is given, and what it must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from trioecho.model import Call, Frame, Process, Rung, Stopped, Summary

if TYPE_CHECKING:
    from trioecho.account import Account

#: What a renderer is shown.
Event: TypeAlias = Rung | Call | Process | Stopped


class Setting(Struct, frozen=True):
    """What a renderer needs to know before the first event.

    Args:
        title: one line that says what is shown, and where.
        interfaces: the interfaces' names, indexed by ``Frame.interface``; may grow while in use.
        width: the screen's width in columns.
        unicode: whether arrows may use characters beyond ASCII.
        color: whether ANSI colours may be used.
        absolute: whether to show raw sequence numbers.
        several: whether there are known to be several connections, so that rows must be numbered.
        fold: after how many rungs uneventful ones are folded; None to fold none.
        refill: how many more rungs may be shown in full for each second that passes.
        room: how many lines a ladder may have, without what is around it; None for any number.
        start: the time that counts as zero, nanoseconds since the epoch; None for the first event.
        details: returns lines to show below a rung, such as its dissected fields; None for none.
    """

    title: str = ""
    interfaces: Sequence[str] = ()
    width: int = 80
    unicode: bool = True
    color: bool = False
    absolute: bool = False
    several: bool = False
    fold: int | None = None
    refill: int = 0
    room: int | None = None
    start: int | None = None
    details: Callable[[Frame], Sequence[str]] | None = None


class Renderer(Protocol):
    """One format. Each method returns the bytes to write, possibly none."""

    def begin(self) -> bytes:
        """What stands before the first event."""

    def show(self, events: Sequence[Event]) -> bytes:
        """Renders some events.

        Args:
            events: the events, in order of time.

        Returns:
            The bytes to write now; none where the renderer waits for the end.
        """

    def end(self, summary: Summary) -> bytes:
        """What stands after the last event. What was written before is valid without it.

        Args:
            summary: the summary of the whole ladder.

        Returns:
            The last bytes to write.
        """


@runtime_checkable
class Accounted(Renderer, Protocol):
    """A format that says where the time of connections went."""

    def tell(self, accounts: Sequence[Account]) -> bytes:
        """Takes the accounts of its connections, when all events have been shown.

        Args:
            accounts: the accounts, in the order of the connections.

        Returns:
            The bytes to write now.
        """
