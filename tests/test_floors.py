"""The house stays a house: imports run downwards, and the walls hold (docs/design.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import trioecho

SOURCE = Path(trioecho.__file__).parent

# Each room and its floor. A room may import itself and rooms on floors below.
FLOORS = {
    "trioecho": 0,
    "model": 0,
    "errors": 0,
    "text": 0,
    "packet": 1,
    "tcp": 1,
    "sockets": 1,
    "hosts": 1,
    "capture": 2,
    "faults": 2,
    "render": 2,
    "echo": 2,
    "reading": 3,
    "stage": 3,
    "trace": 4,
    "programs": 5,
    "lessons": 5,
    "testing": 5,
    "watch": 5,
    "cli": 6,
    "pytest_plugin": 6,
    "__main__": 7,
}

SCAPY = {"packet/dissect", "capture/filters", "capture/scapy_socket"}
NO_TRIO = ("tcp/", "packet/", "faults/", "render/", "model/", "errors", "text")
NO_CLOCK = ("tcp/", "packet/")


def modules() -> list[str]:
    return sorted(str(path.relative_to(SOURCE).with_suffix("")) for path in SOURCE.rglob("*.py"))


def imports(module: str) -> Iterator[tuple[str, bool]]:
    """What a module imports, and whether at its top (and not for the type checker alone)."""
    tree = ast.parse((SOURCE / f"{module}.py").read_text(encoding="utf-8"))
    checking = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            assert "*" not in {alias.name for alias in node.names}, f"{module}: star import"
        for name in names:
            if id(node) not in checking:
                yield name, id(node) in top


def room(name: str) -> str:
    """The room of a module's dotted or slashed name below ``trioecho``."""
    parts = name.replace("/", ".").removeprefix("trioecho").strip(".").split(".")
    return parts[0] if parts[0] in FLOORS else "trioecho"


@pytest.mark.parametrize("module", modules())
def test_arrows_run_down(module: str) -> None:
    own = room(module.removesuffix("__init__") or "trioecho")
    for name, _ in imports(module):
        if name.partition(".")[0] != "trioecho":
            continue
        other = room(name)
        assert other == own or FLOORS[other] < FLOORS[own], f"{module} imports {name}"


@pytest.mark.parametrize("module", modules())
def test_walls_hold(module: str) -> None:
    for name, at_top in imports(module):
        package = name.partition(".")[0]
        if package == "scapy":
            assert module in SCAPY, f"{module} imports {name}"
            assert not at_top, f"{module} imports {name} at its top"
        if package == "trio":
            assert not module.startswith(NO_TRIO), f"{module} imports {name}"
        if package in ("time", "datetime", "random"):
            assert not module.startswith(NO_CLOCK), f"{module} imports {name}"


@pytest.mark.parametrize("module", modules())
def test_size(module: str) -> None:
    lines = (SOURCE / f"{module}.py").read_text(encoding="utf-8").count("\n")
    assert lines < 400, f"{module} has {lines} lines"


def test_each_module_can_be_imported_first() -> None:
    """No circle hides behind the order in which tests import things."""
    names = [
        "trioecho." + module.replace("/", ".").removesuffix(".__init__")
        for module in modules()
        if module not in ("__main__", "__init__", "hosts/keeper")
    ]
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    for loaded in [m for m in sys.modules if m.split('.')[0] == 'trioecho']:\n"
        "        del sys.modules[loaded]\n"
        "    importlib.import_module(name)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, *names], check=True)
