"""How much is shown before it becomes less: numbers that the help texts say, too."""

#: So many connections are a ladder; more are a table.
FEW = 3
#: Lines of a table's rows, unless a limit is given or a terminal tells how high it is.
SCREEN = 30
# What stands around the rows on a screen, from the heading to the shell's next line; a narrow one
# wraps it. A table has at least so many lines of rows.
_AROUND, _AROUND_NARROW, _WIDE, _LEAST = 10, 15, 80, 8
# The same around a ladder's rows, the summary among them.
_AROUND_LADDER, _AROUND_LADDER_NARROW = 12, 17
#: Lines of a ladder at least, and of one that is there to be learnt from, on any terminal.
FEWEST, LESSON = 8, 100


def room(height: int | None, width: int) -> int:
    """How many lines of rows a table has on a screen so high and wide, if there is one."""
    if height is None:
        return SCREEN
    return max(height - (_AROUND if width >= _WIDE else _AROUND_NARROW), _LEAST)


def ladder_room(height: int | None, width: int, least: int) -> int | None:
    """How many lines a ladder has on a screen so high and wide; None where there is no screen."""
    if height is None:
        return None
    around = _AROUND_LADDER if width >= _WIDE else _AROUND_LADDER_NARROW
    return max(height - around, least)
