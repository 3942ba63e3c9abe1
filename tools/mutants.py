"""``make mutants``: how many small mistakes in the engine and the faults the tests notice.

Cosmic Ray's operators make each mutant in a copy of the tree, of which the fast tests are run. A
sample is drawn by a seed, so that the same seed draws the same mutants of the same source.
"""

from __future__ import annotations

import argparse
import ast
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from shlex import join

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.testing import run_tests
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkResult

ROOT = Path(__file__).parents[1]
SOURCES = ("trioecho/tcp", "trioecho/faults")
# The ladders of the rules come first, since they are quick and find most.
TESTS = (
    *("tests/tcp/test_rules.py", "tests/tcp", "tests/faults", "tests/model"),
    *("tests/cli/test_read_follow.py", "tests/reading/test_replay.py", "tests/test_hostile.py"),
)
Range = tuple[tuple[int, int], tuple[int, int]]


def without_effect(source: str) -> Iterator[Range]:
    """Where a mutant would differ for the type checker alone, or in how a class is stored."""
    for node in ast.walk(ast.parse(source)):
        quiet: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef):
            quiet = [*node.decorator_list, node.returns]
        elif isinstance(node, ast.ClassDef):
            quiet = [*node.decorator_list, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            quiet = [node.annotation]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            quiet = [node.test]
        for one in quiet:
            if one is not None:
                end = one.end_lineno or one.lineno, one.end_col_offset or one.col_offset
                yield (one.lineno, one.col_offset), end


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
        if not any(
            start <= mutation.start_pos and mutation.end_pos <= end
            for start, end in quiet[mutation.module_path]
        )
    ]
    kept.sort(key=lambda one: (one.module_path, one.start_pos, one.operator_name, one.occurrence))
    return kept


def command(copy: Path) -> str:
    """What runs the tests of a copy of the tree."""
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS]
    return join(["env", "-C", str(copy), f"PYTHONPATH={copy}", *pytest])


def copies(folder: Path, count: int) -> SimpleQueue[Path]:
    """Copies of the tree that mutants can be made in."""
    queue: SimpleQueue[Path] = SimpleQueue()
    for number in range(count):
        copy = folder / str(number)
        for name in ("trioecho", "tests", "bench", "tools", "docs", "pyproject.toml"):
            place = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy.mkdir(exist_ok=True)
            place(ROOT / name, copy / name)
        queue.put(copy)
    return queue


def main() -> int:
    parser = argparse.ArgumentParser(description="Count the mutants that the tests notice.")
    parser.add_argument("--sample", type=int, default=0, help="how many, or all (0)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("sources", nargs="*", default=SOURCES, help="folders of modules")
    arguments = parser.parse_args()
    chosen = mutations(arguments.sources)
    total = len(chosen)
    if 0 < arguments.sample < total:
        chosen = random.Random(arguments.seed).sample(chosen, arguments.sample)
    with tempfile.TemporaryDirectory() as folder:
        queue = copies(Path(folder), arguments.jobs)
        first = queue.get()
        queue.put(first)
        begun = time.monotonic()
        outcome, said = run_tests(command(first), 3600)
        if outcome is not TestOutcome.SURVIVED:
            print(f"The tests fail without a mutant:\n{said}", file=sys.stderr)
            return 1
        patience = 60 + 10 * (time.monotonic() - begun)

        def attempt(mutation: MutationSpec) -> WorkResult:
            copy = queue.get()
            try:
                path = copy / mutation.module_path.relative_to(ROOT)
                there = MutationSpec(
                    path,
                    mutation.operator_name,
                    mutation.occurrence,
                    mutation.start_pos,
                    mutation.end_pos,
                    mutation.operator_args,
                )
                return mutate_and_test([there], command(copy), patience)
            finally:
                queue.put(copy)

        survived = 0
        with ThreadPoolExecutor(arguments.jobs) as pool:
            for mutation, result in zip(chosen, pool.map(attempt, chosen), strict=True):
                if not result.is_killed:
                    survived += 1
                    name = mutation.module_path.relative_to(ROOT)
                    print(f"survived: {name}:{mutation.start_pos[0]} {mutation.operator_name}")
                    changed = [
                        line
                        for line in (result.diff or "").splitlines()
                        if line[:1] in "+-" and line[:3] not in ("+++", "---")
                    ]
                    print("\n".join(changed), flush=True)
    killed = len(chosen) - survived
    share = killed / len(chosen) if chosen else 1
    print(f"{killed} of {len(chosen)} mutants killed ({share:.0%}); there are {total}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
