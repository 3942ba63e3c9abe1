"""Other people's captures. ``make compare`` and the fuzzers use them where they are there."""

from __future__ import annotations

from pathlib import Path

#: Other people's captures, which lie beside the repository; ``INDEX.tsv`` lists them.
CORPUS = Path(__file__).parents[2] / "shared" / "pcaps"


#: Small ones beside them, each made to be told wrong; not in the index.
TOLD_WRONG = CORPUS / "told-wrong"


def told_wrong() -> list[Path]:
    """The captures of that folder; none where it is not."""
    return sorted(TOLD_WRONG.glob("*.pcap*"))


def corpus() -> list[tuple[str, int]]:
    """The corpus's files, relative to it, and how many packets each has; none where it is not."""
    index = CORPUS / "INDEX.tsv"
    if not index.exists():
        return []
    head, *rows = (line.split("\t") for line in index.read_text(encoding="utf-8").splitlines())
    return [(row[head.index("file")], int(row[head.index("packets")])) for row in rows]
