from __future__ import annotations

import os

import pytest

from trioecho.watch.privileges import drop_privileges


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SUDO_UID": "0", "SUDO_GID": "0"},
        {"SUDO_UID": "1000"},
        {"SUDO_UID": "-1", "SUDO_GID": "1000"},
        {"SUDO_UID": "", "SUDO_GID": ""},
    ],
)
def test_root_without_anybody_to_become_stays(environment: dict[str, str]) -> None:
    before = os.getresuid(), os.getresgid(), os.getgroups()
    assert drop_privileges(environment) is False
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before


def test_who_is_not_root_has_nothing_to_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert drop_privileges({"SUDO_UID": "1000", "SUDO_GID": "1000"}) is False
