"""Wire: the private wire as a test uses it: two hosts, faults, and the ladder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from shutil import get_terminal_size

import trio

from trioecho.errors import TrioechoError
from trioecho.faults.faults import parse
from trioecho.model import Rung
from trioecho.render import FORMATS, Setting
from trioecho.render.script import TOLERANCE, compare
from trioecho.stage.on_wire import OnWire, open_on_wire
from trioecho.stage.wire import INTERFACES
from trioecho.testing.host import WireHost
from trioecho.testing.portal import Portal, open_portal
from trioecho.view import Connection, Ladder

# How many times to read waiting packets before a test looks at the ladder.
_GOES = 64
# The most lines of a ladder that are shown, half of them from its beginning.
_MOST_LINES = 400
# Columns of a ladder in a file.
_WIDTH = 100


class Wire:
    """Two hosts, the wire between them, and what was seen on it.

    Each attribute shows everything that has happened so far. All segments are kept, with their
    bytes.

    Args:
        portal: into the wire's loop.
        stage: the wire there, with its journal.
        stack: closed at the end of the test.

    Attributes:
        client, server: the hosts.
        faults: the wire's faults, in words.
    """

    def __init__(self, portal: Portal, stage: OnWire, stack: ExitStack) -> None:
        self.client = WireHost(portal, stage.host("client"), stack)
        self.server = WireHost(portal, stage.host("server"), stack)
        self.faults: list[str] = []
        self._portal = portal
        self._stage = stage
        self._last: Ladder | None = None
        self._strict = False

    def __repr__(self) -> str:
        return f"<wire: client {self.client.address}, server {self.server.address}>"

    def fault(self, *texts: str) -> None:
        """Add a fault, from now on.

        Args:
            texts: in the words of the fault grammar, such as ``drop syn-ack``.

        Raises:
            TrioechoError: a word is not valid, or the fault comes too late: an MTU belongs in the
                mark ``@pytest.mark.wire("mtu 576")``.
        """
        __tracebackhide__ = True
        for text in texts:
            fault = parse(text)
            self._portal.call(self._fault, fault.text)
            self.faults.append(fault.text)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """A sentence for each fault that has not acted."""
        return self._look().summary.unmatched

    def strict(self, on: bool = True) -> None:
        """Let the test fail at its end if a fault has not acted by then.

        Args:
            on: whether it fails; False takes that back.
        """
        self._strict = on

    def check_faults(self) -> None:
        """Check that each fault has acted, if the wire is strict.

        Raises:
            AssertionError: one has not; the message says what was sent instead.
        """
        __tracebackhide__ = True
        missed = self.unmatched if self._strict else ()
        if missed:
            raise AssertionError(f"The wire is strict, and {'; '.join(missed)}")

    # ---- what was seen ---------------------------------------------------------------------------

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Each segment on the wire, with both ends' states after it and its facts."""
        return self._look().rungs

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections, in the order in which they were opened."""
        return tuple(self._look())

    def connection(self, number: int | None = None) -> Connection:
        """One connection.

        Args:
            number: its number, from 1; None for the only one.

        Returns:
            The connection, as it stands now.

        Raises:
            AssertionError: there is none, or more than one.
        """
        __tracebackhide__ = True
        found = self.connections
        if not found:
            raise AssertionError("There is no connection: no TCP segment was sent over the wire")
        if number is None and len(found) == 1:
            return found[0]
        listed = "\n".join(f"  {one!r}" for one in found)
        if number is None:
            raise AssertionError(f"Which of the {len(found)} connections?\n{listed}")
        if not 1 <= number <= len(found):
            raise AssertionError(f"There is no connection {number}, only\n{listed}")
        return found[number - 1]

    def match(self, ladder: str, tolerance: float = TOLERANCE / 1e9) -> None:
        """Compare all segments with a ladder; only what its lines say is compared.

        Args:
            ladder: in the ``.ladder`` notation.
            tolerance: how far a time in it may be off, in seconds.

        Raises:
            AssertionError: they differ; the message says how, line by line.
            TrioechoError: a word of the ladder is not valid.
        """
        __tracebackhide__ = True
        if difference := compare(ladder, self.rungs, round(tolerance * 1e9)):
            what = "The wire carried other segments (+) than expected (-):"
            raise AssertionError(f"{what}\n{difference}")

    def settle(self, timeout: float = 10.0) -> None:
        """Wait until every connection has ended, so that no more segments follow.

        Args:
            timeout: seconds to wait.

        Raises:
            AssertionError: one has not ended within that time.
        """
        __tracebackhide__ = True
        if self._portal.call(self._settled, timeout):
            return
        still = "\n".join(f"  {one!r}" for one in self.connections)
        hint = ""
        if trio.lowlevel.in_trio_task():
            hint = (
                "\nThis test's own loop was blocked meanwhile; to let it run:"
                "\n  await trio.to_thread.run_sync(wire.settle)"
            )
        raise AssertionError(f"Not every connection has ended after {timeout:g} s:\n{still}{hint}")

    def ladder(self) -> str:
        """The ladder, as the terminal shows it; the middle of a long one is left out."""
        encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
        unicode, width = encoding.lower().startswith("utf"), get_terminal_size().columns
        return shortened(self._rendered("terminal", width, unicode).decode())

    def render(self, format: str = "pcapng") -> bytes:  # noqa: A002
        """All segments, as a file.

        Args:
            format: ``terminal``, ``json``, ``ladder``, ``pcapng`` or ``svg``.

        Returns:
            What such a file holds; a ``pcapng`` also says what became of each packet, and
            ``trioecho read`` shows it as the ladder that it was.

        Raises:
            TrioechoError: there is no such format.
        """
        __tracebackhide__ = True
        if format not in FORMATS:
            raise TrioechoError(f"There is no format {format!r}", f"There are {', '.join(FORMATS)}")
        return self._rendered(format)

    def _rendered(self, name: str, width: int = _WIDTH, unicode: bool = True) -> bytes:
        __tracebackhide__ = True
        ladder = self._look()
        done = "; ".join(self.faults)
        title = f"private wire; {done}" if done else "private wire"
        renderer = FORMATS[name](
            Setting(title, INTERFACES, width=width, unicode=unicode, several=len(ladder) > 1)
        )
        parts = renderer.begin(), renderer.show(ladder.rungs), renderer.end(ladder.summary)
        return b"".join(parts)

    def _look(self) -> Ladder:
        __tracebackhide__ = True
        return self._last or self._portal.call(self._seen)

    def close(self) -> None:
        """Take the last snapshot, which all attributes show from now on."""
        self._last = self._look()

    # ---- in the loop -----------------------------------------------------------------------------

    async def _fault(self, text: str) -> None:
        self._stage.wire.fault(text)

    async def _seen(self) -> Ladder:
        for _ in range(_GOES):
            if not self._stage.wire.drain():
                break
        return self._stage.ladder()

    async def _settled(self, timeout: float) -> bool:
        with trio.move_on_after(timeout) as scope:
            await self._stage.over()
        return not scope.cancelled_caught


def shortened(text: str) -> str:
    """A ladder without its middle, where it is long."""
    lines = text.rstrip().splitlines()
    if (more := len(lines) - _MOST_LINES) > 0:
        half = _MOST_LINES // 2
        lines[half:-half] = [f"… {more:,} lines left out; wire.rungs has all …"]
    return "\n".join(lines)


@contextmanager
def open_wire(faults: Sequence[str] = ()) -> Iterator[Wire]:
    """A wire for one test, for as long as the block lasts; the fixture ``wire`` is one.

    Args:
        faults: what the wire does, and to which segments, in the words of the fault grammar.

    Returns:
        A context manager that gives the `Wire`.

    Raises:
        TrioechoError: a word of a fault is not valid.
        NamespaceUnavailable: there is no such wire here; the message says what is missing.
        AssertionError: the wire is strict, and a fault has not acted.
    """
    with open_portal(open_on_wire(faults, most=None)) as (portal, stage), ExitStack() as stack:
        wire = Wire(portal, stage, stack)
        wire.faults += faults
        stack.callback(wire.close)
        yield wire
        wire.check_faults()
