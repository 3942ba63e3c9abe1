"""In-kernel filters: one TCP port or host, all but UDP, or an expression that libpcap compiles."""

from __future__ import annotations

import struct

from trioecho.errors import TrioechoError
from trioecho.text import printable

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
INSTRUCTION = struct.Struct("=HBBI")

ETHERNET, RAW_IP = 1, 101  # LINKTYPE_*
HEADER_LENGTH = {ETHERNET: 14, RAW_IP: 0}
_DLT_RAW = 12  # libpcap's number for raw IP on this side of a file, where LINKTYPE_RAW is 101
_SYNTAX = "pcap-filter(7) has the language: tcp port 80 and host 192.0.2.1"

Instruction = tuple[str, int, int, str, str]  # label, code, constant, where if true, where if false
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
    """
    ip = link_header
    first_fragment: list[Instruction] = [
        (NEXT, LDH_ABS, ip + 6, NEXT, NEXT),  # fragment offset
        (NEXT, JSET, 0x1FFF, "drop", NEXT),
    ]
    ports6: list[Instruction] = [
        (NEXT, LDH_ABS, ip + 40, NEXT, NEXT),  # source port
        (NEXT, JEQ, port or 0, "keep", NEXT),
        (NEXT, LDH_ABS, ip + 42, NEXT, NEXT),  # destination port
        (NEXT, JEQ, port or 0, "keep", "drop"),
    ]
    ports4: list[Instruction] = [
        *first_fragment,
        (NEXT, LDX_MSH, ip, NEXT, NEXT),  # header length
        (NEXT, LDH_IND, ip, NEXT, NEXT),  # source port
        (NEXT, JEQ, port or 0, "keep", NEXT),
        (NEXT, LDH_IND, ip + 2, NEXT, NEXT),  # destination port
        (NEXT, JEQ, port or 0, "keep", "drop"),
    ]
    whole: list[Instruction] = [(NEXT, RET, SNAP, NEXT, NEXT)]
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
