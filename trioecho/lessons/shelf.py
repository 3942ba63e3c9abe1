"""Finds lessons: those that come with trioecho, and a user's own."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from trioecho.errors import TrioechoError

FOLDER = Path(__file__).parent / "library"
SUFFIX = ".toml"
_PAGES = FOLDER.parents[2] / "docs" / "lessons"


def names() -> list[str]:
    """The names of all lessons that come with trioecho, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def find(name: str) -> Path:
    """The path of a lesson.

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


def check_own(lesson: Path) -> None:
    """Check that a lesson's ladder may be written: not one that is installed with trioecho.

    Raises:
        TrioechoError: it is installed, rather than in a checkout, which also has the site's pages.
    """
    if lesson.resolve().parent != FOLDER.resolve() or _PAGES.is_dir():
        return
    raise TrioechoError(
        f"The lesson {lesson.stem!r} is installed with trioecho, and --write would change it",
        f"Copy {str(lesson)!r} to a folder of your own, and give that path",
    )
