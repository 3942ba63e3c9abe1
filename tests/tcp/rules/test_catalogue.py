"""The catalogue of notes knows each rule, each kind and each cause."""

from __future__ import annotations

from rule_ladders import LADDERS, RULES, ask

from trioecho.tcp.rules import QUESTIONS
from trioecho.tcp.rules.catalogue import causes, examples, found, said, whole
from trioecho.tcp.rules.kinds import kinds
from trioecho.tcp.rules.resets import ConnectionRst, UnreadData


def test_each_rule_is_there_once_in_order() -> None:
    names = [one.name for one in found()]
    assert set(names) == set(RULES)
    assert len(names) == len(RULES)
    assert {one.kind for one in found()} == kinds()
    assert [one.asks for one in found()][:1] == [QUESTIONS[0].asks]


def test_a_rule_finds_what_it_is_declared_to() -> None:
    for one in found():
        ((fact, *_), _) = ask(RULES[one.name], LADDERS[one.name].fires)
        assert isinstance(fact, one.fact), one.name


def test_a_kind_is_told_by_its_own_class() -> None:
    assert whole("connection-rst") is ConnectionRst
    assert said(whole("zero-window-probe")).startswith("One byte beyond a closed window")
    assert all(said(whole(kind)) for kind in kinds())


def test_each_cause_is_one_of_a_class() -> None:
    assert causes()["unread-data"] is UnreadData
    assert all(said(one) for one in causes().values())
    declared = {one.fact for one in found() if issubclass(one.fact, ConnectionRst)}
    assert declared - {ConnectionRst} <= set(causes().values())


def test_each_rule_has_an_example() -> None:
    assert set(examples()) == set(RULES)
