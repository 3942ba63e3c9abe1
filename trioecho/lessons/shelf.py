"""The lessons that come with trioecho, and a user's own: which there are, and where."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from trioecho.errors import TrioechoError

FOLDER = Path(__file__).parent / "library"
SUFFIX = ".toml"


def names() -> list[str]:
    """The names of all lessons that come with trioecho, by the alphabet."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def find(name: str) -> Path:
    """Where a lesson is.

    Raises:
        TrioechoError: there is no lesson of that name.
    """
    if "/" in name or name.endswith(SUFFIX):
        return Path(name)
    known = names()
    if name in known:
        return FOLDER / f"{name}{SUFFIX}"
    close = get_close_matches(name, known, 3, 0.5)
    close += [one for one in known if name and name in one and one not in close][:3]
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    raise TrioechoError(f"There is no lesson {name!r}", f"{meant}`trioecho lab` lists them")
