"""The blueprint in docs/design.md names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from test_floors import FLOORS, SOURCE

PAGE = (Path(__file__).parents[2] / "docs" / "design.md").read_text("utf-8")
TREE = PAGE.partition("```text\n")[2].partition("```\n")[0]
# "3 echo/   the two ends …", and the lines below it that are indented.
ROOMS = re.findall(r"^(\d) (\w+)(/|\.py)(.*\n(?:  .*\n)*)", TREE, re.M)


def test_the_blueprint_shows_every_room_on_its_floor() -> None:
    inside = {room: floor for room, floor in FLOORS.items() if room not in ("trioecho", "__main__")}
    assert {room: int(floor) for floor, room, _, _ in ROOMS} == inside


def test_every_module_that_the_blueprint_names_is_there() -> None:
    assert ROOMS
    for _, room, kind, text in ROOMS:
        names = re.findall(r"\b(\w+)\.py", text)
        if kind == ".py":
            assert (SOURCE / f"{room}.py").exists(), room
        else:
            assert [name for name in names if not (SOURCE / room / f"{name}.py").exists()] == []
