"""The words of steps."""

from __future__ import annotations

import socket

import pytest

from trioecho.errors import TrioechoError
from trioecho.lessons import steps
from trioecho.lessons.steps import Action, Step, parse


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("listen", steps.Listen()),
        ("listen backlog 1", steps.Listen(backlog=1)),
        ("listen on 7, backlog 0", steps.Listen(7, 0)),
        ("stop listening", steps.StopListening()),
        ("accept", steps.Accept()),
        ("bind 40000", steps.Bind(40000)),
        ("connect", steps.Connect()),
        ("connect 40000", steps.Connect(40000)),
        ("send 16", steps.Send(16)),
        ("send 16, 3 times", steps.Send(16, 3)),
        ("receive 16", steps.Receive(16)),
        ("receive 64, 16 at a time", steps.Receive(64, 16)),
        ("receive to the end", steps.Receive(None)),
        ("receive to the end, 16 at a time", steps.Receive(None, 16)),
        ("wait 200ms", steps.Wait(200)),
        ("wait 2s", steps.Wait(2000)),
        ("wait until acknowledged", steps.WaitAcknowledged()),
        ("meet half-way", steps.Meet("half-way")),
        ("shutdown", steps.Shutdown()),
        ("close", steps.Close()),
        ("close with linger 0", steps.Close(reset=True)),
        ("start tls", steps.StartTls()),
        ("end tls", steps.EndTls()),
        (
            "set TCP_NODELAY 1",
            steps.Set(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1, "TCP_NODELAY 1"),
        ),
        (
            "set SO_RCVBUF 2147483647",
            steps.Set(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**31 - 1, f"SO_RCVBUF {2**31 - 1}"),
        ),
        (
            "set TCP_CONGESTION cubic",
            steps.Set(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic", "TCP_CONGESTION cubic"),
        ),
        ("set IP_TTL -1", steps.Set(socket.IPPROTO_IP, socket.IP_TTL, -1, "IP_TTL -1")),
    ],
)
def test_each_step(text: str, action: Action) -> None:
    assert parse(text) == Step(text, action)
    assert parse(f"second:  {text} fails EINVAL") == Step(
        f"second: {text} fails EINVAL", action, "second", "EINVAL"
    )


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "not complete"),
        ("lisen", "word 1, 'lisen'.* Did you mean 'listen'"),
        ("LISTEN", "word 1, 'LISTEN'"),
        ("listen backlog", "not complete; expected a backlog"),
        ("listen backlog -1", "word 3, '-1'"),
        ("listen on 65536", "word 3, '65536', is not valid; expected a port from 1 to 65,535"),
        ("stop", "not complete; expected listening"),
        ("bind", "not complete; expected a port"),
        ("connect there", "word 2, 'there', is not valid; expected nothing more"),
        ("send", "not complete; expected a number of bytes"),
        ("send 0", "word 2, '0'"),
        ("send 1000000000000000", "word 2"),
        ("send 16, 3", "not complete; expected times"),
        ("receive some", "word 2, 'some'"),
        ("receive to", "not complete; expected the"),
        ("receive 64, 16", "not complete; expected at"),
        ("receive 64, 16 at once", "word 5, 'once', is not valid; expected a"),
        ("wait", "not complete"),
        ("wait 0ms", "word 2, '0ms'"),
        ("wait 61s", "word 2, '61s'"),
        ("wait until noon", "word 3, 'noon', is not valid; expected acknowledged"),
        ("meet", "not complete; expected a name"),
        ("meet A", "word 2, 'A'"),
        ("close with linger 1", "word 4, '1', is not valid; expected 0"),
        ("set", "not complete; expected a socket option"),
        ("set SOMETHING 1", "word 2, 'SOMETHING'"),
        ("set TCP_NOTHING 1", "word 2, 'TCP_NOTHING'"),
        ("set AF_INET 1", "word 2, 'AF_INET'"),
        ("set TCP_NODELAY on", "word 3, 'on', is not valid; expected an integer from"),
        (
            "set SO_RCVBUF 2147483648",
            "word 3, '2147483648', is not valid; expected an integer from -2,147,483,648 to 2,1",
        ),
        ("set SO_RCVBUF -2147483649", "word 3, '-2147483649', is not valid; expected an integer"),
        ("connect fails", "not complete; expected an error"),
        ("connect fails REFUSED", "word 3, 'REFUSED'"),
        ("Second: connect", "begins with 'Second'"),
        ("close close", "word 2, 'close', is not valid; expected nothing more"),
    ],
)
def test_a_step_that_is_not_valid(text: str, word: str) -> None:
    with pytest.raises(TrioechoError, match=word):
        parse(text)
