"""This machine's own addresses."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from socket import AF_INET6, inet_ntop


class Addresses:
    """The addresses of this network namespace, read when first needed.

    IPv4 addresses are the routes that end here, which include all of 127.0.0.0/8.

    See also:
        proc(5): /proc/net/fib_trie, /proc/net/if_inet6.
    """

    def __init__(self, proc: Path) -> None:
        self._net = proc / "net"

    def __contains__(self, ip: str) -> bool:
        single, wide = self._read
        return ip in single or any(ip_address(ip) in one for one in wide)

    @cached_property
    def _read(self) -> tuple[set[str], list[IPv4Network]]:
        """Single addresses, and networks of them."""
        single, wide = set(), {}
        with suppress(OSError), (self._net / "fib_trie").open(encoding="ascii") as lines:
            address = ""
            for line in lines:
                # A leaf is an address; the lines below it are routes: "/32 host LOCAL".
                if "|--" in line:
                    address = line.split()[1]
                elif " LOCAL" in line:
                    length = line.split()[0]
                    if length == "/32":
                        single.add(address)
                    else:
                        wide[address + length] = IPv4Network(address + length)
        with suppress(OSError), (self._net / "if_inet6").open(encoding="ascii") as lines:
            single.update(inet_ntop(AF_INET6, bytes.fromhex(line.split()[0])) for line in lines)
        return single, list(wide.values())
