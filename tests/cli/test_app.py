# covers: cli/interrupts, cli/light_typer, cli/options

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from needs import need_namespaces
from programs import TRIOECHO, serving, trioecho

from trioecho import __version__
from trioecho.faults.faults import FAULTS

COMMANDS = ("trace", "lab", "run", "read", "why", "watch", "serve", "send", "faults", "explain")
SHOP = Path(__file__).parents[2] / "docs" / "captures" / "shop.pcap"


def imported(*arguments: str) -> set[str]:
    """The modules that a command imports."""
    command = [sys.executable, "-X", "importtime", "-m", "trioecho", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }


def test_help_starts_light() -> None:
    modules = imported("--help")
    assert "typer" in modules
    assert not modules & {"scapy", "numpy", "trio", "msgspec"}


def test_send_starts_light() -> None:
    with serving("-q") as server:
        modules = imported("send", "hi", "--to", server.port, "--timeout", "5")
    assert "trio" in modules
    assert not modules & {"scapy", "numpy", "pydantic", "rich", "msgspec"}


@pytest.mark.parametrize("options", [[], ["--format", "json"], ["-o", "x.txt"]])
def test_choices_and_paths_need_no_pydantic(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    modules = imported("read", str(SHOP), *options)
    assert "msgspec" in modules
    assert not modules & {"scapy", "numpy", "pydantic", "rich"}


# Runs a command, and presses Ctrl-C when a module is about to be imported.
INTERRUPTED = """
import signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
from trioecho.cli import main
main()
"""


@pytest.mark.parametrize(
    "module", ["typer", "trioecho.cli.trace", "msgspec", "trio", "trioecho.stage.outputs"]
)
def test_an_interrupt_while_modules_load_leaves_no_traceback(module: str) -> None:
    code = INTERRUPTED.replace("MODULE", repr(module))
    done = subprocess.run(
        [sys.executable, "-c", code, "trace", "hi"], capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stderr) == (130, "")


# Ctrl-C at a certain call of a Python function, counted from the entry point.
AT_A_CALL = """
import signal, sys

left = int(sys.argv.pop(1))

def count(frame, event, argument):
    global left
    left -= event == "call"
    if not left:
        sys.setprofile(None)
        signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
from trioecho.cli import main
sys.setprofile(count)
main()
"""


@pytest.mark.parametrize("call", [20, 2_000, 20_000, 40_000, 60_000, 75_000, 90_000, 100_000])
@pytest.mark.parametrize(
    "words", [["--version"], ["lab"], ["trace", "hi"], ["read", str(SHOP)]], ids=" ".join
)
def test_an_interrupt_at_any_call_leaves_one_exit_code(words: list[str], call: int) -> None:
    """130, or 0 if all was done before, and never a word."""
    if "trace" in words:
        need_namespaces()
    done = subprocess.run(
        [sys.executable, "-c", AT_A_CALL, str(call), *words], capture_output=True, check=False
    )
    assert done.returncode in ((130,) if call < 40_000 else (130, 0))
    assert done.stderr == b""


# Ctrl-C when the command is over: before Python ends, and while it tidies up.
AT_THE_END = """
import gc, signal, sys

def interrupt(send=signal.raise_signal, number=signal.SIGINT):
    send(number)

class Late:
    def __del__(self, interrupt=interrupt):  # when no global name holds anything any more
        interrupt()

WHEN
signal.signal(signal.SIGINT, signal.default_int_handler)
from trioecho.cli import main
main()
"""


@pytest.mark.parametrize(
    ("when", "code"), [("gc.freeze = interrupt", 130), ("sys.late = Late()", None)]
)
@pytest.mark.parametrize(
    ("words", "own"), [(["read", str(SHOP)], 0), (["lab"], 0), (["send", "hi", "--to", "1"], 1)]
)
def test_an_interrupt_at_the_end(words: list[str], own: int, when: str, code: int | None) -> None:
    source = AT_THE_END.replace("WHEN", when)
    done = subprocess.run(
        [sys.executable, "-c", source, *words], capture_output=True, check=False, text=True
    )
    assert done.returncode == (own if code is None else code)
    assert done.stderr.count("\n") == own
    assert "Traceback" not in done.stderr


def test_nothing_slow_is_imported_before_ctrl_c_is_answered() -> None:
    code = "import sys; before = set(sys.modules); import trioecho.cli; "
    code += "print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "trioecho.cli.interrupts" in done.stdout.split()
    assert not {"typing", "enum", "re", "typer", "msgspec"} & set(done.stdout.split())


def test_version() -> None:
    assert trioecho("--version").stdout == f"trioecho {__version__}\n".encode()


def test_nothing_is_help() -> None:
    done = trioecho()
    assert done.returncode == 2
    for command in (b"serve", b"send"):
        assert command in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["serve", "send"])
def test_each_command_has_examples(command: str) -> None:
    done = trioecho(command, "--help")
    assert done.returncode == 0
    assert f"trioecho {command}" in done.stdout.decode().partition("Examples:")[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["--bogus"], "No such option: --bogus"),
        *(([command, "--bogus"], "No such option: --bogus") for command in COMMANDS),
        (["read"], "Missing argument 'FILE'"),
        (["run", "--server", "x"], "Missing option '--client'"),
        (["run", "--server", "x", "--client"], "'--client' requires an argument"),
        (["watch", "more"], "unexpected extra argument(s) (more)"),
        (["lab", "handshake", "more"], "unexpected extra argument(s) (more)"),
        (["read", "x", "--only", "fun"], "'fun' is not valid; use trouble"),
        (["read", "x", "--connection", "0"], "'0' is not a whole number of at least 1"),
        (["read", "x", "--host", "here"], "'here' is not an IP address"),
        (["read", "x", "--output", "x.gif"], "'x.gif' must end in one of .txt"),
        (["watch", "--for", "-1"], "'-1' is not a number of at least 0"),
        (["lab", "handshake", "--format", "xml"], "'xml' is not valid; use terminal"),
        (["run", "--server", "x", "--client", "y", "--wait", "soon"], "'soon' is not a number"),
        (["trace", "--close", "x"], "'x' is not valid; use fin, rst or half"),
        (["trace", "--port", "65536"], "'65536' is not a whole number from 0 to 65,535"),
        (["send", "hi", "--count", "0"], "'0' is not a whole number of at least 1"),
        (["send", "hi", "--count", "many"], "'many' is not a whole number of at least 1"),
        (["send", "hi", "--timeout", "-1"], "'-1' is not a number of at least 0"),
        (["send", "hi", "--file", "x"], "use either MESSAGE or --file"),
        (["send", "hi", "--to", "x:y"], "'x:y' is not an address"),
        (["serve", "--recv-size", "0"], "'0' is not a whole number from 1"),
        (["serve", "--grace", "nan"], "'nan' is not a number of at least 0"),
        (["serve", "300.1.1.1"], "'300.1.1.1' is not an address"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line_with_code_2(
    arguments: list[str], says: str
) -> None:
    done = trioecho(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("trioecho: ")
    assert says in line
    assert "Value error" not in line
    if "No such" in says or "Missing" in says:
        command = f" {arguments[0]}" if arguments[0] in COMMANDS else ""
        assert f"trioecho{command} --help` shows what is possible" in line


@pytest.mark.parametrize("limit", range(5, 9))
def test_without_descriptors_there_is_a_sentence(limit: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *TRIOECHO, "send", "hi"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("trioecho: ")
    assert line.endswith(". Raise `ulimit -n`")


def test_completion_is_kept() -> None:
    done = subprocess.run(
        [*TRIOECHO, "--show-completion"], capture_output=True, check=False, text=True
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('trioecho trace --fault "drop client d', "drop client data\n"),
        ("trioecho run --fault he", "help\n"),
        (f"trioecho trace --fault {'x' * 2000}", "\n"),
    ],
)
def test_the_shell_completes_the_words_of_a_fault(words: str, expected: str) -> None:
    """As the completion of bash asks for it."""
    asks = {"_TRIOECHO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "3"}
    command = "import sys; sys.argv = ['trioecho']; from trioecho.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command],
        env=os.environ | asks,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.stdout, done.stderr) == (expected, "")


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("+3", 3), (" 3 ", 3), ("1_000", 1000), ("3.0", 3)]
)
def test_the_short_way_and_the_long_way_agree(text: str, value: int) -> None:
    """Numbers are made without pydantic where both make the same of them."""
    with serving("-q") as server:
        done = trioecho("send", "hi", "--to", server.port, "--count", text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"Message received") == value


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_nothing_that_an_install_lacks(command: str) -> None:
    said = trioecho(command, "--help").stdout.decode()
    assert "docs/" not in said
    assert ".md" not in said


@pytest.mark.parametrize("command", ["trace", "run"])
def test_all_faults_are_listed(command: str) -> None:
    done = trioecho(command, "--fault", "help")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[: len(FAULTS)] == [fault.usage for fault in FAULTS]
    assert any(line.startswith("ITEMS ") for line in lines)


def test_help_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = trioecho("run", "--help").stdout.decode()
    assert "between them is a private wire" in shown  # on one line, whatever the source's lines are
    assert "\n   trioecho run --server" in shown
    assert "<bool>" not in shown
