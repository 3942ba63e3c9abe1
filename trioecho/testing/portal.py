"""A trio loop in a thread of its own, and the way into it.

Everywhere else tasks live in a nursery, and there are no hidden threads. A blocking test has no
loop, and a test with a loop may block it for any time; the wire must carry packets all the same. So
here is a thread, kept as a nursery keeps a task: one block starts and joins it, its end
cancels it, and an error in it is raised there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from threading import Thread
from typing import TypeVar, TypeVarTuple

import trio

from trioecho.errors import TrioechoError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Portal:
    """Runs async functions in a loop, for callers in other threads.

    ``trio.from_thread`` works only in threads without a loop; a pytest-trio test has one.
    """

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self._calls: set[Future[None]] = set()

    def call(self, function: Callable[[*Ts], Awaitable[T]], *arguments: *Ts) -> T:
        """Run an async function there and wait for it; an interrupt cancels it.

        Raises:
            TrioechoError: the loop has ended.
        """
        __tracebackhide__ = True
        done: Future[None] = Future()
        scope = trio.CancelScope()
        results: list[T] = []

        async def act() -> None:
            try:
                with scope:
                    results.append(await function(*arguments))
                done.set_result(None)
            except trio.Cancelled:
                done.set_exception(over())
                raise
            except BaseException as error:
                done.set_exception(error)
            finally:
                self._calls.discard(done)

        def begin() -> None:
            try:
                trio.lowlevel.spawn_system_task(act)
            except RuntimeError:  # the loop is about to end, and accepts no more tasks
                self._calls.discard(done)
                done.set_exception(over())

        self._calls.add(done)
        try:
            self._token.run_sync_soon(begin)
        except trio.RunFinishedError:
            self._calls.discard(done)
            raise over() from None
        try:
            done.result()
        except TrioechoError as error:
            raise error.with_traceback(None) from None  # it is complete; the context is ours
        finally:
            if not done.done():
                with suppress(trio.RunFinishedError):
                    self._token.run_sync_soon(scope.cancel)
        return results[0]

    def close(self) -> None:
        """End the calls that the loop did not get to before it ended."""
        for call in list(self._calls):
            call.set_exception(over())


def over() -> TrioechoError:
    """The error for a loop that has ended."""
    return TrioechoError("The wire has ended with its test", "Join what the test started before")


@contextmanager
def open_portal(manager: AbstractAsyncContextManager[T]) -> Iterator[tuple[Portal, T]]:
    """Open an async context manager in a trio loop in a thread, for as long as the block lasts.

    Raises:
        BaseException: what ``manager`` or the loop raised.
    """
    begun: Future[trio.lowlevel.TrioToken] = Future()
    opened: Future[T] = Future()
    scope = trio.CancelScope()
    failures: list[BaseException] = []

    async def main() -> None:
        begun.set_result(trio.lowlevel.current_trio_token())
        with scope:
            async with manager as value:
                opened.set_result(value)
                await trio.sleep_forever()

    def run() -> None:
        try:
            trio.run(main)
        except BaseException as error:
            failures.append(error)
            for future in (begun, opened):
                if not future.done():
                    future.set_exception(error)

    thread = Thread(target=run, name="trioecho wire")
    thread.start()
    portal = None
    try:
        value = opened.result()
        portal = Portal(begun.result())
        yield portal, value
    finally:
        if begun.exception() is None:
            with suppress(trio.RunFinishedError):
                begun.result().run_sync_soon(scope.cancel)
        thread.join()
        if portal is not None:
            portal.close()
            if failures:  # also where the block failed, most likely because of it
                raise failures[0]
