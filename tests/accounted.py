"""Ladders with their accounts, and what their connections came to."""

from __future__ import annotations

from frames import play
from msgspec.structs import replace

from trioecho.account import Account, Accounts
from trioecho.model import ConnectionSummary, Endpoint

#: A client that is answered at once.
PROMPT = """
+0    > S  0:0(0) <mss 1460>
+.01  < S. 0:0(0) ack 1 <mss 1460>
+.001 > .  1:1(0) ack 1
+.001 > P. 1:101(100) ack 1
+.01  < P. 1:101(100) ack 101
"""


def account_of(ladder: str, number: int = 1) -> Account:
    """The account of a ladder's only connection, under a number."""
    accounts = Accounts()
    accounts.see(play(ladder))
    (account,) = accounts.end()
    return replace(account, connection=number)


def summary_of(number: int, **more: object) -> ConnectionSummary:
    """A connection between the endpoints of a ladder."""
    client, server = Endpoint("10.0.0.1", 40_000), Endpoint("10.0.0.2", 7)
    one = ConnectionSummary(number, client, server, None, 0, 0, 1, 0, 0, None)
    return replace(one, **more)
