"""What other ways of reading make of a capture file."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

from captures import read
from shark import shark

from trioecho.capture.files import CaptureFile, open_capture_file
from trioecho.model import ConnectionSummary
from trioecho.reading.reading import Reading


def alone(path: Path) -> list[ConnectionSummary]:
    """What one reader says of a file's connections, which makes a rung of each segment."""
    reading = Reading()
    with open_capture_file(path) as file:
        for frames in file:
            reading.rungs(frames)
    return list(reading.connections())


def as_wireshark(path: Path) -> list[tuple[int, int | None, int, int]]:
    """Number, time in nanoseconds, length and captured length of each of a file's frames."""
    rows = shark(path, ["frame.number", "frame.time_epoch", "frame.len", "frame.cap_len"])
    return [(int(row[0]), _nanoseconds(row[1]), int(row[2]), int(row[3])) for row in rows]


def _nanoseconds(text: str) -> int | None:
    if not text:
        return None
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))


def check_passing(raw: bytes) -> None:
    """What is not to be passed over is read as if all were; what is, may be."""

    def passing(data: bytes, start: int, end: int, link: int) -> bool:
        return zlib.crc32(data[start:end]) % 3 > 0

    frames, trouble = read(io.BytesIO(raw))
    with CaptureFile(io.BytesIO(raw), "it", passing=passing) as file:
        left = [frame for batch in file for frame in batch]
        assert str(file.trouble or "") == trouble
    whole = {frame.number: frame for frame in frames}
    assert all(frame == whole.pop(frame.number) for frame in left)
    assert all(passing(one.data, 0, len(one.data), one.link) for one in whole.values())
    assert whole or len(frames) < 20
