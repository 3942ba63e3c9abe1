"""Counts what a fault-free wire test would be told of besides the echo, beside busy processes.

    python bench/quiet.py [TESTS] [BUSY]

Each test opens the wire of the fixture, connects, echoes a few bytes and closes. Of a wire without
faults, none may see a retransmission; prints each that does, and exits with 1.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from time import monotonic

from trioecho.model import Rung
from trioecho.testing import Wire, open_wire

TESTS, BUSY = 1000, 4


def echo(wire: Wire) -> None:
    """One connection that sends, gets the same back, and is closed by both ends."""
    with wire.server.listen(7) as listening, wire.client.connect((wire.server.address, 7)) as ours:
        theirs, _ = listening.accept()
        with theirs:
            for message in (b"one", b"two", b"three"):
                ours.sendall(message)
                theirs.sendall(theirs.recv(16))
                assert ours.recv(16) == message
            ours.close()
            assert theirs.recv(16) == b""
    wire.settle()


def main(tests: int = TESTS, busy: int = BUSY) -> int:
    """Run them, and say what came of them."""
    kinds: Counter[str] = Counter()
    failed = 0
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    begun = monotonic()
    try:
        for _ in range(tests):
            with open_wire() as wire:
                echo(wire)
            again = [rung for one in wire.connections for rung in one.rungs if _again(rung)]
            seen = wire.connection()
            if again or seen.retransmissions or seen.probes:
                failed += 1
                print(seen)
                kinds.update(fact.kind for rung in again for fact in rung.notes)
    finally:
        for one in spinning:
            one.kill()
            one.wait()
    took = monotonic() - begun
    print(f"{tests} tests beside {busy} busy processes: {failed} failed; {took:.0f} s")
    for kind, count in kinds.most_common():
        print(f"  {kind}: {count}")
    return 1 if failed else 0


def _again(rung: Rung) -> bool:
    return any(fact.again for fact in rung.notes)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
