"""The one kind of error a user sees: a sentence that says what, where, and what to do."""

from __future__ import annotations


class TrioechoError(Exception):
    """What went wrong, in one sentence a user can act on.

    Everything that is the world's fault and not ours (a port in use, a file that is not a capture,
    a kernel that forbids namespaces) is raised as this, and the command line prints it and leaves
    with exit code 1. Anything else that escapes is a bug and keeps its traceback.

    Args:
        what: one sentence without a full stop: what happened and where.
        hint: what the user can do about it, or ``""`` when there is nothing.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}. {self.hint}" if self.hint else self.what


def sole(group: BaseException) -> BaseException:
    """The one error in a group that nests, or the group itself where there are several.

    Args:
        group: what a nursery raised.

    Returns:
        What its user would have seen without the nursery.
    """
    while isinstance(group, BaseExceptionGroup) and len(group.exceptions) == 1:
        group = group.exceptions[0]
    return group
