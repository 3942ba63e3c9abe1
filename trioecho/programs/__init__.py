"""Other people's programs, unmodified, on a private wire or on one private host."""

from trioecho.programs.lines import Line
from trioecho.programs.session import run_programs
from trioecho.programs.settings import Settings

__all__ = ["Line", "Settings", "run_programs"]
