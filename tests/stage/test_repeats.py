"""What a spinning program repeats is told as one call with a count."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from trioecho.model import Call
from trioecho.stage.repeats import FEW, SOON, Repeats


def made(name: str, time: int = 0, result: int | None = 0, **more: object) -> Call:
    return Call(time, "server", "connection", 4, name, result=result, **more)  # type: ignore[arg-type]


def story(repeats: Repeats, calls: Iterable[Call], task: int = 0) -> list[str]:
    return [shown(one) for call in calls for one in repeats.told(call, task)]


def shown(call: Call) -> str:
    return call.name if call.times == 1 else f"{call.name} x{call.times} at {call.time}"


def spins(rounds: int, start: int = 0) -> Iterable[Call]:
    """The server of many a tutorial, at the end of its input."""
    for at in range(start, start + 2 * rounds, 2):
        yield made("recv", at)
        yield made("send", at + 1)


def test_a_spin_is_told_soon_and_at_its_end() -> None:
    repeats = Repeats()
    first = story(repeats, spins(FEW + SOON // 2))
    at = 2 * FEW + SOON - 1
    half = SOON // 2
    assert first == ["recv", "send"] * FEW + [f"recv x{half} at {at}", f"send x{half} at {at}"]
    assert story(repeats, spins(500, start=1_000)) == []
    assert story(repeats, [made("close", 3_000)]) == [
        "recv x500 at 1999",
        "send x500 at 1999",
        "close",
    ]
    assert list(repeats.counted()) == []


def test_a_minute_of_it_is_a_few_calls() -> None:
    repeats = Repeats()
    told = story(repeats, spins(200_000))
    assert len(told) == 2 * FEW + 2
    rest = [shown(one) for one in repeats.counted()]
    assert rest == [f"{name} x{200_000 - FEW - SOON // 2} at 399999" for name in ("recv", "send")]


def test_what_is_told_in_between_goes_on_being_counted() -> None:
    repeats = Repeats()
    story(repeats, spins(20))
    assert [shown(one) for one in repeats.counted("client")] == []
    assert [one.times for one in repeats.counted("server")] == [17, 17]
    assert story(repeats, spins(5)) == []
    assert [one.times for one in repeats.counted("server")] == [5, 5]


def test_a_call_with_an_effect_ends_it() -> None:
    repeats = Repeats()
    one = [*spins(FEW), made("recv", 9, 7)]
    assert story(repeats, one * 10) == (["recv", "send"] * FEW + ["recv"]) * 10


@pytest.mark.parametrize(
    "call",
    [
        made("send", result=None, error="EPIPE"),
        made("accept", result=None, error="EMFILE"),
        made("read"),
    ],
)
def test_whatever_has_no_effect_is_counted(call: Call) -> None:
    repeats = Repeats()
    assert story(repeats, [call] * 50) == [call.name] * FEW
    assert [one.times for one in repeats.counted()] == [50 - FEW]


@pytest.mark.parametrize("call", [made("recv", result=1), made("setsockopt"), made("accept")])
def test_whatever_has_one_is_not(call: Call) -> None:
    assert story(Repeats(), [call] * 50) == [call.name] * 50


def test_tasks_and_sockets_are_apart() -> None:
    repeats = Repeats()
    assert story(repeats, [made("recv")] * FEW, task=1) == ["recv"] * FEW
    assert story(repeats, [made("recv")], task=2) == ["recv"]


def test_it_remembers_a_bounded_number_of_sockets() -> None:
    repeats = Repeats()
    story(repeats, spins(20), task=-1)
    told = [story(repeats, [made("recv")], task) for task in range(5_000)]
    assert len(repeats._loops) == 1_000
    assert sorted(len(one) for one in told)[-2:] == [1, 3]  # what was counted is not lost
