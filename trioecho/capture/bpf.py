"""Filter expressions, such as ``tcp port 80 and not host ::1``, compiled by libpcap."""

from __future__ import annotations

import struct

from trioecho.capture.packet_socket import RAW_IP
from trioecho.capture.portfilter import RET, SNAP
from trioecho.errors import TrioechoError
from trioecho.text import printable

_INSTRUCTION = struct.Struct("=HBBI")  # <linux/filter.h>: code, jump if true, if false, constant
_DLT_RAW = 12  # libpcap's number for raw IP on this side of a file, where LINKTYPE_RAW is 101
_SYNTAX = "pcap-filter(7) has the language: tcp port 80 and host 192.0.2.1"


def compile_expression(expression: str, link: int) -> bytes:
    """Compile a filter expression into a classic BPF program.

    libpcap's program keeps as many bytes of a frame as the handle it was compiled on, which scapy
    opens with 65,535. A loopback frame has up to 65,549; so the lengths are set to `SNAP` here.

    Args:
        expression: in libpcap's language, pcap-filter(7).
        link: the link type of the frames (LINKTYPE_*).

    Returns:
        The program, 8 bytes an instruction, for SO_ATTACH_FILTER (socket(7)).

    Raises:
        TrioechoError: the expression is none, in libpcap's words, or there is no libpcap.
    """
    from trioecho.capture.scapy_socket import quiet

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
        _INSTRUCTION.pack(one.code, one.jt, one.jf, _whole(one.code, one.k))
        for one in program.bf_insns[: program.bf_len]
    )


def _whole(code: int, constant: int) -> int:
    """An instruction's constant; one that keeps a part of the frame keeps all of it."""
    return SNAP if code == RET and constant else constant & 0xFFFFFFFF


def _reason(text: str, expression: str) -> str:
    """What libpcap says, which scapy puts into brackets behind its own sentence."""
    said = text.removeprefix(f"Failed to compile filter expression {expression!r} (")
    if said == text:  # an older scapy, which does not ask libpcap
        return "is not understood by libpcap"
    return f"is not understood by libpcap: {printable(said.removesuffix(')'))}"
