"""Interface: one of the interfaces that a capture file's frames were captured on."""

from __future__ import annotations

from msgspec import Struct


class Interface(Struct, frozen=True):
    """An interface, as a capture file tells of it.

    Args:
        number: its place in the file, over all sections, from 0.
        name: its name as it stands in the file, not yet safe to show, or ``""``.
        link: the link type of its frames (LINKTYPE_*).
        resolution: how many ticks of its timestamps make a second.
        snaplen: to how many bytes its frames were cut, 0 for no limit.
    """

    number: int
    name: str
    link: int
    resolution: int
    snaplen: int = 0
