"""Errors that a user sees: a sentence that says what happened, where, and what to do."""

from __future__ import annotations


class TrioechoError(Exception):
    """What went wrong, in one sentence that a user can act on.

    It is raised for everything outside the program: a port in use, a file that is not a capture, a
    kernel that forbids namespaces. The command line prints it and exits with its code. Any other
    error is a bug and keeps its traceback.

    Args:
        what: one sentence without a full stop: what happened and where.
        hint: what the user can do about it; ``""`` if nothing.
        code: the exit code of a command that ends by it.
    """

    def __init__(self, what: str, hint: str = "", *, code: int = 1) -> None:
        super().__init__(what, hint)
        self.what = what
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return f"{self.what}. {self.hint}" if self.hint else self.what


class PeerResetError(TrioechoError):
    """A connection was refused or reset, as its program sees it: who did so, it cannot know."""


def sole(group: BaseException) -> BaseException:
    """The only error in a nested group, or the group itself if there are several.

    Args:
        group: what a nursery raised.

    Returns:
        The error that its user would have seen without the nursery.
    """
    while isinstance(group, BaseExceptionGroup) and len(group.exceptions) == 1:
        group = group.exceptions[0]
    return group
