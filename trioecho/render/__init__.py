"""Events -> text or bytes. Pure: nothing here opens, prints or waits.

To add a format, write a module with a renderer and name it in ``FORMATS``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from trioecho.render.renderer import Event, Renderer, Setting

__all__ = ["AT_THE_END", "FORMATS", "SUFFIXES", "Event", "Format", "Renderer", "Setting"]


class Format(NamedTuple):
    """An output format. Calling it makes a renderer.

    Args:
        suffix: the suffix of its files.
        module: its module in this package.
        renderer: the renderer's class there.
        at_end: whether it is written in one piece, at the end.
    """

    suffix: str
    module: str
    renderer: str
    at_end: bool = False

    def __call__(self, setting: Setting) -> Renderer:
        module = import_module(f"{__name__}.{self.module}")
        renderer: Renderer = getattr(module, self.renderer)(setting)
        return renderer


#: Every format by its name.
FORMATS = {
    "terminal": Format(".txt", "terminal", "Terminal"),
    "json": Format(".jsonl", "jsonl", "JsonLines"),
    "ladder": Format(".ladder", "script", "Script"),
    "pcapng": Format(".pcapng", "pcapng", "Pcapng"),
    "svg": Format(".svg", "svg", "Svg", at_end=True),
}

#: The name of each format by its suffix.
SUFFIXES = {one.suffix: name for name, one in FORMATS.items()}

#: Suffixes of the formats that are written in one piece, at the end.
AT_THE_END = {one.suffix for one in FORMATS.values() if one.at_end}


def __getattr__(name: str) -> Any:
    """Loads what a renderer needs only when asked: the command line reads ``FORMATS`` alone."""
    if name in ("Event", "Renderer", "Setting"):
        return getattr(import_module(f"{__name__}.renderer"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
