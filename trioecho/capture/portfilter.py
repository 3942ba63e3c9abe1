"""The in-kernel filter that lets one TCP port through."""

from __future__ import annotations

import struct

SNAP = 0x40000  # bytes of a matching frame to keep: all of it, loopback frames reach 65,549

# Classic BPF as in <linux/bpf_common.h>: one accumulator A, one index register X, jumps forward
# only. An instruction is 8 bytes: u16 code, u8 jump if true, u8 jump if false, u32 constant.
LDH_ABS, LDH_IND = 0x28, 0x48  # A = the 16 bits at k, or at X + k
LDB_ABS = 0x30  # A = the byte at k
LDX_MSH = 0xB1  # X = 4 * (the byte at k & 15): an IPv4 header's length
AND = 0x54  # A = A & k
JEQ, JSET = 0x15, 0x45  # if A == k; if A & k
RET = 0x06  # keep k bytes of the frame

Line = tuple[str, int, int, str, str]  # label, code, constant, where if true, where if false
NEXT = ""


def port_filter(port: int, link_header: int) -> bytes:
    """Assemble the classic BPF program that keeps TCP segments from or to one port.

    It knows TCP right behind an IPv4 header of any length or an IPv6 header. A fragment after the
    first has no ports and is not kept, nor is a segment behind an IPv6 extension header.

    Args:
        port: the TCP port, source or destination.
        link_header: bytes before the IP header: 14 on Ethernet, 0 where there is no link header.

    Returns:
        The program, 8 bytes an instruction, for SO_ATTACH_FILTER (socket(7)).
    """
    ip = link_header
    if link_header:
        version: list[Line] = [
            (NEXT, LDH_ABS, 12, NEXT, NEXT),
            (NEXT, JEQ, 0x0800, "IPv4", NEXT),
            (NEXT, JEQ, 0x86DD, "IPv6", "drop"),
        ]
    else:
        version = [
            (NEXT, LDB_ABS, 0, NEXT, NEXT),
            (NEXT, AND, 0xF0, NEXT, NEXT),
            (NEXT, JEQ, 0x40, "IPv4", NEXT),
            (NEXT, JEQ, 0x60, "IPv6", "drop"),
        ]
    return assemble(
        [
            *version,
            ("IPv6", LDB_ABS, ip + 6, NEXT, NEXT),  # next header
            (NEXT, JEQ, 6, NEXT, "drop"),
            (NEXT, LDH_ABS, ip + 40, NEXT, NEXT),  # source port
            (NEXT, JEQ, port, "keep", NEXT),
            (NEXT, LDH_ABS, ip + 42, NEXT, NEXT),  # destination port
            (NEXT, JEQ, port, "keep", "drop"),
            ("IPv4", LDB_ABS, ip + 9, NEXT, NEXT),  # protocol
            (NEXT, JEQ, 6, NEXT, "drop"),
            (NEXT, LDH_ABS, ip + 6, NEXT, NEXT),  # fragment offset
            (NEXT, JSET, 0x1FFF, "drop", NEXT),
            (NEXT, LDX_MSH, ip, NEXT, NEXT),  # header length
            (NEXT, LDH_IND, ip, NEXT, NEXT),  # source port
            (NEXT, JEQ, port, "keep", NEXT),
            (NEXT, LDH_IND, ip + 2, NEXT, NEXT),  # destination port
            (NEXT, JEQ, port, "keep", "drop"),
            ("keep", RET, SNAP, NEXT, NEXT),
            ("drop", RET, 0, NEXT, NEXT),
        ]
    )


def assemble(lines: list[Line]) -> bytes:
    """Turn labels into distances and lines into instructions."""
    places = {label: place for place, (label, *_) in enumerate(lines) if label}

    def jump(place: int, label: str) -> int:
        return places[label] - place - 1 if label else 0

    return b"".join(
        struct.pack("=HBBI", code, jump(place, true), jump(place, false), constant)
        for place, (_, code, constant, true, false) in enumerate(lines)
    )
