"""Lessons of a user's own, for the tests."""

from __future__ import annotations

from pathlib import Path

TEXT = """
title = "Mine"
level = "beginner"
rfc = ["RFC 9293 §3.5"]
introduction = "One. Two."
notice = ["This."]
question = "Why?"
answer = "So."
"""
CLIENT = """
[[client]]
steps = ["connect", "close"]
"""
SERVER = """
[[server]]
steps = ["listen", "accept", "receive to the end", "close"]
"""


def lesson(folder: Path, *parts: str) -> Path:
    path = folder / "mine.toml"
    path.write_text("\n".join((TEXT, *parts)), encoding="utf-8")
    return path
