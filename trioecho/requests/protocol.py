"""What every protocol is given, and what it does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple, Protocol

from trioecho.model import End
from trioecho.requests.flow import Part
from trioecho.requests.request import Moment, Request

#: Bytes of a header at most, in any protocol.
MOST_HEADER = 64 << 10
#: Requests of one connection that may wait for their answer.
MOST_OPEN = 1_000
#: Characters of a target or a name that are kept.
MOST_TEXT = 2_000


#: What has become of a request: it begins; it is known what it asks, and what the answer is; and
#: it is over.
Change = Literal["begin", "asked", "answered", "done"]


class GiveUp(Exception):  # noqa: N818
    """The bytes are not, or no longer, those of this protocol."""


class Missing(Exception):  # noqa: N818
    """A package is missing that reads this protocol."""


class Log(Protocol):
    """Where a protocol says what it has found."""

    def begin(self, protocol: str, moment: Moment, asker: End = "client") -> Request:
        """A request begins."""

    def asked(self, request: Request) -> None:
        """It is known what a request asks."""

    def answered(self, request: Request) -> None:
        """It is known what the answer is, as far as its head tells."""

    def done(self, request: Request) -> None:
        """Its answer is over, or will not come."""

    def waited(self, end: End, heard: Moment, said: Moment) -> int:
        """How long an end has waited with what it said, after what it had heard; nanoseconds."""


class Handover(NamedTuple):
    """Another protocol goes on, from some bytes on that were sent already."""

    talk: Talk
    parts: list[tuple[End, Part]]


class Talk(ABC):
    """A protocol, as an observer of both directions reads it."""

    @abstractmethod
    def take(self, end: End, part: Part) -> Handover | None:
        """Take bytes that an end sent.

        Returns:
            What goes on from here, None for this one.

        Raises:
            GiveUp: this is not its protocol.
        """

    def close(self, end: End, moment: Moment) -> None:  # noqa: B027
        """An end has sent all that it will."""

    @abstractmethod
    def stop(self) -> None:
        """Nothing more comes: what is open ends as it is."""


def text(data: bytes) -> str:
    """Bytes of a header as text of a length that can be kept."""
    return data[:MOST_TEXT].decode("utf-8", "backslashreplace")
