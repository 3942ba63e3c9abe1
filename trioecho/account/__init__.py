"""Where a connection's time went: intervals, the cause of each, and what they come to.

Pure: it is fed with rungs, in one pass and in bounded memory, and looks at no clock. ``Accounts``
takes the rungs of many connections and gives an ``Account`` of each.
"""

from __future__ import annotations

from trioecho.account.account import Account, Cost
from trioecho.account.accounts import Accounts

__all__ = ["Account", "Accounts", "Cost"]
