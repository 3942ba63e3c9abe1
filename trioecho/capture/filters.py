"""In-kernel filters: a TCP port, what may hold a segment, an expression that libpcap compiles."""

from __future__ import annotations

import struct
from collections.abc import Collection

from trioecho.errors import TrioechoError
from trioecho.text import printable

SNAP = 0x40000  # bytes of a matching frame to keep: all of it, loopback frames reach 65,549

# Classic BPF as in <linux/bpf_common.h>: one accumulator A, one index register X, jumps forward
# only. An instruction is 8 bytes: u16 code, u8 jump if true, u8 jump if false, u32 constant.
LDH_ABS, LDH_IND = 0x28, 0x48  # A = the 16 bits at k, or at X + k
LD_ABS = 0x20  # A = the 32 bits at k
LDB_ABS = 0x30  # A = the byte at k
LDX_IMM = 0x01  # X = k
LDX_MSH = 0xB1  # X = 4 * (the byte at k & 15): an IPv4 header's length
AND = 0x54  # A = A & k
JEQ, JSET = 0x15, 0x45  # if A == k; if A & k
RET = 0x06  # keep k bytes of the frame
TCP, UDP = 6, 17
INSTRUCTION = struct.Struct("=HBBI")

ETHERNET, RAW_IP = 1, 101  # LINKTYPE_*
HEADER_LENGTH = {ETHERNET: 14, RAW_IP: 0}
_DLT_RAW = 12  # libpcap's number for raw IP on this side of a file, where LINKTYPE_RAW is 101
_SYNTAX = "pcap-filter(7) has the language: tcp port 80 and host 192.0.2.1"

Instruction = tuple[str, int, int, str, str]  # label, code, constant, where if true, where if false
NEXT = ""
_KEEP: list[Instruction] = [(NEXT, RET, SNAP, NEXT, NEXT)]
_END: list[Instruction] = [
    ("keep", RET, SNAP, NEXT, NEXT),
    ("drop", RET, 0, NEXT, NEXT),
]


def port_filter(port: int, link_header: int) -> bytes:
    """Assemble the classic BPF program that keeps TCP segments from or to one port.

    It knows TCP right behind an IPv4 header of any length or an IPv6 header. A segment behind an
    IPv6 extension header is not kept, nor is a fragment after the first, which has no ports.
    """
    ip = link_header
    return assemble(
        [
            *_version(ip),
            ("IPv6", LDB_ABS, ip + 6, NEXT, NEXT),  # next header
            (NEXT, JEQ, TCP, NEXT, "drop"),
            *_ports6(ip, port),
            ("IPv4", LDB_ABS, ip + 9, NEXT, NEXT),  # protocol
            (NEXT, JEQ, TCP, NEXT, "drop"),
            (NEXT, LDH_ABS, ip + 6, NEXT, NEXT),  # fragment offset
            (NEXT, JSET, 0x1FFF, "drop", NEXT),
            *_ports4(ip, port),
            *_END,
        ]
    )


def segment_filter(
    link_header: int,
    tunnels: Collection[int],
    *,
    port: int | None = None,
    host: bytes | None = None,
) -> bytes:
    """Assemble the classic BPF program that keeps whatever may hold a TCP segment.

    Tunnels, tags, labels and fragments are kept, since what is in them shows only when they are
    decoded. Of UDP, which is what a machine has most of beside TCP, only tunnels' ports and
    fragments are. A port and a host bound plain TCP alone; what else is in a tunnel is for the
    reader to leave out.

    Args:
        link_header: the length of the link header.
        tunnels: the UDP ports of tunnels.
        port: of plain TCP only segments from or to this port.
        host: of plain TCP only segments from or to this address, of 4 or 16 bytes.
    """
    ip = link_header
    return assemble(
        [
            *_version(ip, other="keep"),
            ("IPv6", LDB_ABS, ip + 6, NEXT, NEXT),  # next header
            (NEXT, JEQ, UDP, "UDP6", NEXT),
            (NEXT, JEQ, TCP, NEXT, "keep"),
            *_address(host, 16, ip + 8, "6"),
            *(_KEEP if port is None else _ports6(ip, port)),
            ("IPv4", LDB_ABS, ip + 9, NEXT, NEXT),  # protocol
            (NEXT, JEQ, UDP, "UDP4", NEXT),
            (NEXT, JEQ, TCP, NEXT, "keep"),
            *_address(host, 4, ip + 12, "4"),
            (NEXT, LDH_ABS, ip + 6, NEXT, NEXT),  # fragment offset
            (NEXT, JSET, 0x1FFF, "keep", NEXT),
            *(_KEEP if port is None else _ports4(ip, port)),
            ("UDP4", LDH_ABS, ip + 6, NEXT, NEXT),
            (NEXT, JSET, 0x3FFF, "keep", NEXT),  # the first has its ports, and is wanted as well
            (NEXT, LDX_MSH, ip, NEXT, NEXT),
            (NEXT, JEQ, 0, "UDP", "UDP"),
            ("UDP6", LDX_IMM, 40, NEXT, NEXT),
            ("UDP", LDH_IND, ip, NEXT, NEXT),  # source port
            *((NEXT, JEQ, one, "keep", NEXT) for one in tunnels),
            (NEXT, LDH_IND, ip + 2, NEXT, NEXT),  # destination port
            *((NEXT, JEQ, one, "keep", NEXT) for one in tunnels),
            (NEXT, RET, 0, NEXT, NEXT),
            *_END,
        ]
    )


def _ports6(ip: int, port: int) -> list[Instruction]:
    """Keep what has the port right behind an IPv6 header, and drop all else."""
    return [
        (NEXT, LDH_ABS, ip + 40, NEXT, NEXT),  # source port
        (NEXT, JEQ, port, "keep", NEXT),
        (NEXT, LDH_ABS, ip + 42, NEXT, NEXT),  # destination port
        (NEXT, JEQ, port, "keep", "drop"),
    ]


def _ports4(ip: int, port: int) -> list[Instruction]:
    """The same for IPv4."""
    return [
        (NEXT, LDX_MSH, ip, NEXT, NEXT),  # header length
        (NEXT, LDH_IND, ip, NEXT, NEXT),
        (NEXT, JEQ, port, "keep", NEXT),
        (NEXT, LDH_IND, ip + 2, NEXT, NEXT),
        (NEXT, JEQ, port, "keep", "drop"),
    ]


def _version(ip: int, other: str = "drop") -> list[Instruction]:
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


def _address(host: bytes | None, size: int, at: int, version: str) -> list[Instruction]:
    """Continue when one of the two addresses at ``at`` is the host's, else drop."""
    if host is None:
        return []
    if len(host) != size:
        return [(NEXT, RET, 0, NEXT, NEXT)]
    other, found = f"destination {version}", f"found {version}"
    lines: list[Instruction] = []
    for start, miss in ((at, other), (at + size, "drop")):
        for word in range(0, size, 4):
            label = other if start != at and word == 0 else NEXT
            wanted = int.from_bytes(host[word : word + 4], "big")
            hit = found if start == at and word == size - 4 else NEXT
            lines.append((label, LD_ABS, start + word, NEXT, NEXT))
            lines.append((NEXT, JEQ, wanted, hit, miss))
    return [*lines, (found, AND, 0xFFFFFFFF, NEXT, NEXT)]


def assemble(lines: list[Instruction]) -> bytes:
    """Turn labels into distances and lines into instructions."""
    places = {label: place for place, (label, *_) in enumerate(lines) if label}

    def jump(place: int, label: str) -> int:
        return places[label] - place - 1 if label else 0

    return b"".join(
        INSTRUCTION.pack(code, jump(place, true), jump(place, false), constant)
        for place, (_, code, constant, true, false) in enumerate(lines)
    )


def compile_expression(expression: str, link: int) -> bytes:
    """Compile a filter expression into a classic BPF program.

    libpcap's program keeps as many bytes of a frame as the handle it was compiled on, which scapy
    opens with 65,535. A loopback frame has up to 65,549; so the lengths are set to `SNAP` here.

    Raises:
        TrioechoError: libpcap does not accept the expression, or is not installed.
    """
    from trioecho.capture.scapy_import import quiet

    try:
        expression.encode()
    except UnicodeEncodeError:
        raise TrioechoError(f"The filter {expression!r} is no UTF-8", _SYNTAX) from None
    with quiet():
        from scapy.arch.common import compile_filter
        from scapy.error import Scapy_Exception
    try:
        program = compile_filter(expression, linktype=_DLT_RAW if link == RAW_IP else link)
    except Scapy_Exception as error:
        raise TrioechoError(
            f"The filter {expression!r} {_reason(str(error), expression)}", _SYNTAX
        ) from None
    except (ImportError, OSError):
        raise TrioechoError(
            f"The filter {expression!r} cannot be compiled, because libpcap is not installed",
            "apt install libpcap0.8, dnf install libpcap or apk add libpcap does it;"
            " --port and --host do without",
        ) from None
    return b"".join(
        INSTRUCTION.pack(one.code, one.jt, one.jf, _whole(one.code, one.k))
        for one in program.bf_insns[: program.bf_len]
    )


def _whole(code: int, constant: int) -> int:
    """An instruction's constant, except that a frame is kept whole."""
    return SNAP if code == RET and constant else constant & 0xFFFFFFFF


def _reason(text: str, expression: str) -> str:
    """libpcap's message, which scapy puts in brackets behind its own."""
    said = text.removeprefix(f"Failed to compile filter expression {expression!r} (")
    if said == text:  # an older scapy, which does not ask libpcap
        return "is not understood by libpcap"
    return f"is not understood by libpcap: {printable(said.removesuffix(')'))}"
