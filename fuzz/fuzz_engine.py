"""An atheris target for everything behind the reader: decoding, tracking, every format.

    python fuzz/fuzz_engine.py [-max_total_time=SECONDS] [-runs=COUNT] [CORPUS_DIRECTORY]

Every option is libFuzzer's. Without a corpus directory it starts from the captures that the tests
make and, where they are there, from the small ones in ../shared/pcaps. An input is bad when
anything but the reader's one clean error is raised, when a character that steers a terminal comes
out, or when it takes more than 10 seconds or 512 MiB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped,unused-ignore]

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

with atheris.instrument_imports(include=["trioecho"]):
    from corpus import CORPUS, corpus
    from crafted import crafted
    from hostile import read_and_climb

LONGEST = 16_384


def main() -> None:
    """Fuzz until the bound that the arguments set, or for ever."""
    with tempfile.TemporaryDirectory() as directory:
        bounds = ["-timeout=10", "-rss_limit_mb=512", f"-max_len={LONGEST}"]
        arguments = [sys.argv[0], *bounds, *sys.argv[1:]]
        if all(argument.startswith("-") for argument in sys.argv[1:]):
            found = [data for _, data in crafted()]
            found += [(CORPUS / name).read_bytes() for name, _ in corpus()]
            for number, data in enumerate(found):
                if len(data) <= LONGEST:
                    (Path(directory) / str(number)).write_bytes(data)
            arguments.append(directory)
        atheris.Setup(arguments, read_and_climb)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
