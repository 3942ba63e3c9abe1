"""What a user reads when something goes wrong."""

from __future__ import annotations

import pytest

from trioecho.errors import TrioechoError, sole


def test_a_sentence_and_what_to_do() -> None:
    error = TrioechoError("port 7 is in use", "Use --port 0")
    assert str(error) == "port 7 is in use. Use --port 0"
    assert (error.what, error.hint) == ("port 7 is in use", "Use --port 0")


def test_without_a_hint_there_is_only_the_sentence() -> None:
    assert str(TrioechoError("port 7 is in use")) == "port 7 is in use"


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_error_alone_in_groups_is_what_the_user_sees(depth: int) -> None:
    error: BaseException = TrioechoError("no")
    group = error
    for _ in range(depth):
        group = BaseExceptionGroup("a nursery", [group])
    assert sole(group) is error


def test_several_errors_stay_a_group() -> None:
    two = ExceptionGroup("inner", [TrioechoError("one"), TrioechoError("two")])
    assert sole(ExceptionGroup("outer", [two])) is two
