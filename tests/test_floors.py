"""Imports run downwards, there is no circle, and the walls hold (docs/design.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from floors import Package, circles

import trioecho

SOURCE = Path(trioecho.__file__).parent
PACKAGE = Package(SOURCE)

# Each room and its floor. A module may import its own room and rooms on floors below. The first row
# is the public face, ``trioecho/__init__.py``.
FLOORS = {
    "trioecho": 8,
    "errors": 0,
    "text": 0,
    "model": 0,
    "packet": 1,
    "tcp": 1,
    "account": 1,
    "requests": 2,
    "sockets": 1,
    "hosts": 1,
    "capture": 1,
    "faults": 2,
    "render": 3,
    "echo": 2,
    "reading": 2,
    "view": 4,
    "stage": 5,
    "trace": 6,
    "programs": 6,
    "lessons": 6,
    "testing": 6,
    "watch": 6,
    "pytest_plugin": 7,
    "cli": 7,
    "__main__": 9,
}

SCAPY = {"packet.dissect", "capture.filters", "capture.scapy_socket"}
NO_TRIO = ("tcp", "account", "requests", "packet", "faults", "render", "model", "errors", "text")
NO_CLOCK = ("tcp", "account", "requests", "packet", "faults", "model")
CLOCKS = ("time", "datetime", "random")
SEEDED = "random.Random"  # decides by the seed it is given


def short(module: str) -> str:
    return module.removeprefix("trioecho.")


def room(module: str) -> str:
    return short(module).partition(".")[0]


def test_each_room_has_a_floor() -> None:
    assert {room(module) for module in PACKAGE.files} == FLOORS.keys()


def test_imports_run_downwards() -> None:
    wrong = [
        f"{short(module)}:{line} imports {short(other)}"
        for module, others in PACKAGE.edges().items()
        for other, line in others.items()
        if room(other) != room(module) and FLOORS[room(other)] >= FLOORS[room(module)]
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_circle() -> None:
    found = [", ".join(map(short, circle)) for circle in circles(PACKAGE.edges())]
    assert not found, "\n" + "\n".join(found)


def test_walls_hold() -> None:
    wrong = []
    for module, imports in PACKAGE.imports.items():
        own = room(module)
        for name, line, at_top in imports:
            package = name.partition(".")[0]
            if (
                (package == "scapy" and (at_top or short(module) not in SCAPY))
                or (package == "trio" and own in NO_TRIO)
                or (package in CLOCKS and own in NO_CLOCK and name != SEEDED)
            ):
                wrong.append(f"{short(module)}:{line} imports {name}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_size() -> None:
    lines = {
        short(module): path.read_text(encoding="utf-8").count("\n")
        for module, path in PACKAGE.files.items()
    }
    assert not {module: count for module, count in lines.items() if count >= 400}


@pytest.mark.parametrize(
    "way",
    [
        "from house.room.two import TWO",
        "import house.room.two",
        "from house.room import two",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.room.two import TWO",
        "def later():\n    from house.room.two import TWO",
        "class Late:\n    def later(self):\n        import house.room.two as two",
        "MODULE = 'house.room.two'",
    ],
)
def test_each_way_to_import_is_seen(tmp_path: Path, way: str) -> None:
    house = tmp_path / "house"
    (house / "room").mkdir(parents=True)
    for name in ("__init__.py", "room/__init__.py"):
        (house / name).write_text("")
    (house / "room" / "one.py").write_text(way)
    (house / "room" / "two.py").write_text("TWO = 2\n")
    assert not circles(Package(house).edges())
    (house / "room" / "two.py").write_text("from house.room.one import ONE")
    assert circles(Package(house).edges()) == [["house.room.one", "house.room.two"]]
