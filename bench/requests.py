"""The phases of 100 requests, beside what curl measures of the same, on a wire of our own.

    chrt -f 10 python bench/requests.py  # ahead of what else runs on a busy machine

curl asks a server that thinks as long as it is told to, over HTTP/1.1, HTTP/2 and HTTPS, on new
connections and on kept ones, with delays, losses and a slow link between the two. Of each phase:
the median and the greatest difference between ``trioecho why --requests`` and ``curl -w``, and how
many are within a millisecond. curl's times include how long its process waits for a processor.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from shlex import join
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

HERE = Path(__file__).parent
TRIOECHO = [sys.executable, "-m", "trioecho"]
SERVER = "10.0.0.2:8000"


class Case(NamedTuple):
    """Some requests on one wire."""

    name: str
    protocol: str
    faults: list[str]
    paths: list[str]
    kept: bool = False
    options: str = ""


CASES = [
    Case("HTTP/1.1, new connections", "http1", ["delay 10ms"], ["/20/5000"] * 20),
    Case("HTTP/1.1, kept", "http1", ["delay 5ms"], ["/1/100", "/30/60000"] * 10, kept=True),
    Case("HTTP/1.1, losses", "http1", ["delay 5ms", "loss 3% seed 7"], ["/5/20000"] * 20),
    Case("HTTP/1.1, slow link", "http1", ["delay 5ms", "rate server 5mbit"], ["/5/50000"] * 10),
    Case("HTTP/2, new connections", "http2", ["delay 10ms"], ["/1/100", "/30/30000"] * 10),
    Case("HTTPS, new connections", "https", ["delay 10ms"], ["/20/5000"] * 10),
]
OPTIONS = {"http1": "", "http2": "--http2-prior-knowledge", "https": "-k"}
#: Which of curl's times a phase lies between.
PHASES = {
    "connect": ("time_namelookup", "time_connect"),
    "tls": ("time_connect", "time_appconnect"),
    "first byte": ("time_pretransfer", "time_starttransfer"),
    "transfer": ("time_starttransfer", "time_total"),
    "total": ("time_namelookup", "time_total"),
}


def run(case: Case, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What curl and what trioecho say of the same requests."""
    scheme = "https" if case.protocol == "https" else "http"
    urls = [f"{scheme}://{SERVER}{path}" for path in case.paths]
    curl = f"curl -s {OPTIONS[case.protocol]} -w '%{{json}}\\n' -o /dev/null "
    # Each transfer has an output of its own, or what it sends goes before what curl writes.
    script = folder / "client.sh"
    if case.kept:
        script.write_text(curl + " -o /dev/null ".join(urls) + f" >{folder}/curl.txt\n")
    else:
        script.write_text("".join(f"{curl}{url} >>{folder}/curl.txt\n" for url in urls))
    (folder / "curl.txt").write_text("")
    server = [sys.executable, str(HERE / "request_server.py"), case.protocol, "8000"]
    server += [str(folder / "key.pem")]
    faults = [word for fault in case.faults for word in ("--fault", fault)]
    capture = str(folder / "run.pcapng")
    command = [*TRIOECHO, "run", "--server", join(server), "--client", f"sh {script}"]
    subprocess.run([*command, *faults, "-o", capture], check=True, capture_output=True)
    why = [*TRIOECHO, "why", capture, "--requests", "--format", "json"]
    told = subprocess.run(why, check=True, capture_output=True).stdout.splitlines()
    found = sorted(map(json.loads, told), key=lambda one: int(one["number"]))
    theirs = [json.loads(line) for line in (folder / "curl.txt").read_text().splitlines()]
    return theirs, list(joined(found))


def joined(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each request with the TLS handshake before it, which is one of its own in the table."""
    shake: dict[str, Any] | None = None
    for one in found:
        if one["protocol"] == "TLS" and one["times"]["tls"] is not None:
            shake = one
            continue
        times = dict(one["times"])
        if shake is not None:
            times["connect"], times["tls"] = shake["times"]["connect"], shake["times"]["tls"]
            times["total"] += one["start"] - shake["start"]
            shake = None
        phases = one["phases"]
        first = phases["time_starttransfer"] - phases["time_pretransfer"]
        yield {**times, "first byte": first}


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """By how many milliseconds each phase of a request differs."""
    for phase, (since, until) in PHASES.items():
        mine = ours[phase]
        if mine is None or (phase == "tls" and not theirs["time_appconnect"]):
            continue
        since = "time_pretransfer" if phase == "total" and ours["connect"] is None else since
        yield phase, abs(theirs[until] - theirs[since] - mine) * 1e3


def main() -> None:
    """Print a table."""
    whole: dict[str, list[float]] = defaultdict(list)
    count = 0
    with TemporaryDirectory() as name:
        folder = Path(name)
        key, certificate = folder / "key.pem", folder / "crt.pem"
        new = f"req -x509 -newkey rsa:2048 -nodes -subj /CN=shop -keyout {key} -out {certificate}"
        subprocess.run(["openssl", *new.split()], check=True, capture_output=True)
        key.write_text(key.read_text() + certificate.read_text())
        for case in CASES:
            theirs, ours = run(case, folder)
            assert len(theirs) == len(ours) == len(case.paths), (len(theirs), len(ours))
            count += len(ours)
            found: dict[str, list[float]] = defaultdict(list)
            for one, other in zip(theirs, ours, strict=True):
                for phase, differs in differences(one, other):
                    found[phase].append(differs)
                    whole[phase].append(differs)
            show(f"{case.name} ({', '.join(case.faults)}): {len(ours)} requests", found)
        show(f"All: {count} requests", whole)


def show(title: str, found: dict[str, list[float]]) -> None:
    """A title, and a line for each phase."""
    print(title)
    for phase, values in found.items():
        near = sum(value <= 1 for value in values)
        print(
            f"  {phase:<10}  median {median(values):6.3f} ms  greatest {max(values):6.3f} ms"
            f"  within 1 ms: {near} of {len(values)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
