"""``python tools/install.py VENV ...``: installs packages into a venv, with uv or else with pip.

Nothing is compiled ahead: Python compiles the few modules that are imported. The venv needs no pip
of its own, which would take as long to install as all that trioecho needs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec


def installer(python: str) -> list[str]:
    """The command that installs packages for an interpreter, all but the packages."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", python]
    if find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "--python", python]
    elif find_spec("ensurepip"):
        subprocess.run([python, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
        pip = [python, "-m", "pip"]
    else:
        sys.exit("There is no pip: on Debian and Ubuntu, apt install python3-venv")
    return [*pip, "install", "--no-compile", "--disable-pip-version-check"]


def main(venv: str, *packages: str) -> int:
    command = installer(f"{venv}/bin/python")
    return subprocess.run([*command, "--quiet", *packages], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
