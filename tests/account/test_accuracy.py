"""A small part of ``make accuracy``: labelled runs on real kernels, and what is told of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio
from labelled.kept import keep, kept
from labelled.perform import perform
from labelled.scenario import scenario
from labelled.score import Score, Verdict, overlaps, shares
from labelled.taps import told, told_at
from labelled.truth import Claim, timeline
from needs import need_wires

from trioecho.account.causes import Certainty
from trioecho.account.spans import Span
from trioecho.model import End

#: Seeds with a single cause, which takes so long that no busy machine hides it.
SEEDS = {
    "refused": 1001,
    "no-answer": 1037,
    "handshake-loss": 1038,
    "timeout": 1098,
    "slow-reader": 3274,
    "think-time": 1031,
    "application": 1057,
}


@pytest.mark.parametrize("cause", SEEDS)
def test_a_labelled_run_is_told_as_it_was(cause: str) -> None:
    """By the truth, on the wire, and in a capture at the end that sends most."""
    need_wires()
    run = trio.run(partial(perform, SEEDS[cause]))
    assert run.whole
    start, end = run.rungs[0].time, run.rungs[-1].time
    true = shares(timeline(run), start, end)
    assert max(true, key=lambda one: true[one]) == cause
    for account, _ in (told(run.rungs), told_at(run, run.scenario.end)):
        if account is not None:  # nothing of a SYN that is lost is seen at the server
            assert account.top is not None
            assert account.top.cause == cause


def test_a_run_that_was_kept_is_judged_as_when_it_was_performed(tmp_path: Path) -> None:
    need_wires()
    run = trio.run(partial(perform, SEEDS["think-time"]))
    keep(tmp_path, run)
    again = kept(tmp_path, run.seed)
    assert again is not None
    assert (again.log, again.whole, again.stalled) == (run.log, run.whole, run.stalled)
    assert timeline(again) == timeline(run)
    assert told(again.rungs) == told(run.rungs)
    assert told_at(again, "server") == told_at(run, "server")
    assert kept(tmp_path, run.seed + 1) is None


def test_a_seed_draws_the_same_run_each_time() -> None:
    for seed in range(100):
        one, other = scenario(seed), scenario(seed)
        assert (one.names, one.end, one.rtt, one.faults, one.sysctl) == (
            *(other.names, other.end, other.rtt, other.faults, other.sysctl),
        )


def span(start: int, end: int, cause: str) -> Span:
    blamed: End = "client"
    return Span(start, end, cause, blamed, Certainty.INFERRED, 1, 2)


def test_milliseconds_are_counted_by_what_was_true_and_told() -> None:
    true = [Claim(0, 60, "nagle", "client"), Claim(60, 100, "idle", "path")]
    line = [span(0, 50, "nagle"), span(50, 100, "think-time")]
    assert overlaps(true, line) == {
        ("nagle", "nagle"): 50,
        ("nagle", "think-time"): 10,
        ("idle", "think-time"): 40,
    }
    assert shares(line, 0, 100) == {"nagle": 0.5, "think-time": 0.5}
    assert shares(line, 25, 75) == {"nagle": 0.5, "think-time": 0.5}


def test_between_a_tenth_and_a_fifth_nothing_counts() -> None:
    score = Score()
    score.add(Verdict({"nagle": 0.19, "idle": 0.81}, {"idle": 1.0}))
    score.add(Verdict({"nagle": 0.2, "idle": 0.8}, {"nagle": 0.1, "idle": 0.9}))
    score.add(Verdict({"nagle": 0.09, "idle": 0.91}, {"nagle": 0.2, "idle": 0.8}))
    assert (score.right["nagle"], score.missed["nagle"], score.false["nagle"]) == (1, 0, 1)
    assert score.f1("nagle") == pytest.approx(2 / 3)
    assert score.f1("idle") == 1
    assert score.macro == pytest.approx(5 / 6)


def test_a_clean_run_is_accused_of_what_takes_long_enough() -> None:
    score = Score()
    for told_share, duration in ((0.15, 1_000_000_000), (0.14, 1_000_000_000), (0.9, 5_000_000)):
        told_shares = {"nagle": told_share, "round-trip": 1 - told_share}
        score.add(Verdict({"round-trip": 1.0}, told_shares, clean=True, duration=duration))
    assert (score.accused, score.clean) == (1, 3)
