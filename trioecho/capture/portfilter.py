"""The in-kernel filters that let one TCP port or one host through, or keep out what is no TCP."""

from __future__ import annotations

import struct

SNAP = 0x40000  # bytes of a matching frame to keep: all of it, loopback frames reach 65,549

# Classic BPF as in <linux/bpf_common.h>: one accumulator A, one index register X, jumps forward
# only. An instruction is 8 bytes: u16 code, u8 jump if true, u8 jump if false, u32 constant.
LDH_ABS, LDH_IND = 0x28, 0x48  # A = the 16 bits at k, or at X + k
LD_ABS = 0x20  # A = the 32 bits at k
LDB_ABS = 0x30  # A = the byte at k
LDX_MSH = 0xB1  # X = 4 * (the byte at k & 15): an IPv4 header's length
AND = 0x54  # A = A & k
JEQ, JSET = 0x15, 0x45  # if A == k; if A & k
RET = 0x06  # keep k bytes of the frame
TCP, UDP = 6, 17

Line = tuple[str, int, int, str, str]  # label, code, constant, where if true, where if false
NEXT = ""


def port_filter(port: int, link_header: int) -> bytes:
    """Assemble the classic BPF program that keeps TCP segments from or to one port.

    See `endpoint_filter` for the arguments and for what it keeps.
    """
    return endpoint_filter(link_header, port=port)


def endpoint_filter(
    link_header: int, *, port: int | None = None, host: bytes | None = None
) -> bytes:
    """Assemble the classic BPF program that keeps TCP segments of one host, one port, or both.

    It knows TCP right behind an IPv4 header of any length or an IPv6 header. A segment behind an
    IPv6 extension header is not kept, nor, where a port is wanted, is a fragment after the first,
    which has no ports.

    Args:
        link_header: bytes before the IP header: 14 on Ethernet, 0 where there is no link header.
        port: the TCP port, source or destination; None for any.
        host: the address, source or destination, 4 bytes or 16; None for any.

    Returns:
        The program, 8 bytes an instruction, for SO_ATTACH_FILTER (socket(7)).
    """
    ip = link_header
    first_fragment: list[Line] = [
        (NEXT, LDH_ABS, ip + 6, NEXT, NEXT),  # fragment offset
        (NEXT, JSET, 0x1FFF, "drop", NEXT),
    ]
    ports6: list[Line] = [
        (NEXT, LDH_ABS, ip + 40, NEXT, NEXT),  # source port
        (NEXT, JEQ, port or 0, "keep", NEXT),
        (NEXT, LDH_ABS, ip + 42, NEXT, NEXT),  # destination port
        (NEXT, JEQ, port or 0, "keep", "drop"),
    ]
    ports4: list[Line] = [
        *first_fragment,
        (NEXT, LDX_MSH, ip, NEXT, NEXT),  # header length
        (NEXT, LDH_IND, ip, NEXT, NEXT),  # source port
        (NEXT, JEQ, port or 0, "keep", NEXT),
        (NEXT, LDH_IND, ip + 2, NEXT, NEXT),  # destination port
        (NEXT, JEQ, port or 0, "keep", "drop"),
    ]
    whole: list[Line] = [(NEXT, RET, SNAP, NEXT, NEXT)]
    return assemble(
        [
            *_version(ip),
            ("IPv6", LDB_ABS, ip + 6, NEXT, NEXT),  # next header
            (NEXT, JEQ, TCP, NEXT, "drop"),
            *_address(host, 16, ip + 8, "6"),
            *(whole if port is None else ports6),
            ("IPv4", LDB_ABS, ip + 9, NEXT, NEXT),  # protocol
            (NEXT, JEQ, TCP, NEXT, "drop"),
            *_address(host, 4, ip + 12, "4"),
            *(whole if port is None else ports4),
            ("keep", RET, SNAP, NEXT, NEXT),
            ("drop", RET, 0, NEXT, NEXT),
        ]
    )


def all_but_udp(link_header: int) -> bytes:
    """Assemble the classic BPF program that keeps whatever may hold a TCP segment.

    Tunnels, tags and fragments are kept, since what is in them shows only when they are decoded.
    UDP is not, which is what a machine has most of beside TCP.

    Args:
        link_header: as in `endpoint_filter`.
    """
    ip = link_header
    return assemble(
        [
            *_version(ip, other="keep"),
            ("IPv6", LDB_ABS, ip + 6, NEXT, NEXT),  # next header
            (NEXT, JEQ, UDP, "drop", "keep"),
            ("IPv4", LDB_ABS, ip + 9, NEXT, NEXT),  # protocol
            (NEXT, JEQ, UDP, "drop", "keep"),
            ("keep", RET, SNAP, NEXT, NEXT),
            ("drop", RET, 0, NEXT, NEXT),
        ]
    )


def _version(ip: int, other: str = "drop") -> list[Line]:
    """Go to IPv4 or IPv6, or where everything else goes."""
    if ip:
        return [
            (NEXT, LDH_ABS, ip - 2, NEXT, NEXT),
            (NEXT, JEQ, 0x0800, "IPv4", NEXT),
            (NEXT, JEQ, 0x86DD, "IPv6", other),
        ]
    return [
        (NEXT, LDB_ABS, 0, NEXT, NEXT),
        (NEXT, AND, 0xF0, NEXT, NEXT),
        (NEXT, JEQ, 0x40, "IPv4", NEXT),
        (NEXT, JEQ, 0x60, "IPv6", other),
    ]


def _address(host: bytes | None, size: int, at: int, version: str) -> list[Line]:
    """Go on when one of the two addresses at ``at`` is the host's, else drop."""
    if host is None:
        return []
    if len(host) != size:
        return [(NEXT, RET, 0, NEXT, NEXT)]
    other, found = f"destination {version}", f"found {version}"
    lines: list[Line] = []
    for start, miss in ((at, other), (at + size, "drop")):
        for word in range(0, size, 4):
            label = other if start != at and word == 0 else NEXT
            wanted = int.from_bytes(host[word : word + 4], "big")
            hit = found if start == at and word == size - 4 else NEXT
            lines.append((label, LD_ABS, start + word, NEXT, NEXT))
            lines.append((NEXT, JEQ, wanted, hit, miss))
    return [*lines, (found, AND, 0xFFFFFFFF, NEXT, NEXT)]


def assemble(lines: list[Line]) -> bytes:
    """Turn labels into distances and lines into instructions."""
    places = {label: place for place, (label, *_) in enumerate(lines) if label}

    def jump(place: int, label: str) -> int:
        return places[label] - place - 1 if label else 0

    return b"".join(
        struct.pack("=HBBI", code, jump(place, true), jump(place, false), constant)
        for place, (_, code, constant, true, false) in enumerate(lines)
    )
