"""``make mutants``: how many small mistakes in the engine and the faults the tests notice.

Cosmic Ray's operators make each mutant, first in memory (``exchange``). What no test notices there
is made in a copy of the tree, of which those tests are run in fresh processes that are about its
room and do not take long. A sample is drawn by a seed, so that the same seed draws the same mutants
of the same source. Left out are those that no test can notice: of annotations and
decorators, ``is`` as ``==`` (nothing compared so defines its equality), and ``|`` of flags, of
which each is one bit, as ``+`` or ``^``. All others that make no difference count as survivors.
"""

from __future__ import annotations

import argparse
import ast
import os
import pickle
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from compileall import compile_dir
from concurrent.futures import ProcessPoolExecutor
from difflib import ndiff
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import NamedTuple

import pytest
from cosmic_ray.commands import init
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec
from exchange import OPTIONS, PATIENCE, Exchange, in_fork

ROOT = Path(__file__).parents[1]
SOURCES = ("trioecho/tcp", "trioecho/faults")
#: The tests of each room, the quick ones that find most first. Those of a stage run on real
#: kernels; those that compare with tshark are skipped without it.
TSHARK = "tests/test_against_tshark.py"
STAGE = "tests/stage"
ROUNDS = {
    "tcp": (
        ("tests/tcp/test_rules.py",),
        ("tests/tcp/test_told.py",),
        ("tests/tcp", "tests/docs/test_rule_tables.py"),
        (
            *(
                f"{TSHARK}::test_every_sequence_of_three_packets",
                f"{TSHARK}::test_ladders_and_made_up_losses",
            ),
            *("tests/render", "tests/test_view.py"),
            *("tests/cli/test_read_follow.py", "tests/cli/test_read_overview.py"),
            *(f"{STAGE}/test_journal.py", f"{STAGE}/test_marks.py", f"{STAGE}/test_repeats.py"),
            *("tests/test_hostile.py", "tests/reading/test_replay.py"),
        ),
    ),
    "faults": (
        ("tests/faults",),
        ("tests/reading/test_replay.py", f"{STAGE}/test_wire.py"),
    ),
}
#: The tests that are run in memory; quick ones first.
IN_MEMORY = ("tests/tcp", "tests/faults", "tests/docs/test_rule_tables.py")
LONGER = ("tests/render", "tests/test_view.py", "tests/test_hostile.py", "tests/reading")
#: What the tests import that is not ours: loaded once for all of their runs.
LOADED = ("hypothesis.strategies", "pytest_trio.plugin", "msgspec", "trio.testing", "typer")
EQUAL = ("_Is_Eq", "_IsNot_NotEq", "_BitOr_Add", "_BitOr_BitXor")
Range = tuple[tuple[int, int], tuple[int, int]]


def without_effect(source: str) -> Iterator[Range]:
    """Where a mutant would differ for the type checker alone, or in how a class is stored."""
    for node in ast.walk(ast.parse(source)):
        quiet: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef):
            quiet = [*node.decorator_list, node.returns]
            yield from _star(node.args)
        elif isinstance(node, ast.ClassDef):
            quiet = [*node.decorator_list, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            quiet = [node.annotation]
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
                quiet.append(node.value)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            quiet = [node.test]
        for one in quiet:
            if one is not None:
                end = one.end_lineno or one.lineno, one.end_col_offset or one.col_offset
                yield (one.lineno, one.col_offset), end


def _star(arguments: ast.arguments) -> Iterator[Range]:
    """Where ``*`` says that arguments have names; ``/`` would say that those before have none."""
    before: list[ast.arg | ast.expr] = [*arguments.args, *arguments.defaults]
    if before and arguments.kwonlyargs and arguments.vararg is None:
        after = arguments.kwonlyargs[0]
        start = max((one.end_lineno or 0, one.end_col_offset or 0) for one in before)
        yield start, (after.lineno, after.col_offset)


def mutations(sources: Sequence[str]) -> list[MutationSpec]:
    """Every mutation of the modules below some folders, in their order."""
    paths = sorted(path for source in sources for path in (ROOT / source).rglob("*.py"))
    with tempfile.TemporaryDirectory() as scratch, use_db(f"{scratch}/work") as work:
        init(paths, work, {})
        found = [mutation for item in work.work_items for mutation in item.mutations]
    quiet = {path: list(without_effect(path.read_text("utf-8"))) for path in paths}
    kept = [
        mutation
        for mutation in found
        if not mutation.operator_name.endswith(EQUAL)
        and not any(
            start <= mutation.start_pos and mutation.end_pos <= end
            for start, end in quiet[mutation.module_path]
        )
    ]
    kept.sort(key=lambda one: (one.module_path, one.start_pos, one.operator_name, one.occurrence))
    return kept


class Tried(NamedTuple):
    """What became of a mutant: which lines it changed, and whether a test noticed."""

    changed: list[str]
    killed: bool


class Copy:
    """A copy of the tree, in which mutants are made."""

    def __init__(self, path: Path, usual: Mapping[Sequence[str], float], *, quick: bool) -> None:
        self.path, self.usual, self.quick = path, usual, quick
        for name in ("trioecho", "tests", "bench", "tools", "docs", "pyproject.toml"):
            place = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            path.mkdir(exist_ok=True)
            place(ROOT / name, path / name)
        # Compiled once; what a mutant has changed differs in its hash, and is compiled anew.
        compile_dir(path, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)

    def rounds(self, room: str) -> Sequence[Sequence[str]]:
        """The tests of a room, in the order in which they are run."""
        return ROUNDS[room][:-1] if self.quick else ROUNDS[room]

    def attempt(self, mutation: MutationSpec) -> Tried:
        """Make one mutant, and run its tests until one fails."""
        name = mutation.module_path.relative_to(ROOT)
        rounds = self.rounds(name.parts[1])
        operator = get_operator(mutation.operator_name)(**mutation.operator_args)
        with use_mutation(self.path / name, operator, mutation.occurrence) as (before, after):
            difference = ndiff(before.splitlines(), after.splitlines())
            changed = [line for line in difference if line[:1] in "+-"]
            return Tried(changed, not all(self.passes(tests) for tests in rounds))

    def passes(self, tests: Sequence[str]) -> bool:
        """Whether some tests pass, in a process that has pytest loaded but nothing of ours."""
        most = 2 * PATIENCE + 5 * self.usual[tests] if tests in self.usual else None
        return in_fork(lambda: self._run(tests), most)

    def _run(self, tests: Sequence[str]) -> int:
        os.chdir(self.path)
        os.environ["PYTHONPATH"] = str(self.path)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        sys.path[0] = str(self.path)
        with Path("said").open("w", encoding="utf-8") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        return int(pytest.main(["-x", *OPTIONS, *tests]))


def noticed_in_memory(chosen: Sequence[MutationSpec], jobs: int, *, quick: bool) -> list[bool]:
    """Of each mutant, whether a test notices it when it is made in memory."""
    tests = [str(ROOT / test) for test in (IN_MEMORY if quick else IN_MEMORY + LONGER)]
    exchange = Exchange(chosen, jobs)
    with tempfile.NamedTemporaryFile() as notes:

        def run() -> int:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os.chdir(ROOT)
            pytest.main([*OPTIONS, *tests], plugins=[exchange])
            Path(notes.name).write_bytes(pickle.dumps(exchange.noticed))
            return 0

        in_fork(run, None)
        return list(pickle.loads(notes.read()))


_copy: Copy


def _begin(folder: str, usual: Mapping[Sequence[str], float], quick: bool) -> None:
    global _copy
    _copy = Copy(Path(folder, str(os.getpid())), usual, quick=quick)


def _attempt(mutation: MutationSpec) -> Tried:
    return _copy.attempt(mutation)


def main() -> int:
    parser = argparse.ArgumentParser(description="Count the mutants that the tests notice.")
    parser.add_argument("--sample", type=int, default=0, help="how many, or all (0)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--quick", action="store_true", help="without tests of other rooms")
    parser.add_argument("sources", nargs="*", default=SOURCES, help="folders of modules")
    arguments = parser.parse_args()
    chosen = mutations(arguments.sources)
    total = len(chosen)
    if 0 < arguments.sample < total:
        chosen = random.Random(arguments.seed).sample(chosen, arguments.sample)
    for name in LOADED:
        import_module(name)
    in_memory = noticed_in_memory(chosen, arguments.jobs, quick=arguments.quick)
    paths = [mutation.module_path.relative_to(ROOT) for mutation in chosen]
    drawn = Counter(paths)
    killed = Counter(path for path, noticed in zip(paths, in_memory, strict=True) if noticed)
    print(f"{killed.total()} of {len(chosen)} mutants killed in memory", flush=True)
    sys.pycache_prefix = None  # each copy keeps its own
    with tempfile.TemporaryDirectory() as folder:
        usual: dict[Sequence[str], float] = {}
        whole = Copy(Path(folder, "whole"), usual, quick=arguments.quick)
        for tests in (tests for room in ROUNDS for tests in whole.rounds(room)):
            begun = time.monotonic()
            if not whole.passes(tests):
                print((whole.path / "said").read_text("utf-8"), file=sys.stderr)
                print("The tests fail without a mutant.", file=sys.stderr)
                return 1
            usual[tests] = time.monotonic() - begun
        workers = ProcessPoolExecutor(
            arguments.jobs,
            get_context("fork"),
            initializer=_begin,
            initargs=(folder, usual, arguments.quick),
        )
        with workers:
            rest = [at for at, noticed in enumerate(in_memory) if not noticed]
            results = zip(rest, workers.map(_attempt, [chosen[at] for at in rest]), strict=True)
            for at, tried in results:
                mutation = chosen[at]
                path = mutation.module_path.relative_to(ROOT)
                killed[path] += tried.killed
                if not tried.killed:
                    place = f"{path}:{mutation.start_pos[0]} {mutation.operator_name}"
                    print(f"{at + 1}: survived: {place}")
                    print("\n".join(tried.changed), flush=True)
    for path in sorted(drawn):
        print(f"{killed[path]:4} of {drawn[path]:4} killed in {path}")
    share = killed.total() / len(chosen) if chosen else 1
    print(f"{killed.total()} of {len(chosen)} mutants killed ({share:.0%}); there are {total}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
