"""What `read` opens, as tables: from the readers' own lists, with words for each entry of them.

An entry without words, and words without an entry, fail `tests/docs/test_capture_tables.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trioecho.capture import compressed, files, pcap, pcapng, section, source
from trioecho.packet import census, fragments, layers, link, linktypes, tunnels

FORMATS = {
    pcap.MICROSECONDS: "pcap, microseconds",
    pcap.NANOSECONDS: "pcap, nanoseconds",
    pcap.MODIFIED: "pcap with longer packet headers, as Linux distributions had it in 1999",
    pcapng.SECTION: "pcapng, in sections of either byte order",
}
BLOCKS = {
    pcapng.SECTION: "section header",
    pcapng.INTERFACE: "interface description",
    pcapng.OBSOLETE: "packet, obsolete",
    pcapng.SIMPLE: "simple packet; it has no time of its own, and gets that of the packet before",
    pcapng.STATISTICS: "interface statistics",
    pcapng.PACKET: "enhanced packet",
}
#: By the block's type and the option's code.
OPTIONS = {
    (pcapng.SECTION, section.COMMENT): "comment",
    (pcapng.INTERFACE, section.NAME): "name",
    (pcapng.INTERFACE, section.DESCRIPTION): "description: only that of our own wires counts",
    (pcapng.INTERFACE, section.RESOLUTION): "resolution of the times",
    (pcapng.INTERFACE, section.OFFSET): "seconds to add to the times",
    (pcapng.PACKET, section.COMMENT): "comment: only what our own wires say of a packet",
    (pcapng.PACKET, section.DROPPED_SINCE): "packets dropped since the one before",
    **{
        (pcapng.STATISTICS, code): f"packets dropped by the {who}"
        for code, who in zip(section.DROPPED_BY, ("interface", "system"), strict=True)
    },
}
LAYERS = {
    layers.ETHERNET: "a whole Ethernet frame, bridged",
    layers.LLC: "LLC and SNAP (802.3, RFC 1042)",
    layers.PPP: "PPP (RFC 1661)",
    layers.PPPOE: "PPPoE (RFC 2516)",
    layers.MPLS: "MPLS (RFC 3032), with a control word too (RFC 4448)",
    layers.MPLS_MULTICAST: "MPLS, multicast",
    layers.I_TAG: "provider backbone bridge (802.1ah)",
    layers.FABRICPATH: "FabricPath",
    layers.NSH: "a service path (NSH, RFC 8300)",
    0x8100: "VLAN (802.1Q)",
    0x88A8: "VLAN of a provider (802.1ad)",
    0x9100: "VLAN of a provider, before 802.1ad",
    0x9200: "VLAN of a provider, before 802.1ad",
    0x8926: "VN-Tag",
    0x893F: "E-TAG (802.1BR)",
    0x8909: "Cisco's metadata",
}
PROTOCOLS = {
    tunnels.IPIP: "IPv4 in IP (RFC 2003)",
    tunnels.IP6IN: "IPv6 in IP (RFC 4213)",
    tunnels.GRE: "GRE, also NVGRE, ERSPAN, WCCP and PPTP's (RFC 2784, RFC 7637, RFC 2637)",
    tunnels.ETHERIP: "Ethernet in IP (RFC 3378)",
    tunnels.MPLS_IN_IP: "MPLS in IP (RFC 4023)",
}
PORTS = {
    2152: "GTP-U (3GPP TS 29.281)",
    3544: "Teredo (RFC 4380), from this port too",
    4754: "GRE in UDP (RFC 8086)",
    4789: "VXLAN (RFC 7348)",
    4790: "VXLAN with the generic extension",
    6081: "GENEVE (RFC 8926)",
    6635: "MPLS in UDP (RFC 7510)",
    8472: "VXLAN, Linux's older port",
}


def formats() -> str:
    """The file formats, by their magic numbers."""
    known = {magic for _, magic in pcap.MAGICS.values()} | {pcapng.SECTION}
    rows = ((f"`{magic:08x}`", FORMATS[magic]) for magic in sorted(known))
    return _table(("magic number", "format"), rows)


def compressions() -> str:
    """The compressions, by their first bytes."""
    rows = (
        (one.name.removesuffix("'d"), f"`{one.suffix}`", f"`{one.magic.hex(' ')}`")
        for one in compressed.COMPRESSIONS
    )
    return _table(("compression", "usual suffix", "first bytes"), rows)


def blocks() -> str:
    """The blocks of pcapng that are read, and the options of each."""
    rows = (
        (
            f"`{kind:08x}`" if kind > 0xFF else f"{kind}",
            BLOCKS[kind],
            "; ".join(f"{code}, {words}" for (of, code), words in OPTIONS.items() if of == kind),
        )
        for kind in sorted(pcapng.SMALLEST)
    )
    return _table(("type", "block", "options that are read"), rows)


def links() -> str:
    """The link types that are understood."""
    names = {link.RAW_BSD: "RAW, as BSD numbers it", link.RAW_OPENBSD: "RAW, as OpenBSD does"}
    rows = (
        (f"{number}", names.get(number) or linktypes.link_name(number))
        for number in sorted(link.LINKS)
    )
    return _table(("link type", "LINKTYPE_"), rows)


def between() -> str:
    """The layers between the link header and IP, by EtherType."""
    rows = (
        (f"`{kind:04x}`" if kind <= 0xFFFF else "", LAYERS[kind]) for kind in sorted(layers.KINDS)
    )
    return _table(("EtherType", "layer"), rows)


def looked_through() -> str:
    """The tunnels over IP and over UDP."""
    rows = [(f"IP protocol {number}", PROTOCOLS[number]) for number in sorted(tunnels.PROTOCOLS)]
    rows += [(f"UDP port {port}", PORTS[port]) for port in sorted(tunnels.PORTS)]
    return _table(("by", "tunnel"), rows)


def limits() -> str:
    """What is bounded, and what happens beyond."""
    mib = 1 << 20
    rows = (
        (
            "bytes of a packet, or of a block that is read",
            f"{source.LARGEST // mib} MiB",
            "the file counts as corrupt from there on; what came before is shown",
        ),
        (
            "memory to unpack zstd or xz",
            f"{compressed.MEMORY // mib} MiB",
            "an error that says so; what came before is shown",
        ),
        ("interfaces of a file", f"{pcapng.MOST_INTERFACES:,}", "as for a packet"),
        (
            "comments on a file, and bytes of each",
            f"{pcapng.MOST_COMMENTS}, {section.LONGEST_COMMENT:,}",
            "left out, cut",
        ),
        ("bytes of an interface's name", f"{section.LONGEST_NAME}", "cut"),
        ("link types in one another, as in PPI and PKTAP", f"{link.NESTED}", "no TCP"),
        (
            "layers of a frame, tunnels included",
            f"{layers.MOST_LAYERS}",
            "the frame counts as what was found so far",
        ),
        (
            "IP datagrams in fragments at the same time",
            f"{fragments.MOST_DATAGRAMS}",
            "the eldest is given up",
        ),
        (
            "time and memory for the fragments of a datagram, fragments of one",
            f"{fragments.PATIENCE // 10**9} s, {fragments.MOST_BYTES // mib} MiB in all, "
            f"{fragments.MOST_PIECES:,}",
            "given up",
        ),
        (
            "UDP ports that are counted where there is no TCP",
            f"{census.MOST_PORTS:,}",
            "the others are only UDP",
        ),
    )
    return _table(("what", "at most", "beyond that"), rows)


def strangers() -> str:
    """What a file that is no capture may look like."""
    compressions = {f"{one.name} data" for one in compressed.COMPRESSIONS}
    looks = dict.fromkeys(look for look in files.STRANGERS.values() if look not in compressions)
    return "".join(f"- {look}\n" for look in looks)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


#: What stands in the page's place of each table, and what makes it.
TABLES: dict[str, Callable[[], str]] = {
    f"<!-- {what} -->": make
    for what, make in (
        ("the table of the formats stands here on the site", formats),
        ("the table of the compressions stands here on the site", compressions),
        ("the table of the blocks stands here on the site", blocks),
        ("the table of the link types stands here on the site", links),
        ("the table of the layers stands here on the site", between),
        ("the table of the tunnels stands here on the site", looked_through),
        ("the table of the limits stands here on the site", limits),
        ("the list of the strangers stands here on the site", strangers),
    )
}
