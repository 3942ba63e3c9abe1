"""What a failed test leaves behind."""

from __future__ import annotations

from pathlib import Path
from string import ascii_letters, digits

import pytest

from trioecho.testing import Wire, artefacts
from trioecho.testing.artefacts import LEFT_OUT, add_to_summary, file_name, write_files


def test_each_test_has_a_file_name_of_its_own() -> None:
    names = [
        "a.py::b[/]",
        "a.py::b[ ]",
        "a.py::b[\u202e]",
        "../a.py::b",
        "a.py::b[" + "x" * 500 + "]",
    ]
    files = [file_name(one) for one in names]
    assert len(set(files)) == len(names)
    assert all(set(one) <= {*ascii_letters, *digits, *"._-"} and len(one) < 140 for one in files)
    assert not any(one.startswith(".") for one in files)
    assert files[3].startswith("a.py_b-")


def test_a_folder_that_cannot_be_made(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_files(wire, "a", tmp_path / "file" / "folder")


def test_a_summary_is_bounded_and_cannot_be_broken_out_of(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.server.listen(7)
    wire.client.connect((wire.server.address, 7)).sendall(b"</pre></details><script>\x1b[31m")
    path = tmp_path / "summary.md"
    path.write_text("before\n\n")
    add_to_summary(wire, "test[</summary>\x1b\n]", path)
    text = path.read_text("utf-8")
    assert text.startswith("before\n\n<details><summary>The wire of test[&lt;/summary&gt;")
    assert text.count("<") == 6
    assert "\x1b" not in text
    assert "SYN-SENT" in text

    monkeypatch.setattr(artefacts, "MOST_SUMMARY", 2 * len(text.encode()) + 200)
    for _ in range(3):
        add_to_summary(wire, "test", path)
    text = path.read_text("utf-8")
    assert text.count("<details>") == 2
    assert text.endswith("</details>\n\n" + LEFT_OUT)
    assert text.count(LEFT_OUT) == 1
