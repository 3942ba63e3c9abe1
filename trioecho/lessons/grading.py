"""Marks what a student predicts of a lesson: their ladder beside the lesson's. PURE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from trioecho.errors import TrioechoError
from trioecho.lessons.expected import SHARE, TOLERANCE
from trioecho.model import ENDS, State
from trioecho.render.notation import LadderLine, numbered, parse
from trioecho.text import plural, seconds

MOST_LINES = 1_000
_LIKE = "A line is such as '< S. 0:0(0) ack 1 | ESTABLISHED SYN-RECEIVED'"
_MOST = 1 << 20  # bytes of a file


class Mark(Struct, frozen=True):
    """One rung that a lesson has, or a line that it has not.

    Args:
        rung: the rung's number; None for a line that the lesson has not.
        line: the line's number in the submission; None where the rung is missing.
        faults: a sentence for each thing that is wrong.
    """

    rung: int | None
    line: int | None
    faults: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        """1 for a rung that is right."""
        return int(self.rung is not None and not self.faults)


def read_submission(path: Path) -> str:
    """Read a student's file.

    Raises:
        TrioechoError: it cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise TrioechoError(f"Cannot read {str(path)!r}: {error.strerror}") from None
    if len(data) > _MOST or data.count(b"\n") > MOST_LINES:
        what = f"{str(path)!r} is no submission: it has more than {MOST_LINES:,} lines"
        raise TrioechoError(what)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise TrioechoError(f"{str(path)!r} is no .ladder: it is not text in UTF-8") from None


def grade(submitted: str, expected: str, name: str = "the submission") -> list[Mark]:
    """Compare a submission with a lesson's ladder.

    Lines are matched by who sends what, so that one that is missing does not spoil those behind it.
    What a line leaves out is not marked; the notation demands only who sends it, the control bits
    and the sequence numbers. ``P`` is not marked, nor the number of a reset whose sender has sent
    no SYN: 0 on the wire, 1 where the lesson counts on from what the ACKs say. Nor is a state that
    no segment tells, if it is said to be CLOSED.

    Args:
        submitted: the submission, in the notation of ladders.
        expected: the lesson's ladder.
        name: how errors call the submission.

    Returns:
        A mark for each rung of the lesson, in order, with the lines that it has not in between.

    Raises:
        TrioechoError: the submission is empty or not valid; the message names the line and word.
    """
    try:
        theirs = numbered(submitted)
    except TrioechoError as error:
        raise TrioechoError(f"{name}: {error.what.removeprefix('ladder, ')}", _LIKE) from None
    if not theirs:
        what = "is empty" if not submitted.strip() else "has comments alone"
        raise TrioechoError(f"{name} {what}: there is no segment to mark", _LIKE)
    wanted = parse(expected)
    uncounted = _uncounted(wanted)
    matcher = SequenceMatcher(
        None, [_key(line) for _, line in theirs], [_key(line) for line in wanted], autojunk=False
    )
    marks: list[Mark] = []
    for what, first, last, low, high in matcher.get_opcodes():
        for at in range(max(last - first, high - low)):
            line = theirs[first + at] if at < last - first else None
            rung = low + at if at < high - low else None
            if what == "equal" and line is not None and rung is not None:
                wrong = tuple(_wrong(line[1], wanted[rung], counted=rung not in uncounted))
                marks.append(Mark(rung + 1, line[0], wrong))
                continue
            if rung is not None:
                marks.append(Mark(rung + 1, None, (f"missing: {told(wanted[rung])}",)))
            if line is not None:
                marks.append(Mark(None, line[0], (f"{told(line[1])} does not come here",)))
    return marks


def told(line: LadderLine) -> str:
    """Who sends what, such as ``the client's SYN``."""
    number = "" if line.connection == 1 else f" of connection {line.connection}"
    return f"the {line.sender}'s {_what(line)}{number}"


def _what(line: LadderLine) -> str:
    bits = set(line.flags)
    if "R" in bits:
        return "RST"
    if "S" in bits:
        return "SYN-ACK" if "." in bits else "SYN"
    if "F" in bits:
        return f"FIN with {plural(line.length, 'byte')}" if line.length else "FIN"
    return plural(line.length, "byte") + " of data" if line.length else "ACK"


def _key(line: LadderLine) -> tuple[object, ...]:
    """What a line is, apart from its numbers; a loss is part of it."""
    kind = _what(line) if not line.length else "FIN" if "F" in line.flags else "data"
    return line.connection, line.sender, kind


def _uncounted(wanted: Sequence[LadderLine]) -> set[int]:
    """The resets whose sender has sent no SYN, so that there is nothing to count from."""
    begun = {(line.connection, line.sender) for line in wanted if "S" in line.flags}
    return {
        at
        for at, line in enumerate(wanted)
        if "R" in line.flags and line.seq in (0, 1) and (line.connection, line.sender) not in begun
    }


def _wrong(line: LadderLine, wanted: LadderLine, *, counted: bool = True) -> Iterator[str]:
    """What is wrong with a line, in sentences."""
    if not counted and line.seq in (0, 1):
        line = replace(line, seq=wanted.seq)
    bits, right = (set(one.flags) - {"P"} for one in (line, wanted))
    if bits != right:
        yield f"the control bits are {_bits(right)}, not {_bits(bits)}"
    for what, own, other in (
        ("the sequence number", line.seq, wanted.seq),
        ("the length", line.length, wanted.length),
        ("the ACK", line.ack, wanted.ack),
        ("the window", line.window, wanted.window),
    ):
        if own is not None and other is not None and own != other:
            first = "S" in right and what == "the sequence number"
            yield f"{what} is {other}, not {own}{' (each end counts from its SYN)' * first}"
    if line.ack is not None and wanted.ack is None:
        yield "there is no ACK"
    if line.lost != wanted.lost:
        yield "it is lost" if wanted.lost else "it is not lost"
    yield from _wrong_options(line, wanted)
    if line.delta is not None and wanted.delta is not None:
        away = abs(line.delta - wanted.delta)
        if away > max(TOLERANCE, wanted.delta * SHARE):
            yield f"it comes after {seconds(wanted.delta)}, not after {seconds(line.delta)}"
    yield from _wrong_states(line.states or (), wanted.states or ())
    yield from _wrong_notes(line.notes or "", wanted.notes or "")


def _wrong_states(own: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """The states that differ; one that no segment tells may be CLOSED."""
    for end, state, right in zip(ENDS, own, wanted, strict=False):
        if state == right or (right, state) == (State.UNKNOWN, State.CLOSED):
            continue
        if right == State.UNKNOWN:
            yield f"no segment tells yet that the {end} is in {state}"
        else:
            yield f"the {end} is in {right}, not in {state}"


def _wrong_options(line: LadderLine, wanted: LadderLine) -> Iterator[str]:
    """Options that the lesson does not have, where it tells of options."""
    if line.options is None or wanted.options is None:
        return
    for option in line.options.split(","):
        if option not in wanted.options.split(","):
            yield f"the option {option!r} is not among {wanted.options}"


def _wrong_notes(own: str, wanted: str) -> Iterator[str]:
    """Notes that the lesson does not have; what stands behind a kind may be left out."""
    known = [note for note in wanted.split(", ") if note]
    for note in (one for one in own.split(", ") if one):
        if not any(f"{one} ".startswith(f"{note} ") for one in known):
            said = f"; it has {wanted}" if wanted else ""
            yield f"it has no note {note!r}{said}"


def _bits(bits: Sequence[str] | set[str]) -> str:
    return "".join(sorted(bits, reverse=True)) or "-"
