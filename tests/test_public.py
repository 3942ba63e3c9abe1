"""The public face: these names, typed and described, and nothing heavy until one is used."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

import trioecho

PUBLIC = [
    "Call",
    "Capture",
    "Connection",
    "ConnectionSummary",
    "Decoder",
    "Endpoint",
    "Fact",
    "Frame",
    "Host",
    "Ladder",
    "Rung",
    "Segment",
    "Stage",
    "State",
    "Summary",
    "TraceSettings",
    "Tracker",
    "TrioechoError",
    "__version__",
    "open_capture",
    "open_stage",
    "read",
    "trace_echo",
]
# Inner types that a public method returns only to be given back to another one.
HANDLES = ("TrackedConnection",)


def functions(name: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """A public function, or the public methods and properties of a class."""
    thing = getattr(trioecho, name)
    if inspect.isfunction(thing):
        yield name, thing
    elif inspect.isclass(thing):
        for owner in thing.__mro__:
            if owner.__module__.partition(".")[0] != "trioecho":
                continue
            for member, value in vars(owner).items():
                value = value.fget if isinstance(value, property) else value
                value = getattr(value, "__func__", value)  # a classmethod's
                if inspect.isfunction(value) and (
                    not member.startswith("_") or value is init(owner)
                ):
                    yield f"{name}.{member}", value


def init(owner: type) -> object:
    return vars(owner).get("__init__")


def test_the_public_names_are_these() -> None:
    assert trioecho.__all__ == PUBLIC
    assert sorted(set(PUBLIC)) == PUBLIC
    assert dir(trioecho) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_can_be_imported(name: str) -> None:
    program = f"from trioecho import {name}; assert {name}.__doc__"
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_no_other_name_is_there() -> None:
    with pytest.raises(AttributeError, match="module 'trioecho' has no attribute 'Reader'"):
        trioecho.Reader  # noqa: B018


def test_the_package_imports_nothing_until_a_name_is_used() -> None:
    program = (
        "import sys, trioecho; dir(trioecho); trioecho.__version__;"
        "print({'trio', 'scapy', 'msgspec', 'typer'} & sys.modules.keys(),"
        " [name for name in sys.modules if name.startswith('trioecho.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set() []\n"


def test_to_read_a_capture_takes_no_scapy() -> None:
    program = "import sys, trioecho; trioecho.read, trioecho.Tracker; print('scapy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_each_name_is_typed_and_described(name: str) -> None:
    assert inspect.getdoc(getattr(trioecho, name))
    for called, function in functions(name):
        assert called.endswith("__init__") or inspect.getdoc(function), called
        signature = inspect.signature(function)
        bare = [
            one.name
            for one in signature.parameters.values()
            if one.annotation is one.empty and one.name not in ("self", "cls")
        ]
        assert not bare, f"{called}: {bare}"
        assert signature.return_annotation is not signature.empty, called


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_a_public_class_needs_no_inner_one(name: str) -> None:
    """Where a signature names a class of ours, it is public, or another name for built-in types."""
    inner = {
        f"{called}: {word}"
        for called, function in functions(name)
        if not called.endswith(".__init__")
        for word in re.findall(r"\b[A-Z]\w+", str(inspect.signature(function)))
        if inspect.isclass(found := function.__globals__.get(word))
        and found.__module__.partition(".")[0] == "trioecho"
        and word not in (*PUBLIC, *HANDLES)
    }
    assert not inner
