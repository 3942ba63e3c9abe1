"""The reference is complete: each command and option, and each public name of the Python pages."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import cli_pages
import pytest
import typer.main
from programs import shown

import trioecho
from trioecho.cli.app import app
from trioecho.render import SUFFIXES

ROOT = Path(__file__).parents[2]
GROUP = typer.main.get_command(app)
PYTHON = sorted((ROOT / "docs" / "reference" / "python").glob("*.md"))
NAMES = [name for name in trioecho.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", cli_pages.pages())
def test_each_option_of_the_help_is_on_the_page(name: str) -> None:
    page = cli_pages.pages()[name]
    done = shown(name, "--help", columns=200)
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


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_on_one_page(name: str) -> None:
    pages = [page.read_text("utf-8") for page in PYTHON]
    assert [len(re.findall(rf"^::: trioecho\.{name}$", page, re.M)) for page in pages].count(1) == 1


def test_no_other_name_is_documented() -> None:
    text = "".join(page.read_text("utf-8") for page in PYTHON)
    assert sorted(re.findall(r"^::: (\S+)$", text, re.M)) == [f"trioecho.{name}" for name in NAMES]


def test_the_overview_names_each() -> None:
    overview = (ROOT / "docs" / "reference" / "python" / "index.md").read_text("utf-8")
    for name in NAMES:
        assert f"#trioecho.{name})" in overview, name


def described(name: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """A public function, or the public methods of a class that it does not only fill in."""
    thing = getattr(trioecho, name)
    if inspect.isfunction(thing):
        yield name, thing
    elif inspect.isclass(thing):
        for member, value in vars(thing).items():
            if inspect.isfunction(value) and not member.startswith("_"):
                yield f"{name}.{member}", value


@pytest.mark.parametrize("name", NAMES)
def test_each_public_function_describes_its_arguments_and_errors(name: str) -> None:
    for called, function in described(name):
        said = inspect.getdoc(function) or ""
        arguments = set(inspect.signature(function).parameters) - {"self", "cls"}
        told = re.search(r"^Args:\n((?: +.*\n?|\n)*)", said, re.M)
        for argument in arguments:
            assert told, f"{called} says nothing of {argument}"
            assert re.search(rf"^ +(\w+, )*{argument}(, \w+)*: ", told[1], re.M), (
                f"{called}: {argument}"
            )
        if re.search(r"^ +raise TrioechoError", inspect.getsource(function), re.M):
            assert "Raises:" in said, called


@pytest.mark.parametrize("name", NAMES)
def test_each_public_record_describes_its_fields(name: str) -> None:
    thing = getattr(trioecho, name)
    for field in getattr(thing, "__struct_fields__", ()):
        if len(thing.__struct_fields__) > 2:
            assert re.search(rf"^ +(\w+, )*{field}(, \w+)*: ", thing.__doc__, re.M), field


@pytest.mark.parametrize("name", NAMES)
def test_each_public_function_says_what_it_returns(name: str) -> None:
    """In a section of its own, or, where nothing else is to be said, in its first words."""
    for called, function in described(name):
        said = inspect.getdoc(function) or ""
        returns = inspect.signature(function).return_annotation
        if returns in (None, "None") or said.startswith("Whether ") or "Args:" not in said:
            continue
        assert re.search(r"^(Returns|Yields):\n +\S", said, re.M), called


def test_the_examples_in_docstrings() -> None:
    """Of each module, what stands behind ``>>>`` gives what stands below it."""
    package = Path(trioecho.__file__).parent
    shown = [one for one in sorted(package.rglob("*.py")) if ">>> " in one.read_text("utf-8")]
    assert len(shown) > 10
    for path in shown:
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        result = doctest.testmod(import_module(name))
        assert result.attempted, name
        assert not result.failed, name
