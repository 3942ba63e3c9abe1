"""Redraws the pictures of the pages: ``python tools/pictures.py``.

They are kept in the repository, so the README shows them too. A test draws each again and compares
its text.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"

#: Each picture's name, and the arguments of the trace that it shows.
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
