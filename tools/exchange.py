"""Mutants of functions, made in memory: where all tests are collected, a fork exchanges the code of
the functions that a mutant changes, and runs the tests that run those lines, the shortest first.

What else a mutant may change, such as a constant, or what is made on import, needs a fresh process.
"""

from __future__ import annotations

import ast
import gc
import os
import pickle
import select
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from inspect import CO_OPTIMIZED
from multiprocessing import get_context
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import MutationSpec
from coverage import Coverage

#: How the tests are run.
OPTIONS = ("-q", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-profile=unshrunk")
#: How many seconds more than without a mutant a test may take of a processor.
PATIENCE = 10
Pair = tuple[CodeType, CodeType]


def in_fork(run: Callable[[], int], seconds: float | None) -> bool:
    """Whether a fork that runs something ends by 0, and in time."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setsid()
            status = run()
        finally:  # whatever a mutant raises, nothing of the process that was forked goes on here
            os._exit(status)
    ended = os.pidfd_open(child)
    if not select.select([ended], [], [], seconds)[0]:
        os.killpg(child, signal.SIGKILL)
    os.close(ended)
    return os.waitpid(child, 0)[1] == 0


def different(old: CodeType, new: CodeType) -> Iterator[Pair]:
    """Each function that differs, or class or module whose own code does: before and after."""
    if old.co_flags & CO_OPTIMIZED:
        if _all(old) != _all(new):
            yield old, new
        return
    if _own(old) != _own(new):
        yield old, new
    for pair in zip(_inner(old), _inner(new), strict=False):
        yield from different(*pair)


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _own(code: CodeType) -> list[object]:
    """What a code does, without the functions in it."""
    constants = [repr(one) for one in code.co_consts if not isinstance(one, CodeType)]
    inner = [one.co_name for one in _inner(code)]
    names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    return [code.co_code, code.co_exceptiontable, constants, inner, *names]


def _all(code: CodeType) -> list[object]:
    """What a function does, with those in it."""
    return [*_own(code), *map(_all, _inner(code))]


def lines_of(tree: ast.Module, first: int, last: int) -> set[int]:
    """Some lines, and all of the innermost statement that they are in, but not of its body."""
    lines = range(first, last + 1)
    for node in ast.walk(tree):  # from the outermost on
        if isinstance(node, ast.stmt):
            body: list[ast.stmt] | None = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            if node.lineno <= first <= end:
                lines = range(node.lineno, max(end, last) + 1)
    return {first, last, *lines}


class Exchange:
    """A pytest plugin that tries mutants in place of running the tests.

    Args:
        mutations: the mutants.
        jobs: how many at a time.
    """

    def __init__(self, mutations: Sequence[MutationSpec], jobs: int) -> None:
        self.mutations, self.jobs = mutations, jobs
        self.noticed: list[bool] = []
        self._items: list[pytest.Item] = []
        self._seconds: list[float] = []
        self._failed: set[int] = set()
        self._covered: dict[str, dict[int, list[str]]] = {}
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        self._running = -1

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try them all once the tests are collected."""
        self._items = session.items
        self._cover({str(mutation.module_path) for mutation in self.mutations})
        for one in gc.get_objects():
            if isinstance(one, FunctionType):
                self._functions.setdefault(_place(one.__code__), []).append(one)
        gc.freeze()
        with ProcessPoolExecutor(self.jobs, get_context("fork"), _begin, (self,)) as workers:
            for noticed in workers.map(_notices, range(len(self.mutations))):
                self.noticed.append(noticed)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails with a mutant is the last."""
        if report.failed:
            if self._running < 0:
                os._exit(1)
            self._failed.add(self._running)

    def _cover(self, paths: set[str]) -> None:
        """Run the tests in a fork, to find how long each takes and which lines it runs."""
        with tempfile.NamedTemporaryFile() as notes:

            def run() -> int:
                cover = Coverage(None, include=sorted(paths), config_file=False)
                cover.start()
                seconds = []
                for number in range(len(self._items)):
                    self._running = number
                    cover.switch_context(str(number))
                    begun = time.monotonic()
                    self._run([number])
                    seconds.append(time.monotonic() - begun)
                cover.stop()
                data = cover.get_data()
                covered = {path: data.contexts_by_lineno(path) for path in paths}
                Path(notes.name).write_bytes(pickle.dumps((seconds, self._failed, covered)))
                return 0

            in_fork(run, None)
            self._seconds, self._failed, self._covered = pickle.loads(notes.read())

    def _run(self, numbers: Sequence[int], *, bounded: bool = False) -> None:
        """Run some tests; ``bounded`` ends the process if one takes far more of a processor."""
        for number, following in zip(numbers, [*numbers[1:], None], strict=True):
            if bounded:
                signal.setitimer(signal.ITIMER_PROF, PATIENCE + self._seconds[number])
            item, after = self._items[number], None if following is None else self._items[following]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)

    def notices(self, number: int) -> bool:
        """Whether a test notices a mutant."""
        mutation = self.mutations[number]
        path, source = str(mutation.module_path), mutation.module_path.read_text("utf-8")
        operator = get_operator(mutation.operator_name)(**mutation.operator_args)
        mutant = mutate_code(source, operator, mutation.occurrence)
        old = compile(source, path, "exec", dont_inherit=True)
        try:
            new = compile(mutant, path, "exec", dont_inherit=True)
        except SyntaxError:  # as pytest makes of a warning
            return True
        pairs = list(different(old, new))
        if not all(before.co_flags & CO_OPTIMIZED for before, _ in pairs):  # of a class or module
            return False
        lines = lines_of(ast.parse(source), mutation.start_pos[0], mutation.end_pos[0])
        tests = {int(one) for line in lines for one in self._covered[path].get(line, ()) if one}
        chosen = sorted(tests - self._failed, key=self._seconds.__getitem__)

        def run() -> int:
            for before, after in pairs:
                for function in self._functions.get(_place(before), ()):
                    function.__code__ = after
            self._run(chosen, bounded=True)
            return 0

        waits = PATIENCE * 5 + 5 * sum(self._seconds[one] for one in chosen)
        return not in_fork(run, waits)


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


_exchange: Exchange


def _begin(exchange: Exchange) -> None:
    global _exchange
    _exchange = exchange


def _notices(number: int) -> bool:
    return _exchange.notices(number)
