"""How much is shown before it becomes less: numbers that the help texts say, too."""

#: So many connections are a ladder; more are a table.
FEW = 3
#: Lines of a table's rows, unless a limit is given: a screen has them beside what a program says.
SCREEN = 30
