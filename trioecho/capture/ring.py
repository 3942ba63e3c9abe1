"""Ring: capture through a ring of blocks in memory shared with the kernel."""

from __future__ import annotations

import errno
import mmap
import socket
import struct

import trio

from trioecho.capture.live import Capture
from trioecho.capture.packet_socket import (
    SOL_PACKET,
    Counts,
    Program,
    bind,
    check,
    prepare,
    refusing,
)
from trioecho.errors import TrioechoError
from trioecho.model import Frame

MIB = 1 << 20
WITHOUT = "--sniffer scapy captures without one"

# TPACKET_V3 (Documentation/networking/packet_mmap.rst, <linux/if_packet.h>).
#
# The ring is a row of blocks. Each belongs to the kernel or to us, as the word STATUS of its header
# says. The kernel fills block after block with frames and hands a block over when it is full, or
# when its time is up; we copy the frames out and hand it back. When every block is ours the kernel
# drops frames and counts them.
#
#   block    u32 version, u32 offset to private; then at STATUS: u32 status, u32 frames in it,
#            u32 offset to the first frame, u32 length, u64 sequence number, two timestamps
#   frame    u32 offset to the next frame, u32 seconds, u32 nanoseconds, u32 bytes captured,
#            u32 bytes on the wire, u32 status, u16 offset to the link header, u16 offset to the
#            network header, u32 rxhash, u32 VLAN tag, u16 VLAN protocol; 48 bytes with padding
PACKET_RX_RING = 5
PACKET_VERSION = 10
TPACKET_V3 = 2
RING_REQUEST = struct.Struct("7I")  # block size, blocks, frame size, frames, retire ms, 0, 0
FRAME_SLOT = 2048  # the frames of version 3 have no slots; the number must divide the block's size

STATUS = 8
BLOCK = struct.Struct("III")  # from STATUS on
FRAME = struct.Struct("6IH6xIH")
OURS = 1  # TP_STATUS_USER
VLAN_VALID, VLAN_TPID_VALID = 1 << 4, 1 << 6
ETH_P_8021Q = 0x8100


class Ring(Capture):
    """Frames of one interface, through a mapped ring (packet(7), Linux 3.2 on, on a loopback 4.20).

    It keeps every frame at rates where a socket that is read frame by frame loses most, stamps them
    with the kernel's nanoseconds, and is not capped by ``net.core.rmem_max``. It captures from the
    moment it is made. The frames stand in the order in which the kernel took them; two processors
    that take frames at the same moment may stamp them a few microseconds out of that order, but
    never a frame and one that it caused.

    Args:
        sock: a packet socket of protocol 0 that is not bound, made in whichever network namespace
            the interface is in. The ring takes it over and closes it, even when it fails.
        interface: the interface's name.
        port: the one TCP port to let through, or None for every frame.
        program: makes the filter of the frames to let through instead; see `packet_socket.prepare`.
        first: the number of the first frame.
        index: the interface's number, which each frame will have.
        size: bytes of the ring; less when the kernel has less to give.
        block: bytes of one of its blocks, a power of two and at least 128 KiB, so that the largest
            frame fits.
        retire: milliseconds after which the kernel hands over a block that is not full. A frame is
            seen at most twice as late. The ring outlasts a pause in the reading of as many of
            these as it has blocks, even when little is captured: a second, by default.

    Raises:
        TrioechoError: there is no such interface, it is down, its frames are of a kind not known
            here, or there is no memory for the ring.
    """

    def __init__(
        self,
        sock: socket.socket,
        interface: str = "lo",
        port: int | None = None,
        *,
        program: Program | None = None,
        first: int = 1,
        index: int = 0,
        size: int = 32 * MIB,
        block: int = MIB // 8,
        retire: int = 4,
    ) -> None:
        super().__init__(interface, first)
        self._sock = sock
        try:
            sock.setblocking(False)
            self.link = prepare(sock, interface, port, program)
            self._blocks = allocate(sock, size, block, retire)
            self._block_size = block
            with refusing("to map the ring into memory", WITHOUT):
                self._ring = mmap.mmap(sock.fileno(), self._blocks * block)
            try:
                bind(sock, interface)
            except BaseException:
                self._ring.close()
                raise
        except BaseException:
            sock.close()
            raise
        self._at = 0
        self._index = index
        self._counts = Counts(sock)

    @property
    def size(self) -> int:
        """Bytes of the ring as it was allocated."""
        return self._blocks * self._block_size

    def dropped(self) -> int:
        """Frames so far that the kernel dropped because the ring was full."""
        return self._counts.dropped()

    def close(self) -> None:
        """Stop capturing and give the ring's memory back."""
        self._ring.close()
        self._sock.close()

    def _taken(self) -> int:
        return self._counts.taken()

    async def _wait(self) -> None:
        await trio.lowlevel.wait_readable(self._sock)
        check(self._sock, self.interface)

    def _read(self) -> list[Frame]:
        """Copy the next block and hand it back; ``[]`` when the kernel still has it."""
        ring, start = self._ring, self._at * self._block_size
        status, count, first = BLOCK.unpack_from(ring, start + STATUS)
        if not status & OURS:
            return []
        frames = []
        link, index, at = self.link, self._index, start + first
        for number in range(self.number, self.number + count):
            step, seconds, nanoseconds, kept, length, status, mac, tag, protocol = (
                FRAME.unpack_from(ring, at)
            )
            data = ring[at + mac : at + mac + kept]
            if status & VLAN_VALID:
                data = with_tag(data, tag, protocol if status & VLAN_TPID_VALID else ETH_P_8021Q)
                length += 4
            time = seconds * 1_000_000_000 + nanoseconds
            frames.append(Frame(number, time, data, link, length, index))
            at += step
        self.number += count
        struct.pack_into("I", ring, start + STATUS, 0)
        self._at = (self._at + 1) % self._blocks
        return frames


def allocate(sock: socket.socket, size: int, block: int, retire: int) -> int:
    """Have the kernel allocate a ring, and halve it while memory is short.

    Raises:
        TrioechoError: the kernel has no such rings, or no memory for one of two blocks.
    """
    with refusing("a ring of version 3", f"It takes Linux 3.2; {WITHOUT}"):
        sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
    blocks = max(2, size // block)
    while True:
        slots = blocks * (block // FRAME_SLOT)
        request = RING_REQUEST.pack(block, blocks, FRAME_SLOT, slots, retire, 0, 0)
        try:
            sock.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        except OSError as error:
            if error.errno != errno.ENOMEM or blocks == 2:
                raise TrioechoError(
                    f"The kernel refuses a ring of {blocks * block} bytes: {error.strerror}",
                    WITHOUT,
                ) from None
            blocks = max(2, blocks // 2)
        else:
            return blocks


def with_tag(data: bytes, tag: int, protocol: int) -> bytes:
    """Put back the VLAN tag (16 bits, and its type) that the kernel took out of a frame."""
    return data[:12] + struct.pack("!HH", protocol, tag & 0xFFFF) + data[12:]
