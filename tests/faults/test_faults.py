"""The fault language: what each phrase means, and what is said of one that means nothing."""

# covers: faults/fault, faults/grammar

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.errors import TrioechoError
from trioecho.faults.additions import Doubling, Duplicate, Inject
from trioecho.faults.delays import Delay, Latency, Reorder, Straying
from trioecho.faults.edits import Clamp, Mark, Strip
from trioecho.faults.faults import FAULTS, check, completions, mtu_of, parse
from trioecho.faults.items import KINDS, Items, Which
from trioecho.faults.losses import Corrupt, Cut, Drop, Loss
from trioecho.faults.middle import Forget, Police
from trioecho.faults.mtu import Mtu, PathMtu
from trioecho.faults.rate import Queue, Rate
from trioecho.model import ENDS

MS = 1_000_000
ALL = Which(((1, None),))


def only(number: int) -> Which:
    return Which(((number, number),))


MEANINGS = {
    "drop syn-ack": Drop("drop syn-ack", Items(None, "syn-ack")),
    "drop client data 2": Drop("drop client data 2", Items("client", "data", only(2))),
    "drop server data 2,4-6": Drop(
        "drop server data 2,4-6", Items("server", "data", Which(((2, 2), (4, 6))))
    ),
    "drop data 3-": Drop("drop data 3-", Items(None, "data", Which(((3, None),)))),
    "drop client data every 10": Drop(
        "drop client data every 10", Items("client", "data", Which((), 10))
    ),
    "drop data 2 twice": Drop("drop data 2 twice", Items(None, "data", only(2), 2)),
    "drop data 2 once": Drop("drop data 2 once", Items(None, "data", only(2))),
    "drop data 2 3 times": Drop("drop data 2 3 times", Items(None, "data", only(2), 3)),
    "drop data 3 times": Drop("drop data 3 times", Items(None, "data", only(1), 3)),
    "drop segment all": Drop("drop segment all", Items(None, "segment", ALL)),
    "drop fin always connection 2": Drop(
        "drop fin always connection 2", Items(None, "fin", only(1), None, 2)
    ),
    "drop data all always": Drop("drop data all always", Items(None, "data", ALL, None)),
    'drop client data containing "COMMIT"': Drop(
        'drop client data containing "COMMIT"', Items("client", "data", containing=b"COMMIT")
    ),
    r'drop data 2- always containing "a  B\"\\\n\xFF€" connection 1': Drop(
        r'drop data 2- always containing "a  B\"\\\n\xFF€" connection 1',
        Items(None, "data", Which(((2, None),)), None, 1, b'a  B"\\\n\xff\xe2\x82\xac'),
    ),
    'drop data containing "a\tb\x85"': Drop(
        r'drop data containing "a\x09b\xc2\x85"', Items(None, "data", containing=b"a\tb\xc2\x85")
    ),
    "drop client byte 4000": Drop("drop client byte 4000", Items("client", "data", byte=4000)),
    "delay server byte 1 always connection 2 1ms": Delay(
        "delay server byte 1 always connection 2 1ms",
        Items("server", "data", Which(), None, 2, byte=1),
        MS,
    ),
    "cut after client byte 9 connection 2": Cut(
        "cut after client byte 9 connection 2", Items("client", "data", Which(), 1, 2, byte=9)
    ),
    'inject rst after data 2 containing "x"': Inject(
        'inject rst after data 2 containing "x"',
        Items(None, "data", only(2), containing=b"x"),
        "rst",
    ),
    "delay server ack 200ms": Delay("delay server ack 200ms", Items("server", "ack"), 200 * MS),
    "delay data 2 twice connection 1 1.5s": Delay(
        "delay data 2 twice connection 1 1.5s", Items(None, "data", only(2), 2, 1), 1500 * MS
    ),
    "duplicate client data 1": Duplicate("duplicate client data 1", Items("client", "data")),
    "corrupt client data 1": Corrupt("corrupt client data 1", Items("client", "data")),
    "reorder client data 2 3": Reorder(
        "reorder client data 2 3",
        Items("client", "data", only(2)),
        Items("client", "data", only(3)),
    ),
    "reorder segment 2 5 connection 3": Reorder(
        "reorder segment 2 5 connection 3",
        Items(None, "segment", only(2), 1, 3),
        Items(None, "segment", only(5), 1, 3),
    ),
    "inject rst after client data 2": Inject(
        "inject rst after client data 2", Items("client", "data", only(2)), "rst"
    ),
    "inject syn to both offset -7 after data connection 1": Inject(
        "inject syn to both offset -7 after data connection 1",
        Items(None, "data", only(1), 1, 1),
        "syn",
        "both",
        -7,
    ),
    "cut": Cut("cut"),
    "cut after client data 3": Cut("cut after client data 3", Items("client", "data", only(3))),
    "cut for 1s at 2s": Cut("cut for 1s at 2s", None, 1000 * MS, 2000 * MS),
    "cut at 2s": Cut("cut at 2s", None, None, 2000 * MS),
    "duplicate 5% seed 3": Doubling("duplicate 5% seed 3", 5.0, 3),
    "duplicate client 0.5%": Doubling("duplicate client 0.5%", 0.5, 1, "client"),
    "reorder 10% by 5ms seed 3": Straying("reorder 10% by 5ms seed 3", 10.0, 3, None, 5 * MS),
    "reorder server 10% by 5ms": Straying("reorder server 10% by 5ms", 10.0, 1, "server", 5 * MS),
    "forget after 5s idle": Forget("forget after 5s idle", 5000 * MS),
    "forget after 5ms idle rst": Forget("forget after 5ms idle rst", 5 * MS, True),
    "police 1mbit burst 20kB": Police("police 1mbit burst 20kB", 1_000_000, 20_000),
    "police client 1.5kbit burst 0.5MB": Police(
        "police client 1.5kbit burst 0.5MB", 1_500, 500_000, "client"
    ),
    "police server 1gbit burst 1500B": Police(
        "police server 1gbit burst 1500B", 1_000_000_000, 1_500, "server"
    ),
    "cut for 500us after fin": Cut("cut for 500us after fin", Items(None, "fin"), 500_000),
    "delay 25ms": Latency("delay 25ms", 25 * MS),
    "delay 0.001us": Latency("delay 0.001us", 1),
    "delay client 20ms": Latency("delay client 20ms", 20 * MS, "client"),
    "delay 20ms jitter 5ms": Latency("delay 20ms jitter 5ms", 20 * MS, None, 5 * MS),
    "delay server 20ms jitter 20ms seed 7": Latency(
        "delay server 20ms jitter 20ms seed 7", 20 * MS, "server", 20 * MS, 7
    ),
    "rate 1mbit": Rate("rate 1mbit", 1_000_000),
    "rate 1.5gbit": Rate("rate 1.5gbit", 1_500_000_000),
    "rate server 1mbit": Rate("rate server 1mbit", 1_000_000, "server"),
    "rate 56kbit": Rate("rate 56kbit", 56_000),
    "queue 20": Queue("queue 20", 20),
    "queue 50 codel": Queue("queue 50 codel", 50, codel=True),
    "loss 2% seed 7": Loss("loss 2% seed 7", 2.0, 7),
    "loss client 0.5%": Loss("loss client 0.5%", 0.5, 1, "client"),
    "mark client data 2-": Mark(
        "mark client data 2-", Items("client", "data", Which(((2, None),)))
    ),
    "strip SackOK": Strip("strip SackOK", "sackok"),
    "strip server timestamps": Strip("strip server timestamps", "timestamps", "server"),
    "clamp mss 1200": Clamp("clamp mss 1200", 1200),
    "clamp client mss 88": Clamp("clamp client mss 88", 88, "client"),
    "mtu 576": Mtu("mtu 576", 576),
    "path mtu 576": PathMtu("path mtu 576", 576),
    "path mtu 1400 silent": PathMtu("path mtu 1400 silent", 1400, True),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_meaning(text: str) -> None:
    assert parse(text) == MEANINGS[text]


def test_every_type_is_in_the_table() -> None:
    assert {type(fault) for fault in MEANINGS.values()} == set(FAULTS)


def test_case_space_and_a_synonym_do_not_matter() -> None:
    fault = parse("  Drop\tSERVER   SynAck 1 ")
    assert fault == Drop("Drop SERVER SynAck 1", Items("server", "syn-ack"))


def test_a_word_that_is_not_valid_is_told_as_it_was_written() -> None:
    with pytest.raises(TrioechoError) as raised:
        parse("Police 1mbit burst 20KiB")
    assert str(raised.value) == (
        "The fault 'Police 1mbit burst 20KiB': word 4, '20KiB', is not valid; expected a size such"
        " as 20kB"
    )


def test_the_page_lists_each_as_a_packet_meets_it() -> None:
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    _, block, _ = page.split("```", 2)
    assert block.split("\n")[1:-1] == [fault.usage for fault in FAULTS]
    assert all(fault.usage.split()[0] == fault.verb for fault in FAULTS)
    assert all(f"`{fault.verb} " in page or f"`{fault.verb}`" in page for fault in FAULTS)


KIND = "syn, syn-ack, ack, data, fin, rst or segment"
END_KIND = "client, server, " + KIND
OF_AN_END = "syn, syn-ack, ack, data, fin, rst, segment or byte"
VERB = (
    "cut, drop, loss, forget, police, delay, reorder, path, queue, rate, mark, strip, clamp,"
    " corrupt, duplicate, inject or mtu"
)
BILLION = "a number from 1 to 1,000,000,000"
LIST = "a list such as 2,4-6 or 3-"


def at(number: int, word: str, expected: str) -> str:
    return f"word {number}, '{word}', is not valid; expected {expected}"


ERRORS = {
    "": "A fault without a word says nothing. Such as 'drop syn-ack'",
    "drp syn": at(1, "drp", f"one of {VERB}. Did you mean 'drop'?"),
    "drop": f"The fault 'drop' is not complete; expected one of {END_KIND}",
    "drop client": f"The fault 'drop client' is not complete; expected one of {OF_AN_END}",
    "drop client dat 2": at(3, "dat", f"one of {OF_AN_END}. Did you mean 'data'?"),
    "drop data 0": at(3, "0", "numbers from 1 to 1,000,000,000, the lower one first"),
    "drop data 5-3": at(3, "5-3", "numbers from 1 to"),
    "drop data 1-0": at(3, "1-0", "numbers from 1 to"),
    "drop data 1000000001": at(3, "1000000001", "numbers from 1 to"),
    "drop data 2, 4": at(
        3,
        "2,",
        f"one of all, every, {LIST}, once, twice, always, 'N times', containing, connection or",
    ),
    "drop data every": f"is not complete; expected {BILLION}",
    "drop data every 0": at(4, "0", BILLION),
    "drop data two times": at(3, "two", f"one of all, every, once, twice, always or {BILLION}"),
    "drop data 2 0 times": at(4, "0", BILLION),
    "drop ack twice": at(
        3, "twice", f"one of all, every, {LIST}, once, connection or nothing more"
    ),
    "drop rst 2 3 times": at(4, "3", "one of once, connection or nothing more"),
    "drop data 2 foo": at(
        4, "foo", "one of once, twice, always, 'N times', containing, connection or nothing more"
    ),
    "drop data connection": f"is not complete; expected {BILLION}",
    "drop byte 4000": at(2, "byte", f"one of {END_KIND}"),
    "drop client byte": f"is not complete; expected {BILLION}",
    "drop client byte 0": at(4, "0", BILLION),
    "drop client byte 7 2": at(5, "2", "one of once, twice, always, 'N times', connection or"),
    "drop ack containing": at(3, "containing", "one of all, every, "),
    "drop data containing": 'is not complete; expected a text in double quotes such as "hello"',
    "drop data containing commit": at(4, "commit", 'a text in double quotes such as "hello"'),
    'drop data containing ""': at(4, '""', "a text in double quotes"),
    r'drop data containing "\q"': at(4, r'"\\q"', "a text in double quotes"),
    r'drop data containing "\x1"': at(4, r'"\\x1"', "a text in double quotes"),
    'drop data containing "a"b': at(4, '"a"b', "a text in double quotes"),
    'drop data containing "a b': at(4, '"a', "a text in double quotes"),
    "cut after client byte 7 twice": at(6, "twice", "one of connection or nothing more"),
    "drop data connection 1 2": at(5, "2", "nothing more"),
    "delay": f"is not complete; expected one of a time such as 25ms, {END_KIND}",
    "delay client 25": at(3, "25", f"one of a time such as 25ms, {OF_AN_END}"),
    "delay 20ms jiter 5ms": at(3, "jiter", "one of jitter or nothing more. Did you mean 'jitter'?"),
    "delay 20ms jitter": "is not complete; expected a time such as 25ms",
    "delay 20ms jitter 20.1ms": at(4, "20.1ms", "more than 0 and at most 20ms"),
    "delay 20ms jitter 5ms 7": at(5, "7", "one of seed or nothing more"),
    "delay 25": at(2, "25", f"one of a time such as 25ms, {END_KIND}"),
    "delay 0ms": at(2, "0ms", "more than 0 and at most 3600s"),
    "delay 3601s": at(2, "3601s", "more than 0 and at most 3600s"),
    "delay 99999999999s": at(2, "99999999999s", "more than 0 and at most 3600s"),
    "delay data 2": "expected one of once, twice, always, 'N times', containing, connection or a",
    "delay data 2 connection 1": "is not complete; expected a time such as 25ms",
    "reorder data 2": "is not complete; expected a number from 3 to 1,000,000,000",
    "reorder data 3 2": at(4, "2", "a number from 4 to 1,000,000,000"),
    "inject fin": at(2, "fin", "one of rst or syn"),
    "inject rst": "is not complete; expected one of to, offset or after",
    "inject rst to me": at(4, "me", "one of client, server or both"),
    "inject rst offset 1.5": at(4, "1.5", "a number from -2,147,483,647 to 2,147,483,647"),
    "inject rst after data 2-3": at(
        5, "2-3", "one of a number, containing, connection or nothing more"
    ),
    "cut before fin": at(2, "before", "one of for, after, at or nothing more"),
    "cut for ever": at(3, "ever", "a time such as 25ms"),
    "rate 1": at(2, "1", "one of client, server or a rate such as 500kbit, 1mbit or 1gbit"),
    "rate 99999999999kbit": at(2, "99999999999kbit", "more than 0 and at most 100gbit"),
    "rate 101gbit": at(2, "101gbit", "more than 0 and at most 100gbit"),
    "queue 5 red": at(3, "red", "one of codel or nothing more"),
    "queue 0": at(2, "0", "a number from 1 to 10,000"),
    "duplicate": f"is not complete; expected one of a share such as 2%, {END_KIND}",
    "duplicate client 2": at(3, "2", f"one of a share such as 2%, {OF_AN_END}"),
    "reorder 10%": "is not complete; expected by",
    "reorder 10% by": "is not complete; expected a time such as 25ms",
    "reorder 101% by 5ms": at(2, "101%", "more than 0% and at most 100%"),
    "reorder client 7": at(3, "7", f"one of a share such as 2%, {KIND}"),
    "cut at fin": at(3, "fin", "a time such as 25ms"),
    "forget 5s": at(2, "5s", "after"),
    "forget after 5s": "is not complete; expected idle",
    "forget after 5s idle fin": at(5, "fin", "one of rst or nothing more"),
    "police 1mbit": "is not complete; expected burst",
    "police 1mbit burst 20k": at(4, "20k", "a size such as 20kB"),
    "police 1mbit burst 1001MB": at(4, "1001MB", "more than 0 and at most 1000MB"),
    "loss 2": at(2, "2", "one of client, server or a share such as 2%"),
    "loss 0%": at(2, "0%", "more than 0% and at most 100%"),
    "loss 2% seed x": at(4, "x", "a number from 0 to 9,223,372,036,854,775,807"),
    "loss 1000%": at(2, "1000%", "more than 0% and at most 100%"),
    "mark": f"is not complete; expected one of {END_KIND}",
    "strip sak": at(
        2,
        "sak",
        "one of client, server, mss, wscale, sackok, sack or timestamps. Did you mean 'sack'?",
    ),
    "strip client syn": at(3, "syn", "one of mss, wscale, sackok, sack or timestamps"),
    "clamp 1200": at(2, "1200", "one of client, server or mss"),
    "clamp mss 87": at(3, "87", "a number from 88 to 65,495"),
    "mtu 127": at(2, "127", "a number from 128 to 65,535"),
    "path mtu 67": at(3, "67", "a number from 68 to 65,535"),
    "path 576": at(2, "576", "mtu"),
    "path mtu 576 quiet": at(4, "quiet", "one of silent or nothing more"),
    "drop \x1b[31m": at(2, "\\x1b[31m", ""),
    "drop " * 400: "A fault has 1,000 characters at most: 'drop drop",
}


@pytest.mark.parametrize("text", ERRORS)
def test_errors_point_at_the_word(text: str) -> None:
    with pytest.raises(TrioechoError) as error:
        parse(text)
    assert ERRORS[text] in str(error.value)
    assert str(error.value).isprintable()


def test_what_is_not_close_is_not_suggested() -> None:
    with pytest.raises(TrioechoError) as error:
        parse("drop every 10")
    assert error.value.hint == ""


@given(st.text() | st.lists(st.sampled_from(sorted({w for t in MEANINGS for w in t.split()}))))
def test_any_text_is_read_or_refused(text: str | list[str]) -> None:
    try:
        fault = parse(text if isinstance(text, str) else " ".join(text))
    except TrioechoError as error:
        said = str(error)
    else:
        assert parse(fault.text) == fault
        said = fault.text
    assert said.isprintable()


number = st.integers(1, 10**9).map(str)
which = (
    st.just("")
    | st.just("all")
    | number.map("every {}".format)
    | st.lists(number | number.map("{}-".format), min_size=1, max_size=5).map(",".join)
)
times = st.sampled_from(["", "once", "twice", "always"]) | number.map("{} times".format)


def at_random(words: tuple[str, str, int, int, str]) -> tuple[str, ...]:
    verb, end, percent, time, seed = words
    if verb == "delay":
        return verb, end, f"{time}ms", f"jitter {time / 1000:.3f}s", seed
    return verb, end, f"{percent}%", f"by {time}ms" if verb == "reorder" else "", seed


@given(
    st.tuples(
        st.sampled_from(["drop", "duplicate", "corrupt"]),
        st.sampled_from(["", *ENDS]),
        st.sampled_from(["data", "syn", "syn-ack", "fin"]),
        which,
        times,
        st.just("") | number.map("connection {}".format),
    )
    | st.tuples(
        st.sampled_from(["drop", "duplicate", "corrupt"]),
        st.sampled_from(["", *ENDS]),
        st.just("data"),
        which,
        times,
        st.binary(min_size=1, max_size=20).map(
            lambda octets: 'containing "' + "".join(rf"\x{one:02x}" for one in octets) + '"'
        ),
    )
    | st.tuples(
        st.sampled_from(["drop", "duplicate", "corrupt"]),
        st.sampled_from(ENDS),
        number.map("byte {}".format),
        times,
        st.just("") | number.map("connection {}".format),
    )
    | st.tuples(
        st.sampled_from(["delay", "loss", "duplicate", "reorder"]),
        st.sampled_from(["", *ENDS]),
        st.integers(1, 100),
        st.integers(1, 3_600_000),
        st.just("") | number.map("seed {}".format),
    ).map(at_random)
)
def test_all_that_the_grammar_allows_is_read(words: tuple[str, ...]) -> None:
    text = " ".join(filter(None, words))
    assert parse(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d", ["drop", "delay", "duplicate"]),
        ("drop", ["drop"]),
        ("drop ", [f"drop {one}" for one in (*ENDS, *KINDS)]),
        ("drop client", ["drop client"]),
        ("Drop  CLIENT d", ["Drop  CLIENT data"]),
        ("drop client data 2 ", "once twice always containing connection"),
        ("drop client data 2 a", ["drop client data 2 always"]),
        ('drop client data containing "A b" c', ['drop client data containing "A b" connection']),
        ("delay client ", [*(f"delay client {one}" for one in KINDS), "delay client byte"]),
        ("delay 25ms ", ["delay 25ms jitter"]),
        ("cut for 2s ", ["cut for 2s after", "cut for 2s at"]),
        ("cut for ", []),
        ("strip server s", ["strip server sackok", "strip server sack"]),
        ("forget after 5s ", ["forget after 5s idle"]),
        ("drop nothing ", []),
        ("drop syn-ack connection 1 ", []),
        ("drop data containing ", []),
    ],
)
def test_words_are_completed(text: str, expected: list[str] | str) -> None:
    if isinstance(expected, str):
        expected = [text + one for one in expected.split()]
    assert completions(text) == expected


@pytest.mark.parametrize("text", MEANINGS)
def test_each_word_of_the_grammar_is_completed(text: str) -> None:
    """Word by word, unless it is a value, or tells that a number before it was one of TIMES."""
    words = parse(text).text.lower().split()
    for number, word in enumerate(words):
        if word.replace("-", "").isalpha() and word != "times":
            start = " ".join([*words[:number], word[:1]])
            assert " ".join(words[: number + 1]) in completions(start)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", [None, *ENDS])
def test_every_kind_of_every_end(kind: str, end: str | None) -> None:
    fault = parse(f"drop {end or ''} {kind}")
    assert isinstance(fault, Drop)
    assert (fault.items.end, fault.items.kind) == (end, kind)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Which(), {1}),
        (Which(((2, 2), (4, 6))), {2, 4, 5, 6}),
        (Which(((8, None),)), {8, 9, 10}),
        (Which((), 5), {5, 10}),
    ],
)
def test_which(which: Which, expected: set[int]) -> None:
    assert {number for number in range(1, 11) if which.has(number)} == expected
    assert which.first == min(expected)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (["queue 20"], "The fault 'queue 20' needs a rate: nothing waits on a wire without one"),
        (["rate 1mbit", "rate 2mbit"], "The wire cannot have both 'rate 1mbit' and 'rate 2mbit'"),
        (
            ["rate client 1mbit", "rate 2mbit"],
            "The wire cannot have both 'rate client 1mbit' and 'rate 2mbit'",
        ),
        (
            ["rate 2mbit", "rate client 1mbit"],
            "The wire cannot have both 'rate 2mbit' and 'rate client 1mbit'",
        ),
        (
            ["rate client 1mbit", "rate client 2mbit"],
            "The wire cannot have both 'rate client 1mbit' and 'rate client 2mbit'",
        ),
        (["mtu 576", "mtu 600"], "The wire cannot have both 'mtu 576' and 'mtu 600'"),
    ],
)
def test_faults_that_do_not_go_together(script: list[str], sentence: str) -> None:
    with pytest.raises(TrioechoError) as error:
        check([parse(text) for text in script])
    assert error.value.what == sentence


def test_faults_that_go_together() -> None:
    script = ["queue 2", "rate 1mbit", "delay 1ms", "delay 2ms", "loss 1%", "mtu 600"]
    faults = [parse(text) for text in script]
    check(faults)
    assert mtu_of(faults) == 600
    assert mtu_of(faults[:-1]) is None
    check([parse(text) for text in ("queue 2", "rate client 1mbit", "rate server 2mbit")])
