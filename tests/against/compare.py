"""``make compare``: per verdict, tshark's count, ours, both, precision and recall."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from corpus import CORPUS, corpus, told_wrong

from against.frames import KINDS, Theirs, before, ours, theirs
from against.own import own_captures
from against.rules import excuses, written_out


class Tally:
    """What a comparison came to, over any number of captures."""

    def __init__(self) -> None:
        self.frames = self.verdicts_differ = self.numbers_differ = 0
        self.rules: Counter[str] = Counter()
        self.unexplained: list[str] = []
        self.tshark: Counter[str] = Counter()
        self.ours: Counter[str] = Counter()
        self.both: Counter[str] = Counter()
        self.excused_theirs: Counter[str] = Counter()
        self.excused_ours: Counter[str] = Counter()

    def add(self, path: Path) -> None:
        """Compare one capture."""
        two, mine = theirs(path), ours(path)
        one: dict[int, Theirs] = {}
        streams = defaultdict[int, dict[int, Theirs]](dict)
        for number, row in two.items():
            streams[row.numbers.stream][number] = row
        for number in sorted(two.keys() ^ mine.keys()):
            who = "tshark" if number in two else "trioecho"
            self.unexplained.append(f"{path.name} frame {number}: TCP for {who} alone")
        for number in two.keys() & mine.keys():
            their, our = two[number], mine[number]
            written = written_out(our)
            self.frames += 1
            self.tshark.update(their.kinds)
            self.ours.update(written)
            self.both.update(their.kinds & written)
            if their.numbers == our.numbers and their.kinds == written:
                continue
            self.verdicts_differ += their.kinds != written
            self.numbers_differ += their.numbers != our.numbers
            one = one or theirs(path, passes=1)
            named = excuses(their, before(streams[their.numbers.stream], one, mine, number), our)
            self.rules.update(named)
            if named:
                self.excused_theirs.update(their.kinds - written)
                self.excused_ours.update(written - their.kinds)
            else:
                self.unexplained.append(
                    f"{path.name} frame {number}: tshark {their.numbers} {sorted(their.kinds)},"
                    f" trioecho {our.numbers} {sorted(written)}"
                )

    def raw(self, kind: str) -> tuple[float, float]:
        """A verdict's precision and recall, every difference counted."""
        both = self.both[kind]
        return share(both, self.ours[kind]), share(both, self.tshark[kind])

    def apart(self, kind: str) -> tuple[float, float]:
        """The same apart from the documented rules: what they excuse is not counted."""
        both = self.both[kind]
        mine = self.ours[kind] - self.excused_ours[kind]
        tshark = self.tshark[kind] - self.excused_theirs[kind]
        return share(both, mine), share(both, tshark)

    def report(self) -> str:
        """The table that ``make compare`` prints."""
        same = 1 - self.verdicts_differ / max(1, self.frames)
        lines = [
            f"{self.frames} TCP frames; verdict sets identical on {same:.3%}; stream, seq, ack,"
            f" length and flags differ on {self.numbers_differ}",
            "",
            f"{'':50}{'all counted':>19}{'apart from rules':>19}",
            f"{'verdict':26}{'tshark':>8}{'ours':>8}{'both':>8}"
            + f"{'precision':>11}{'recall':>8}" * 2,
        ]
        for kind in KINDS:
            tshark, mine, both = self.tshark[kind], self.ours[kind], self.both[kind]
            if tshark or mine:
                scores = (*self.raw(kind), *self.apart(kind))
                lines.append(
                    f"{kind:26}{tshark:8}{mine:8}{both:8}"
                    "{:11.3f}{:8.3f}{:11.3f}{:8.3f}".format(*scores)
                )
        lines += ["", "differences by rule (docs/differences.md):"]
        lines += [f"  {name:24}{count:6}" for name, count in self.rules.most_common()]
        lines += [f"  {'no rule':24}{len(self.unexplained):6}", *self.unexplained]
        return "\n".join(lines)


def share(part: int, whole: int) -> float:
    """A part of a whole; all of it where there is nothing."""
    return part / whole if whole else 1.0


def main(paths: Sequence[str]) -> int:
    """Compare captures named, or all there are."""
    if which("tshark") is None or which("sharkd") is None:
        print("tshark, or the sharkd that comes with it, is not installed", file=sys.stderr)
        return 1
    tally = Tally()
    with TemporaryDirectory() as folder:
        captures = [Path(path) for path in paths] or [
            *(CORPUS / name for name, _ in corpus()),
            *told_wrong(),
            *own_captures(Path(folder)),
        ]
        for path in captures:
            tally.add(path)
    print(tally.report())
    return 1 if tally.unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
