"""Counts how often it is found why segments were lost, where that is known.

    python bench/policing.py [FOLDER]

The folder holds captures and an INDEX.tsv, whose columns ``file`` and ``truth`` say what each is:
``policed``, ``shaped``, or either with ``+cross-traffic`` or ``+random-loss``.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from trioecho.account import Account, Accounts
from trioecho.capture.files import open_capture_file
from trioecho.cli.capture_files import frames_of
from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading

KINDS = ("policed", "overflow", "random", "none")


def accounts(path: Path) -> list[Account]:
    """The accounts of all connections in a capture."""
    with open_capture_file(str(path)) as file:
        reading, found = Reading(Selection()), Accounts()
        with closing(frames_of(file)) as batches:
            for frames in batches:
                found.see(reading.rungs(frames))
        found.see(reading.rest())
        return list(found.end())


def kind_of(found: list[Account]) -> str:
    """What most losses of a capture are, a policer before all others."""
    count: Counter[str] = Counter()
    for account in found:
        for one in account.losses:
            count[one.kind] += one.count
    if count["policed"]:
        return "policed"
    return max(count, key=lambda kind: count[kind]) if count.total() else "none"


def main(folder: Path) -> int:
    """Print a row for each capture, and how truth and verdict meet."""
    index = folder / "INDEX.tsv"
    if not index.exists():
        print(f"{index} is not there")
        return 1
    table: Counter[tuple[str, str]] = Counter()
    with index.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            found = accounts(folder / row["file"])
            kind = kind_of(found)
            table[row["truth"], kind] += 1
            losses = "; ".join(one.text for account in found for one in account.losses)
            true = f"{row['truth']} {row['rate_bit_s']} {row['burst_bytes']}"
            print(f"{row['file']:<14} {true:<36} {kind:<9} {losses}")
    print()
    print(f"{'':<22}" + "".join(f"{kind:>10}" for kind in KINDS))
    for truth in sorted({truth for truth, _ in table}):
        print(f"{truth:<22}" + "".join(f"{table[truth, kind]:>10}" for kind in KINDS))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(*sys.argv[1:] or ["../shared/pcaps/policing"])))
