"""The names of link types, as the registry has them."""

from __future__ import annotations

import pytest

from trioecho.packet import link
from trioecho.packet.linktypes import link_name, link_words


@pytest.mark.parametrize(
    ("number", "name"),
    [
        *((0, "NULL"), (1, "ETHERNET"), (10, "FDDI"), (50, "PPP_HDLC"), (51, "PPP_ETHER")),
        *((99, "SYMANTEC_FIREWALL"), (101, "RAW"), (105, "IEEE802_11"), (113, "LINUX_SLL")),
        *((127, "IEEE802_11_RADIOTAP"), (147, "USER0"), (162, "USER15"), (163, "IEEE802_11_AVS")),
        *(
            (187, "BLUETOOTH_HCI_H4"),
            (189, "USB_LINUX"),
            (192, "PPI"),
            (195, "IEEE802_15_4_WITHFCS"),
        ),
        *((207, "LAPB_WITH_DIR"), (209, "IPMB_LINUX"), (220, "USB_LINUX_MMAPPED")),
        *((227, "CAN_SOCKETCAN"), (239, "NFLOG"), (249, "USBPCAP"), (253, "NETLINK")),
        *((258, "PKTAP"), (266, "USB_DARWIN"), (276, "LINUX_SLL2"), (290, "ETW")),
    ],
)
def test_names(number: int, name: str) -> None:
    assert link_name(number) == name
    assert link_words(number) == f"{number}, {name}"


@pytest.mark.parametrize("number", [13, 98, 208, 65_000])
def test_numbers_without_a_name(number: int) -> None:
    assert link_name(number) == ""
    assert link_words(number) == str(number)


def test_those_that_are_read_have_names() -> None:
    bsd = {link.RAW_BSD, link.RAW_OPENBSD}  # what a DLT_ was there, and is no LINKTYPE_
    assert {number for number in link.LINKS if not link_name(number)} == bsd
