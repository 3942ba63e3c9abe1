"""How much is shown before it becomes less: numbers that the help texts say, too."""

#: So many connections are a ladder; more are a table.
FEW = 3
#: Lines of a table's rows, unless a limit is given or a terminal tells how high it is.
SCREEN = 30
# What stands around the rows on a screen, from the heading to the shell's next line; a narrow one
# wraps it. A table has at least so many lines of rows.
_AROUND, _AROUND_NARROW, _WIDE, _LEAST = 10, 15, 80, 8


def room(height: int | None, width: int) -> int:
    """How many lines of rows a table has on a screen so high and wide, if there is one."""
    if height is None:
        return SCREEN
    return max(height - (_AROUND if width >= _WIDE else _AROUND_NARROW), _LEAST)
