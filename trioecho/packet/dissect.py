"""A frame -> layers and named fields with their byte ranges, dissected by scapy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from trioecho.model import Frame
from trioecho.packet.link import LINKS

_HEX_WIDTH = 16


class Field(NamedTuple):
    """A header field: its name, its value as scapy writes it, and the bytes it lies in."""

    name: str
    value: str
    start: int
    end: int


class Layer(NamedTuple):
    """One protocol's header: its name, its bytes' range in the frame, and its fields."""

    name: str
    start: int
    end: int
    fields: tuple[Field, ...]


def dissect(frame: Frame) -> list[Layer]:
    """Take a frame apart.

    Args:
        frame: a captured frame.

    Returns:
        Its layers from the outside in; the last may be ``Raw`` or ``Padding``. Byte ranges count
        from the frame's first byte, the end not included.
    """
    packet: Any = _first_layer(frame)
    layers = []
    at = 0
    while packet.name != "NoPayload":
        raw = bytes(packet.original)
        if packet.name in ("Raw", "Padding"):
            size = len(raw)
            fields: tuple[Field, ...] = ()
        else:
            size = len(raw) - len(getattr(packet.payload, "original", b"") or b"")
            fields = tuple(_fields(packet, raw, at))
        layers.append(Layer(packet.name, at, at + size, fields))
        at += size
        packet = packet.payload
    return layers


def details(frame: Frame) -> list[str]:
    """A frame's fields and a hex dump of its payload, as lines to read."""
    lines = []
    payload = b""
    for layer in dissect(frame):
        lines.append(f"{layer.name}, bytes {layer.start} to {layer.end - 1}")
        lines.extend(f"  {field.start:>4}  {field.name:10} {field.value}" for field in layer.fields)
        if layer.name == "Raw":
            payload = frame.data[layer.start : layer.end]
    for at in range(0, len(payload), _HEX_WIDTH):
        row = payload[at : at + _HEX_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"  {at:04x}  {row.hex(' '):{_HEX_WIDTH * 3}} {text}")
    return lines


def _fields(packet: Any, raw: bytes, at: int) -> Iterator[Field]:
    """Each field with its place, found by reading it again as scapy did.

    scapy hands a field the rest of the bytes, or, in the middle of a byte, those and how many bits
    of the first are used up.
    """
    rest: Any = raw
    for field in packet.fields_desc:
        before = rest
        rest, value = field.getfield(packet, rest)
        start = _position(raw, before)
        end, bits = _position(raw, rest), isinstance(rest, tuple)
        if end == start and not bits and not isinstance(before, tuple):
            continue  # a conditional field that is not there, or an empty one
        yield Field(field.name, field.i2repr(packet, value), at + start, at + end + bits)


def _position(raw: bytes, rest: Any) -> int:
    return len(raw) - len(rest[0] if isinstance(rest, tuple) else rest)


def _first_layer(frame: Frame) -> Any:
    """The frame as scapy's outermost layer; scapy is slow to import, so it is imported here."""
    from scapy.layers import inet, inet6

    known = LINKS.get(frame.link)
    if known is not None and known.layer:
        module, _, name = known.layer.rpartition(".")
        layer = getattr(import_module(f"scapy.{module}"), name)
    else:
        layer = inet6.IPv6 if frame.data[:1] and frame.data[0] >> 4 == 6 else inet.IP
    return layer(frame.data)
