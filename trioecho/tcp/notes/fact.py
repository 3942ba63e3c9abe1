"""What every note is: a fact with a kind."""

from __future__ import annotations

from msgspec import Struct


class Fact(Struct, frozen=True, tag_field="kind", gc=False):
    """What every note has: a kind."""

    @property
    def kind(self) -> str:
        """The note's name, as it stands in JSON and in a ladder."""
        return str(self.__struct_config__.tag)
