"""Draw the pictures of the pages again: ``python tools/pictures.py``.

They are kept in the repository, so that a README shows them too; a test draws each once more and
compares what stands on it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"

#: What each picture shows: the arguments of a trace.
PICTURES = {
    "echo": ["testing purposes"],
    "parts": ["--recv-size", "16", "a message that comes in parts"],
    "rst": ["--close", "rst", "goodbye"],
}


def draw(name: str, folder: Path) -> Path:
    """Draw one picture into a folder."""
    path = folder / f"{name}.svg"
    words = [sys.executable, "-m", "trioecho", "trace", *PICTURES[name], "-o", str(path)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return path


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in PICTURES:
        print(draw(one, FOLDER))
