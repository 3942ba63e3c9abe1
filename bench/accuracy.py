"""Measures how often the account of a connection's time is right, on labelled runs.

    python bench/accuracy.py [--seeds FIRST LAST] [--processes N] [--keep DIR] [--from DIR]

Performs a run of each seed on our wire, takes the truth from the wire's log, both kernels and the
programs' calls, and compares what is told at the sender, at the receiver, and on the wire, and by
two baselines. Thresholds were tuned on seeds below 1,000; those of HELD_OUT were held out.
``--keep`` keeps what each run leaves, and ``--from`` judges such runs again. ``--write`` writes
docs/explanation/accuracy.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import trio
from labelled.baselines import by_tshark, by_web100
from labelled.kept import keep, kept
from labelled.perform import Run, perform
from labelled.report import Facts, page, text
from labelled.score import TRUE, Score, Verdict, overlaps, shares
from labelled.taps import told_at, told_on_wire
from labelled.truth import Claim, timeline
from labelled.way import Way
from msgspec import Struct, field

from trioecho.account.account import Account
from trioecho.account.spans import Span
from trioecho.errors import TrioechoError
from trioecho.model import OTHER

HELD_OUT = 30_000, 31_500
MS = 1_000_000
#: A run counts if this process was never kept from its work for longer, in nanoseconds, or for a
#: tenth of its round trip: what is late then is late on the wire, too.
LATE = 6 * MS
CHUNK = 25
PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "accuracy.md"


class Part(Struct):
    """What came of some runs."""

    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)
    limited: list[tuple[str, float, float]] = field(default_factory=list)
    disturbed: int = 0
    failed: int = 0


def get(seed: int, to: Path | None, of: Path | None) -> Run | None:
    """Perform a run and keep it in one folder, or take it from another; None if that fails."""
    if of is not None:
        return kept(of, seed)
    try:
        run = trio.run(perform, seed)
    except TrioechoError as error:
        print(f"seed {seed}: {error}", file=sys.stderr)
        return None
    if to is not None:
        keep(to, run)
    return run


def measure(seeds: list[int], to: Path | None = None, of: Path | None = None) -> Part:
    """Get runs, and judge them."""
    part, runs = Part(), []
    for seed in seeds:
        run = get(seed, to, of)
        if run is None:
            part.failed += 1
            continue
        if run.stalled > max(LATE, run.scenario.rtt * 1e8) or not run.whole or not run.rungs:
            part.disturbed += 1
            continue
        runs.append(run)
    for run, symptoms in zip(runs, by_tshark(runs), strict=True):
        line, end = timeline(run), run.scenario.end
        clean = run.scenario.names == ("clean",)
        for place, (account, spans) in (
            ("sender", told_at(run, end)),
            ("receiver", told_at(run, OTHER[end])),
            ("wire", told_on_wire(run)),
        ):
            if account is not None:
                part.verdicts.append((place, _verdict(line, account, spans, clean=clean)))
                if place == "sender":
                    part.limited += _limited(run, account)
        start, end_time = run.rungs[0].time, run.rungs[-1].time
        true, took = shares(line, start, end_time), end_time - start
        for place, told in (("tshark", dict.fromkeys(symptoms, 1.0)), ("web100", by_web100(run))):
            part.verdicts.append((place, Verdict(true, told, clean=clean, duration=took)))
    return part


def _verdict(line: list[Claim], account: Account, spans: list[Span], *, clean: bool) -> Verdict:
    times = [(*pair, took / MS) for pair, took in overlaps(line, spans).items()]
    said = shares(spans, account.start, account.end)
    true = shares(line, account.start, account.end)
    return Verdict(true, said, times, clean, account.duration)


def _limited(run: Run, account: Account) -> Iterator[tuple[str, float, float]]:
    """Milliseconds limited by the receiver: with which congestion control, as its sender's kernel
    counts them, and as told."""
    counted = [kernel.receiver_limited or 0 for _, kernel in Way(run, run.scenario.end).kernels]
    most = max(counted, default=0)
    if most >= TRUE * account.duration:
        causes = ("slow-reader", "receive-buffer")
        said = sum(cost.time for cost in account.costs if cost.cause in causes)
        yield run.scenario.congestion, most / MS, said / MS


def main() -> int:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs=2, type=int, default=HELD_OUT, metavar=("FIRST", "LAST"))
    parser.add_argument("--processes", type=int, default=4)
    folders = parser.add_mutually_exclusive_group()
    folders.add_argument("--keep", type=Path, metavar="DIR", help="keep all runs there")
    folders.add_argument(
        "--from", type=Path, metavar="DIR", dest="of", help="judge those kept there"
    )
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    judge = partial(measure, to=options.keep, of=options.of)
    seeds = list(range(options.seeds[0], options.seeds[1]))
    chunks = [seeds[place : place + CHUNK] for place in range(0, len(seeds), CHUNK)]
    scores: dict[str, Score] = {}
    limited: list[tuple[str, float, float]] = []
    disturbed = failed = done = 0
    with get_context("spawn").Pool(options.processes) as pool:
        for part in pool.imap_unordered(judge, chunks):
            for place, verdict in part.verdicts:
                scores.setdefault(place, Score()).add(verdict)
            limited += part.limited
            disturbed, failed = disturbed + part.disturbed, failed + part.failed
            done += 1
            print(f"\r{done} of {len(chunks)} parts", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    runs = len(seeds) - disturbed - failed
    drawn = f"{seeds[0]} to {seeds[-1]}"
    facts = Facts(drawn, runs, disturbed, failed, limited)
    print(text(scores, facts))
    if options.write:
        PAGE.write_text(page(scores, facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
