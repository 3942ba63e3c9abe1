"""Which module of a package imports which: read from the source, nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property
from pathlib import Path
from typing import NamedTuple


class Import(NamedTuple):
    """One imported name.

    Args:
        name: dotted: the module, and what is imported from it.
        line: where it stands.
        at_top: whether it runs when the module is imported.
    """

    name: str
    line: int
    at_top: bool


class Package:
    """The modules of a package and their imports.

    Every import counts: at the top, in a function, for the type checker alone, and a string that
    is a module's whole name, by which something is imported later.

    Args:
        source: the package's folder.
    """

    def __init__(self, source: Path) -> None:
        self.name = source.name
        self.files = {self._dotted(source, path): path for path in sorted(source.rglob("*.py"))}

    @cached_property
    def imports(self) -> Mapping[str, Sequence[Import]]:
        """What each module imports: all of them are parsed, once, by the test that asks."""
        inner = self.files.keys() - {self.name}
        return {module: list(self._read(module, inner)) for module in self.files}

    def _dotted(self, source: Path, path: Path) -> str:
        parts = path.relative_to(source.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _read(self, module: str, inner: Set[str]) -> Iterator[Import]:
        tree = ast.parse(self.files[module].read_text(encoding="utf-8"))
        top = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, node.lineno, id(node) in top)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}:{node.lineno}: relative import"
                for alias in node.names:
                    assert alias.name != "*", f"{module}:{node.lineno}: star import"
                    yield Import(f"{node.module}.{alias.name}", node.lineno, id(node) in top)
            elif isinstance(node, ast.Constant) and node.value in inner:
                yield Import(str(node.value), node.lineno, False)

    def module(self, name: str) -> str | None:
        """The module of this package that an imported name is in."""
        while name and name not in self.files:
            name = name.rpartition(".")[0]
        return name or None

    def edges(self) -> dict[str, dict[str, int]]:
        """For each module, the modules it imports and a line where it does so.

        The version does not count: a package runs before its modules, so it is always there.
        """
        graph: dict[str, dict[str, int]] = {}
        for module, imports in self.imports.items():
            graph[module] = {}
            for name, line, _ in imports:
                other = self.module(name)
                if other and other != module and name != f"{self.name}.__version__":
                    graph[module].setdefault(other, line)
        return graph


def circles(graph: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    """The strongly connected groups of more than one module (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in graph[module]:
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[-len(group) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in graph:
        if module not in index:
            visit(module)
    return found
