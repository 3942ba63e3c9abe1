"""Other people's programs, unmodified, on a private wire or on one private host."""

from trioecho.programs.lines import ProgramLine
from trioecho.programs.session import run_programs
from trioecho.programs.settings import RunSettings

__all__ = ["ProgramLine", "RunSettings", "run_programs"]
