from __future__ import annotations

import struct
import subprocess
import sys
from ctypes.util import find_library

import pytest
from needs import missing
from wiring import passes_filter

from trioecho.capture.bpf import compile_expression
from trioecho.capture.packet_socket import ETHERNET, RAW_IP
from trioecho.errors import TrioechoError

LARGEST = 65_549  # of a frame on the loopback

# A TCP segment from 127.0.0.1:40000 to 127.0.0.1:7, as large as a frame can be.
IP = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 65_535, 0, 0, 64, 6, 0, *[bytes([127, 0, 0, 1])] * 2)
PACKET = IP + struct.pack("!HHIIHHHH", 40_000, 7, 1, 1, 5 << 12 | 16, 512, 0, 0)
FRAME = (bytes(12) + b"\x08\x00" + PACKET).ljust(LARGEST, b"x")


@pytest.fixture
def libpcap() -> None:
    if sys.platform != "linux":
        pytest.skip("the filters are Linux's")
    if find_library("pcap") is None:
        missing("libpcap is not installed")


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("tcp port 7", True),
        ("", True),
        ("ip and (src port 40000 or udp)", True),
        ("tcp[tcpflags] & tcp-ack != 0 and greater 60000", True),
        ("host ::1", False),
        ("tcp port 8", False),
        ("not tcp", False),
    ],
)
def test_the_largest_frame_passes_whole_or_not_at_all(expression: str, expected: bool) -> None:
    assert passes_filter(FRAME, compile_expression(expression, ETHERNET)) is expected
    assert passes_filter(FRAME[14:], compile_expression(expression, RAW_IP)) is expected


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("tcp port", "syntax error"),
        ("tcp and udp", "expression rejects all packets"),
        ("a (b) and (", "syntax error"),
        ("len >", "syntax error"),
    ],
)
def test_what_libpcap_does_not_understand_is_said_in_its_words(expression: str, said: str) -> None:
    with pytest.raises(TrioechoError) as caught:
        compile_expression(expression, ETHERNET)
    begin = f"The filter {expression!r} is not understood by libpcap: "
    assert caught.value.what.startswith(begin)
    assert caught.value.what.endswith(said)
    assert "Failed to compile" not in str(caught.value)


def test_without_libpcap_it_says_what_to_install() -> None:
    code = """
import ctypes.util
ctypes.util.find_library = lambda name: None
from trioecho.capture.bpf import compile_expression
from trioecho.errors import TrioechoError
try:
    compile_expression("tcp", 1)
except TrioechoError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "libpcap is not installed" in done.stdout
    assert "apt install libpcap" in done.stdout
