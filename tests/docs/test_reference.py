"""The reference is complete: each command and option, and each public name of the Python pages."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cli_pages
import pytest
import typer.main

from trioecho.cli.app import app
from trioecho.render import SUFFIXES, Renderer
from trioecho.stage.journal import Kernels
from trioecho.stage.wire import Observer

ROOT = Path(__file__).parents[2]
# Interfaces: who fills one in does not describe it again.
INTERFACES = (Renderer, Observer, Kernels)
GROUP = typer.main.get_command(app)
PYTHON = sorted((ROOT / "docs" / "reference" / "python").glob("*.md"))
MODULES = [
    name for page in PYTHON for name in re.findall(r"^::: (\S+)$", page.read_text("utf-8"), re.M)
]


@pytest.mark.parametrize("name", cli_pages.pages())
def test_each_option_of_the_help_is_on_the_page(name: str) -> None:
    page = cli_pages.pages()[name]
    done = subprocess.run(
        [sys.executable, "-m", "trioecho", name, "--help"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={"COLUMNS": "200", "PYTHONIOENCODING": "utf-8", "TERM": "dumb"},
    )
    table = "".join(row for row in done.stdout.splitlines(keepends=True) if row.startswith("│"))
    options = set(re.findall(r"(?<![\w.])--?[a-z][\w-]*", table))
    assert "--help" in options
    for option in options:
        assert f"`{option}`" in page, option


def test_each_command_has_its_page_in_the_navigation() -> None:
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    index = (ROOT / "docs" / "reference" / "index.md").read_text("utf-8")
    assert set(cli_pages.pages()) == set(getattr(GROUP, "commands"))  # noqa: B009
    for name in cli_pages.pages():
        assert f"reference/cli/{name}.md" in config
        assert f"cli/{name}.md" in index


def test_the_help_names_each_kind_of_file() -> None:
    page = cli_pages.pages()["trace"]
    for suffix in SUFFIXES:
        assert suffix in page


def belongs(thing: object, module: str) -> bool:
    """Whether something is a module's own, or that of a room that the module is the door of."""
    home = str(getattr(thing, "__module__", ""))
    return home == module or home.startswith(f"{module}.")


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_says_what_it_is(module: str) -> None:
    found = importlib.import_module(module)
    assert found.__doc__
    for name, thing in vars(found).items():
        if name.startswith("_") or not belongs(thing, module):
            continue
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert inspect.getdoc(thing), f"{module}.{name}"
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_") and (
                    inspect.isfunction(value) or isinstance(value, property)
                ):
                    assert inspect.getdoc(value), f"{module}.{name}.{member}"


def functions(module: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """The public functions and methods of a module, but those that an interface describes."""
    for name, thing in vars(importlib.import_module(module)).items():
        if name.startswith("_") or not belongs(thing, module):
            continue
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing):
            for member, value in vars(thing).items():
                described = any(
                    thing is not interface and hasattr(interface, member)
                    for interface in INTERFACES
                )
                if inspect.isfunction(value) and not member.startswith("_") and not described:
                    yield f"{name}.{member}", value


@pytest.mark.parametrize("module", MODULES)
def test_each_public_function_tells_of_its_arguments_and_errors(module: str) -> None:
    for name, function in functions(module):
        said = inspect.getdoc(function) or ""
        arguments = set(inspect.signature(function).parameters) - {"self", "cls"}
        told = re.search(r"^Args:\n((?: +.*\n?|\n)*)", said, re.M)
        for argument in arguments:
            assert told, f"{module}.{name} says nothing of {argument}"
            assert re.search(rf"^ +(\w+, )*{argument}(, \w+)*: ", told[1], re.M), (
                f"{name}: {argument}"
            )
        if re.search(r"^ +raise TrioechoError", inspect.getsource(function), re.M):
            assert "Raises:" in said, f"{module}.{name}"


@pytest.mark.parametrize("module", MODULES)
def test_each_public_function_tells_what_it_returns(module: str) -> None:
    """In a section of its own, or, where nothing else is to be said, in its first words."""
    for name, function in functions(module):
        said = inspect.getdoc(function) or ""
        returns = inspect.signature(function).return_annotation
        if returns in (None, "None") or said.startswith("Whether ") or "Args:" not in said:
            continue
        assert re.search(r"^(Returns|Yields):\n +\S", said, re.M), f"{module}.{name}"
