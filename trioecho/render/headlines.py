"""What held connections up, in a sentence each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # a command that shows none loads no account
    from collections.abc import Callable, Mapping, Sequence

    from trioecho.account import Account
    from trioecho.model import ConnectionSummary

#: Gives the accounts of connections, by number, as far as they are known.
Ask: TypeAlias = "Callable[[Sequence[ConnectionSummary]], Mapping[int, Account]]"


def headlines(accounts: Iterable[Account]) -> dict[int, str]:
    """The headline of each connection that something held up, by its number."""
    return {account.connection: account.headline for account in accounts if account.top}
