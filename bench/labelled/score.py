"""Score: what was told of labelled runs, against what was true."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from labelled.truth import Claim
from trioecho.account.account import ORDINARY
from trioecho.account.causes import stands_out
from trioecho.account.spans import Span

#: A cause is true of a run from this share of its time on, and false below the other; between them
#: it counts neither way, since nobody could tell.
TRUE, FALSE = 0.20, 0.10
BENIGN = ORDINARY | {"slow-start"}
Shares = Mapping[str, float]


def shares(spans: Iterable[Claim | Span], start: int, end: int) -> dict[str, float]:
    """The share of each cause in the time from ``start`` to ``end``."""
    times: Counter[str] = Counter()
    for span in spans:
        took = min(span.end, end) - max(span.start, start)
        if took > 0:
            times[span.cause] += took
    whole = sum(times.values()) or 1
    return {cause: time / whole for cause, time in times.items()}


def overlaps(true: list[Claim], told: list[Span]) -> Counter[tuple[str, str]]:
    """Milliseconds by what was true and what was told."""
    found: Counter[tuple[str, str]] = Counter()
    place = 0
    for span in told:
        while place < len(true) and true[place].end <= span.start:
            place += 1
        for claim in true[place:]:
            if claim.start >= span.end:
                break
            took = min(span.end, claim.end) - max(span.start, claim.start)
            if took > 0:
                found[claim.cause, span.cause] += took
    return found


class Verdict(Struct):
    """What came of one run at one place: shares, milliseconds by true and told cause, and whether
    nothing was to be found in its ``duration``, nanoseconds; 0 for one that is not told."""

    true: dict[str, float]
    told: dict[str, float]
    times: list[tuple[str, str, float]] = field(default_factory=list)
    clean: bool = False
    duration: int = 0


class Score(Struct):
    """The count of right, false and missed verdicts of each cause."""

    right: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    confused: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    runs: int = 0
    clean: int = 0
    accused: int = 0
    abstained: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one run."""
        self.runs += 1
        true, told = verdict.true, verdict.told
        for cause in {*true, *told}:
            share, said = true.get(cause, 0.0), told.get(cause, 0.0)
            if share >= TRUE:
                (self.right if said >= FALSE else self.missed)[cause] += 1
            elif said >= TRUE and share < FALSE:
                self.false[cause] += 1
        first = max(true, key=lambda cause: true[cause], default="")
        self.confused[first, max(told, key=lambda cause: told[cause], default="nothing")] += 1
        self.abstained += told.get("unknown", 0.0) >= TRUE
        if verdict.clean:
            self.clean += 1
            self.accused += any(
                stands_out(share * verdict.duration, verdict.duration)
                for cause, share in told.items()
                if cause not in BENIGN
            )
        for one, other, time in verdict.times:
            self.times[one, other] += time

    @property
    def causes(self) -> list[str]:
        """Those that were true of a run."""
        return sorted(cause for cause in {*self.right, *self.missed} if cause != "idle") + (
            ["idle"] if self.right["idle"] + self.missed["idle"] else []
        )

    def f1(self, cause: str) -> float:
        """The harmonic mean of precision and recall."""
        right = 2 * self.right[cause]
        return right / (right + self.false[cause] + self.missed[cause]) if right else 0.0

    @property
    def macro(self) -> float:
        """The mean F1 of all causes."""
        return sum(map(self.f1, self.causes)) / len(self.causes) if self.causes else 0.0
