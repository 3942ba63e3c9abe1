"""Wireshark's reading of captures, by one ``sharkd`` for many: starting takes longer than reading.

``sharkd`` comes with ``tshark``, and dissects with the same library, in two passes.
"""

from __future__ import annotations

import atexit
import functools
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from needs import need_tool


def shark(path: Path, fields: Sequence[str], value: int = 1) -> list[list[str]]:
    """What Wireshark reads of a capture's frames.

    All of them: a display filter would be remembered, with what it let through of an earlier file.

    Args:
        path: the capture.
        fields: the names of what to read.
        value: which value where a frame has several: 1 is the first, -1 the last.

    Returns:
        The fields of each frame, as text; empty text where it has none.
    """
    process = _daemon()
    _ask(process, "load", file=str(path.resolve()))
    columns = {f"column{number}": f"{field}:{value}" for number, field in enumerate(fields)}
    return [row["c"] for row in _ask(process, "frames", **columns)]


def _ask(process: subprocess.Popen[str], method: str, **parameters: str) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    assert "error" not in answer, (question, answer)
    return answer["result"]


@functools.cache
def _daemon() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [need_tool("sharkd"), "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    atexit.register(process.communicate)
    _ask(process, "setconf", name="vxlan.udp.port", value="4789,8472")  # Linux's own port, too
    return process
