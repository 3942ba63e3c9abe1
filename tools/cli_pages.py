"""Generates the commands' pages from Typer's parameters, as ``--help`` does."""

from __future__ import annotations

import inspect
import re
from enum import Enum
from typing import Any, get_args, get_type_hints

import typer.main

from trioecho.cli.app import app


def pages() -> dict[str, str]:
    """A Markdown page for each command, by the command's name."""
    group: Any = typer.main.get_command(app)
    functions = {
        one.callback.__name__: one.callback for one in app.registered_commands if one.callback
    }
    above = group.make_context("trioecho", [], resilient_parsing=True)
    return {name: page(name, one, functions[name], above) for name, one in group.commands.items()}


def page(name: str, command: Any, function: Any, above: Any) -> str:
    """One command's page."""
    context = command.make_context(name, [], parent=above, resilient_parsing=True)
    text, _, examples = inspect.cleandoc(function.__doc__ or "").partition("\nExamples:\n")
    usage = " ".join(command.get_usage(context).removeprefix("Usage:").split())
    lines = [f"# trioecho {name}", "", _plain(text), "", "```text", usage, "```", ""]
    if examples:
        shown = [line.strip() for line in examples.replace("\b", "").splitlines() if line.strip()]
        lines += ["## Examples", "", "```sh", *shown, "```", ""]
    hints = get_type_hints(function)
    params = command.get_params(context)
    for title, kind in (("Arguments", "argument"), ("Options", "option")):
        rows = [
            _row(param, hints)
            for param in params
            if param.param_type_name == kind and not param.hidden
        ]
        if rows:
            lines += [f"## {title}", "", *(line for row in rows for line in row)]
    return "\n".join(lines)


def _row(param: Any, hints: dict[str, Any]) -> list[str]:
    """A parameter as a term and its description."""
    flag = getattr(param, "is_flag", False)
    if param.param_type_name == "argument":
        names, value = [param.metavar or param.name.upper()], ""
    else:
        names = [*param.opts, *param.secondary_opts]
        value = "" if flag else (param.metavar or "")
    said = [param.help or ""]
    hint = hints.get(param.name)
    choices = [
        one for one in (hint, *get_args(hint)) if inspect.isclass(one) and issubclass(one, Enum)
    ]
    if choices:
        said.append("One of " + ", ".join(f"`{one.value}`" for one in choices[0]) + ".")
    bounds = [
        f"{word} {bound:,}"
        for word, bound in (("at least", param.min), ("at most", param.max))
        if bound is not None
    ]
    if bounds:
        said.append(f"A number, {' and '.join(bounds)}.")
        value = value or "N"
    shown = param.show_default
    default = shown if isinstance(shown, str) else getattr(param.default, "value", param.default)
    if default not in (None, False, True, (), []):
        said.append(f"Default: `{default}`.")
    elif default is True and param.secondary_opts:
        said.append(f"Default: `{param.opts[0]}`.")
    title = ", ".join(f"`{name}`" for name in names) + (f" `{value}`" if value else "")
    return [title, f":   {_plain(' '.join(filter(None, said)))}", ""]


def _plain(text: str) -> str:
    """Help text as Markdown; a page that it names becomes a link."""
    text = text.strip().replace("<", "&lt;").replace("*", "\\*")
    return re.sub(r"\bdocs/([\w/-]+\.md)", r"[docs/\1](../../\1)", text)
