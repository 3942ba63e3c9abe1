"""TLS in lessons: sizes that any OpenSSL makes, names that are true, and an end that is not one."""

from __future__ import annotations

import json
import ssl
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from own_lessons import lesson

from trioecho.errors import TrioechoError
from trioecho.lessons import tls
from trioecho.lessons.lesson import read
from trioecho.lessons.performance import perform_lesson
from trioecho.lessons.shelf import find
from trioecho.model import End
from trioecho.render import FORMATS, Setting
from trioecho.stage.outputs import Output

HELLOS = 'steps = ["listen", "accept", "start tls", "close"]'


async def performed(path: Path) -> list[dict[str, Any]]:
    """A lesson's calls and segments."""
    written: list[bytes] = []
    await perform_lesson(
        read(path),
        lambda title, interfaces: [Output(FORMATS["json"](Setting(title=title)), written.append)],
    )
    return [json.loads(line) for line in b"".join(written).splitlines()]


def calls(events: list[dict[str, Any]], end: End) -> list[dict[str, Any]]:
    return [one for one in events if one["type"] == "call" and one["end"] == end]


def tell(told: list[str], _tls: object, way: str, _version: object, kind: Any, *rest: Any) -> None:
    """What OpenSSL says of a message that it writes or reads."""
    if way == "write" and kind.name in ("HANDSHAKE", "CHANGE_CIPHER_SPEC", "ALERT"):
        told.append(rest[0].name)


@pytest.mark.usefixtures("wires")
async def test_what_is_sent_is_named_as_openssl_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of encrypted messages follow from their order; here OpenSSL tells them itself."""
    written: dict[End, list[str]] = {"client": [], "server": []}
    tls._context.cache_clear()
    for end, own in written.items():
        context: Any = tls._context(end)
        monkeypatch.setattr(context, "_msg_callback", partial(tell, own))
    events = await performed(find("tls"))
    tls._context.cache_clear()
    for end, own in written.items():
        told = ", ".join(one["holds"] for one in calls(events, end) if "holds" in one).split(", ")
        names = [one.replace("_", "").lower() for one in told if one != "application data"]
        assert names == [one.replace("_", "").lower() for one in own]
    assert written["server"][-2:] == ["FINISHED", "CLOSE_NOTIFY"]


@pytest.mark.usefixtures("wires")
async def test_a_record_is_read_when_all_of_it_has_come() -> None:
    events = await performed(find("tls"))
    client = [(one["name"], one["result"]) for one in calls(events, "client")]
    at = client.index(("SSL_read", 4000))
    pieces = [result for name, result in client[:at] if name == "recv"][1:]  # behind the handshake
    assert sum(pieces) == 4000 + 22
    assert pieces[-1] == 4022 - 2 * 1448, "the wire has held up the last segment"
    assert ("SSL_read", 0) in client[at:]


@pytest.mark.usefixtures("wires")
async def test_a_fin_is_no_end_of_tls() -> None:
    events = await performed(find("tls-truncation"))
    ends = [
        (one["connection"], one["result"], one["error"])
        for one in calls(events, "client")
        if one["name"] == "SSL_read" and not one["result"]
    ]
    assert ends == [(1, 0, None), (2, None, "UNEXPECTED_EOF_WHILE_READING")]


@pytest.mark.parametrize(
    ("client", "server", "words"),
    [
        ('["connect", "end tls"]', HELLOS, "client's step 'end tls' needs a connection with TLS"),
        (
            '["start tls"]',
            HELLOS,
            "step 'start tls' needs a connection, and there is none",
        ),
        (
            '["connect", "send 16", "receive to the end", "close"]',
            HELLOS,
            "server's step 'start tls' failed: .*WRONG_VERSION_NUMBER",
        ),
        (
            '["connect", "start tls", "close"]',
            'steps = ["listen", "accept", "close"]',
            "client's step 'start tls' failed: ",
        ),
    ],
)
@pytest.mark.usefixtures("wires")
async def test_what_goes_wrong(client: str, server: str, words: str, tmp_path: Path) -> None:
    path = lesson(tmp_path, f"[[client]]\nsteps = {client}", f"[[server]]\n{server}")
    with pytest.raises(TrioechoError, match=words):
        await performed(path)


@pytest.mark.parametrize("what", ["_GROUP", "_IDENTITY"])
def test_an_openssl_that_cannot(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    monkeypatch.setattr(tls, what, {"_GROUP": "no-such-group", "_IDENTITY": empty}[what])
    tls._context.cache_clear()
    with pytest.raises(TrioechoError, match=f"{ssl.OPENSSL_VERSION} cannot do TLS 1.3") as caught:
        tls._context("client")
    assert caught.value.hint == "A system-wide policy may forbid it"
    tls._context.cache_clear()


@pytest.mark.parametrize("end", ["client", "server"])
def test_no_python_takes_a_fin_for_an_end_of_tls(end: End) -> None:
    """3.11.2 lets OpenSSL do so unless it is told not to."""
    assert not tls._context(end).options & getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
