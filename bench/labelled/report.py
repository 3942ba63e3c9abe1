"""Report: how often the account was right, as text and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from msgspec import Struct

from labelled.score import Score


class Facts(Struct):
    """What else there is to say.

    Args:
        seeds: which were drawn.
        runs: how many count.
        disturbed: how many do not, since the machine was busy.
        failed: how many could not be performed.
        limited: of runs that were limited by their receiver for a fifth of their time: with which
            congestion control, the milliseconds counted, and those told.
    """

    seeds: str
    runs: int
    disturbed: int
    failed: int
    limited: list[tuple[str, float, float]]


_PLACES = ("sender", "receiver", "wire", "tshark", "web100")


def table(scores: Mapping[str, Score]) -> Iterator[tuple[str, ...]]:
    """F1 of each cause, and the number of runs it was true of; then what comes of all."""
    places = [place for place in _PLACES if place in scores]
    yield ("cause", "runs", *places)
    first = scores["sender"]
    for cause in first.causes:
        runs = first.right[cause] + first.missed[cause]
        yield (cause, str(runs), *(f"{scores[place].f1(cause):.2f}" for place in places))
    yield ("mean", "", *(f"{_mean(scores[place], first.causes):.3f}" for place in places))
    accused = (f"{scores[place].accused} of {scores[place].clean}" for place in places)
    yield ("clean runs accused", "", *accused)
    yield ("told unknown", "", *(str(scores[place].abstained) for place in places))


def _mean(score: Score, causes: list[str]) -> float:
    return sum(map(score.f1, causes)) / len(causes) if causes else 0.0


def confusion(score: Score, cell: str = "runs") -> Iterator[tuple[str, ...]]:
    """What was told where something else was true: by a run's first cause, or in milliseconds."""
    found = dict(score.confused) if cell == "runs" else dict(score.times)
    true = sorted({one for one, _ in found})
    for cause in true:
        row = {other: number for (one, other), number in found.items() if one == cause}
        whole = sum(row.values()) or 1
        right = row.pop(cause, 0)
        others = sorted(row.items(), key=lambda one: -one[1])[:4]
        rest = ", ".join(f"{other} {number:,.0f}" for other, number in others if number >= 1)
        yield cause, f"{whole:,.0f}", f"{right:,.0f}", f"{right / whole:.0%}", rest


def _aligned(rows: Iterator[tuple[str, ...]]) -> str:
    every = list(rows)
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    )


def _marked(rows: Iterator[tuple[str, ...]], heading: tuple[str, ...] = ()) -> str:
    every = list(rows)
    if heading:
        every.insert(0, heading)
    lines = ["| " + " | ".join(row) + " |" for row in every]
    lines.insert(1, "|" + " --- |" * len(every[0]))
    return "\n".join(lines)


def text(scores: Mapping[str, Score], facts: Facts) -> str:
    """For a terminal."""
    parts = [_facts(facts), _aligned(table(scores))]
    for place in ("sender", "receiver"):
        parts += [f"{place}, milliseconds: true, right, and told instead"]
        parts += [_aligned(confusion(scores[place], "time"))]
    return "\n\n".join(parts)


def _facts(facts: Facts) -> str:
    return (
        f"{facts.runs} runs (seeds {facts.seeds}; {facts.disturbed} disturbed by other load, "
        f"{facts.failed} failed). Time limited by the receiver, told by what the sender's kernel "
        f"counts: {'; '.join(_limits(facts))}."
    )


def _limits(facts: Facts) -> Iterator[str]:
    """How far what was told is from what was counted, for each congestion control."""
    for name in sorted({one for one, _, _ in facts.limited}, reverse=True):
        some = [(counted, said) for one, counted, said in facts.limited if one == name]
        ratio = sum(said for _, said in some) / sum(counted for counted, _ in some)
        off = median(abs(said / counted - 1) for counted, said in some)
        yield f"with {name}, {ratio:.3f} in all of {len(some)} runs, {off:.1%} off in the median"


_HEADING = ("true", "all", "told right", "share", "told instead")


def page(scores: Mapping[str, Score], facts: Facts) -> str:
    """As docs/explanation/accuracy.md."""
    parts = [
        _INTRODUCTION,
        _facts(facts),
        _marked(table(scores)),
        "## What is told instead",
        "By the cause that took most of a run's time, counted in runs, at the sender:",
        _marked(confusion(scores["sender"]), _HEADING),
        "and at the receiver:",
        _marked(confusion(scores["receiver"]), _HEADING),
        "The same in milliseconds, at the sender:",
        _marked(confusion(scores["sender"], "time"), _HEADING),
        "and at the receiver:",
        _marked(confusion(scores["receiver"], "time"), _HEADING),
    ]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
# How often `why` is right

`trioecho why` says where a connection's time went. This page says how often that is right. It is
written by `python bench/accuracy.py --write`, which performs runs whose causes are known, on a
wire of ours, and compares; `make accuracy` prints the same.

A run is a connection between two kernels. Its programs, its buffers, the path's round trip (1 to
200 ms), MTU, congestion control and faults are drawn by a seed: every cause alone, two at a time
on one connection, and a fifth of them with nothing wrong. The thresholds were tuned on seeds below
10,000. Seeds from 10,000 to 11,499 were held out first; three faults that they showed were mended.
Those from 20,000 to 21,399 were held out next, and of their clean runs 5 % were accused; that was
mended, and the seeds here were held out for what came of it.

The truth is what no capture has: the wire's log (what was lost, and how long each packet waited in
a queue), the counters of both kernels (limited by the receiver, by the send buffer; cwnd and
ssthresh) and the programs' calls. It uses no fact that the engine finds, and nothing that the
account infers; only the order of the table, and how long a queue counts as one, are the same. At
each moment the first cause of the table that holds is the true one.

The account sees a capture at the sender, one at the receiver, or the wire itself. Beside it stand
two baselines: the symptoms that tshark counts (zero window, window full, retransmissions), read as
an engineer reads them, and the triage of web100, by the counters of the sender's kernel.

A cause is true of a run if it took a fifth of its time, and false if it took less than a tenth;
between the two it counts neither way. The figures below are F1, the harmonic mean of precision and
recall; `mean` is their mean over all causes. A clean run is accused if anything but the handshake,
the way of its messages, slow start and its end stands out, which is what a headline needs: 15 % of
the time and 10 ms, or half of it and 5 ms. The triage of web100 has no word for such a run.

The sender's kernel counts how long its peer's window was the limit, and what is told is compared
with that. With BBR it counts less than there was: while its pacer lets a segment wait it does not
look at the window (`tcp_write_xmit`), even if that has no room. So the two are given apart."""
