"""``trioecho why --requests``: the requests in each file."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappush, heappushpop

from trioecho.account import Accounts
from trioecho.capture.files import open_capture_file
from trioecho.cli.capture_files import complain_of, demand, each_of, through
from trioecho.cli.read_overview import instead
from trioecho.cli.stderr import warn
from trioecho.cli.stdout import say, styled, width, write_bytes
from trioecho.cli.why_files import Question
from trioecho.model import Rung
from trioecho.reading.reading import Reading
from trioecho.render.requests import Totals, as_json, table
from trioecho.requests import Request, Requests
from trioecho.text import plural


class _Slowest:
    """The requests that took longest, and what all come to."""

    def __init__(self, limit: int) -> None:
        self.totals = Totals()
        self.count = 0
        self._limit = limit
        self._heap: list[tuple[int, int, Request]] = []

    def add(self, request: Request) -> None:
        """Take a request."""
        self.count += 1
        self.totals.add(request)
        entry = (request.end - request.begin, -request.number, request)
        if len(self._heap) < self._limit:
            heappush(self._heap, entry)
        else:
            heappushpop(self._heap, entry)

    def show(self, name: str) -> None:
        """Show them in their order."""
        if not self.count:
            say(f"{name}: there is no request, and no turn of a talk")
            return
        columns = width()
        found = sorted((one for *_, one in self._heap), key=lambda one: one.number)
        for line, style in [*table(found, columns), *self.totals.lines(columns)]:
            say(styled(line, style))
        if self.count > len(found):
            more = plural(self.count - len(found), "quicker request")
            say(f"{more} not shown; --limit shows more of them, --format json all")


def requests_of_files(question: Question) -> int:
    """Show each file's requests; the exit code is 1 if one could not be read to its end."""
    return each_of(question.files, lambda name: _requests(question, name))


def _requests(question: Question, name: str) -> int:
    selection, slowest = question.selection, _Slowest(question.limit)

    def found(request: Request) -> None:
        if request.connection is None and not selection.everything:
            return  # a question for a name belongs to none of those that are selected
        if question.as_json:
            write_bytes(as_json(request) + b"\n")
        else:
            slowest.add(request)

    requests = Requests(found)
    accounts = Accounts(on_span=requests.take)
    with open_capture_file(name) as file:
        reading = Reading(selection, on_datagram=requests.hear)

        def see(rungs: Sequence[Rung]) -> None:
            requests.see(rungs)
            accounts.see(rungs)

        through(file, reading, see)
        demand(selection, reading, file.name)
        requests.stop()
        for _ in accounts.end():
            pass
        requests.end()
        if not reading.tracker.count and not slowest.count and not question.as_json:
            say(f"{file.name}: {instead(reading.census)}")
        elif not question.as_json:
            slowest.show(file.name)
        for sentence in requests.advice(names=selection.everything):
            warn(sentence)
        return complain_of(file, reading)
