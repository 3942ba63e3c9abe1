"""An atheris target for the reader of capture files.

    python fuzz/fuzz_files.py [-max_total_time=SECONDS] [-runs=COUNT] [CORPUS_DIRECTORY]

Every option is libFuzzer's. Without a corpus directory it starts, in a temporary one, from the
variations that the tests make and, where they are there, from the captures in ../shared/pcaps.
An input is bad when the reader raises anything but its one clean error, hands out a frame that is
not sound, reads something else when it gets one byte at a time, or takes more than 10 seconds or
512 MiB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped,unused-ignore]

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

with atheris.instrument_imports(include=["trioecho.capture", "captures"]):
    from captures import compressed, read_hostile, variations
    from corpus import CORPUS, corpus


def seed(directory: Path) -> None:
    """Write what the fuzzer starts from."""
    for name, data in variations():
        for how, packed in compressed(data):
            (directory / f"{name}-{how}").write_bytes(packed)
    for number, (name, _) in enumerate(corpus()):
        data = (CORPUS / name).read_bytes()
        if len(data) < 64 << 10:
            (directory / f"corpus-{number}").write_bytes(data)


def one_input(data: bytes) -> None:
    """Read one input."""
    read_hostile(data)


def main() -> None:
    """Fuzz until the bound that the arguments set, or for ever."""
    with tempfile.TemporaryDirectory() as directory:
        arguments = [
            sys.argv[0],
            "-timeout=10",
            "-rss_limit_mb=512",
            "-max_len=65536",
            *sys.argv[1:],
        ]
        if all(argument.startswith("-") for argument in sys.argv[1:]):
            seed(Path(directory))
            arguments.append(directory)
        atheris.Setup(arguments, one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
