from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.errors import TrioechoError
from trioecho.sockets.address import Address, MalformedAddress, parse_address, resolve


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:65432", Address("127.0.0.1", 65432)),
        (":7", Address("127.0.0.1", 7)),
        ("7", Address("127.0.0.1", 7)),
        ("[::1]:7", Address("::1", 7)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_parse(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "host", "host:", "host:65536", "host:-1", "host: 7", "host:७", "host:000007"),
        *("::1:7", "::1", "[::1]", "[::1:7", "[]:7", "host:7:7", "a b:7", "a\x1b[31m:7"),
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(MalformedAddress) as caught:
        parse_address(text)
    assert str(caught.value).isprintable()


def test_port_0_is_for_listening_only() -> None:
    with pytest.raises(MalformedAddress, match="from 1 to 65535"):
        parse_address("localhost:0", listen=False)


@given(st.text())
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        address = parse_address(text)
    except MalformedAddress:
        return
    assert parse_address(str(address)) == address


async def test_resolve_numbers() -> None:
    assert await resolve(Address("127.0.0.1", 7)) == [(socket.AF_INET, ("127.0.0.1", 7))]
    ((family, address),) = await resolve(Address("::1", 7))
    assert (family, address[:2]) == (socket.AF_INET6, ("::1", 7))


@pytest.mark.parametrize("host", ["a" * 70 + ".invalid", "999.1.1.1.", "a..b"])
async def test_a_name_that_cannot_exist(host: str) -> None:
    with pytest.raises(TrioechoError, match="Cannot find the address"):
        await resolve(Address(host, 7))
