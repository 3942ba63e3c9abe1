"""The JSON format: one object a line, for programs. Its keys are a contract."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from trioecho.model import Call, Process, Stopped, flag_names

if TYPE_CHECKING:
    from trioecho.account import Account
    from trioecho.model import ConnectionSummary, Kernel, RoundTrips, Rung, Summary
    from trioecho.render.renderer import Event, Setting


_encode_lines = msgspec.json.Encoder().encode_lines
_flag_names = cache(flag_names)  # few combinations, needed for each rung


class JsonLines:
    """Writes each rung, call and process, each account, and the summary, as one line."""

    def __init__(self, setting: Setting) -> None:
        self._start = setting.start

    def begin(self) -> bytes:
        """Nothing: each line stands alone."""
        return b""

    def show(self, events: Sequence[Event]) -> bytes:
        """One line for each event."""
        lines = []
        for event in events:
            if self._start is None:
                self._start = event.time
            if isinstance(event, Call):
                lines.append(call_object(event, self._start))
            elif isinstance(event, Stopped):
                lines.append(_stopped(event, self._start))
            elif isinstance(event, Process):
                lines.append(_process(event))
            else:
                lines.append(rung_object(event, self._start))
        return _encode_lines(lines)

    def tell(self, accounts: Sequence[Account]) -> bytes:
        """One line for each connection."""
        from trioecho.render.account import account_object

        return _encode_lines([account_object(account) for account in accounts])

    def end(self, summary: Summary) -> bytes:
        """The summary's line."""
        return msgspec.json.encode(_summary(summary)) + b"\n"


def rung_object(rung: Rung, start: int) -> dict[str, object]:
    """A rung as a JSON object."""
    segment = rung.segment
    found: dict[str, object] = {
        "type": "rung",
        "number": rung.number,
        "frame": segment.frame.number,
        "time": (rung.time - start) / 1e9,
        "connection": rung.connection,
        "from": rung.sender,
        "flags": _flag_names(segment.flags),
        "seq": rung.seq,
        "ack": rung.ack,
        "length": segment.length,
        "window": rung.window,
        "options": segment.options,
        "lost": rung.lost,
        "client_state": rung.client_state,
        "server_state": rung.server_state,
        "notes": [msgspec.to_builtins(note) | {"text": note.text(rung)} for note in rung.notes],
        "payload": b2a_base64(segment.payload, newline=False).decode("ascii"),
    }
    if rung.on_wire:
        found |= _fate(rung, start)
    if rung.client_kernel is not None or rung.server_kernel is not None:
        found |= _kernels(rung)
    return found


def _fate(rung: Rung, start: int) -> dict[str, object]:
    """What a wire of ours knows of a segment."""
    arrived = None if rung.arrived is None else (rung.arrived - start) / 1e9
    told: dict[str, object] = {"arrived": arrived, "fault": rung.fault, "kind": rung.kind}
    told["broken"] = rung.broken
    if rung.edited:
        told["edited"] = rung.edited
    return told | ({"too_large": True} if rung.too_large else {})


def _kernels(rung: Rung) -> dict[str, object]:
    """What the kernel said of either end."""
    ends = (("client", rung.client_kernel), ("server", rung.server_kernel))
    return {f"{end}_kernel": kernel_object(kernel) for end, kernel in ends if kernel is not None}


def kernel_object(kernel: Kernel) -> dict[str, object]:
    """What the kernel says of one end as a JSON object; times in seconds."""
    return {
        "state": kernel.state,
        "rtt": _seconds(kernel.rtt),
        "rtt_variance": _seconds(kernel.rtt_variance),
        "rto": _seconds(kernel.rto),
        "cwnd": kernel.cwnd,
        "ssthresh": kernel.ssthresh,
        "in_flight": kernel.in_flight,
        "retransmits": kernel.retransmits,
        "total_retransmits": kernel.total_retransmits,
        "congestion_control": kernel.congestion_control,
        "busy": _seconds(kernel.busy),
        "receiver_limited": _seconds(kernel.receiver_limited),
        "send_buffer_limited": _seconds(kernel.send_buffer_limited),
        "receive_queue": kernel.receive_queue,
        "send_queue": kernel.send_queue,
        "accepted": kernel.accepted,
        "accept_queue": kernel.accept_queue,
        "backlog": kernel.backlog,
    }


def call_object(call: Call, start: int) -> dict[str, object]:
    """A socket call as a JSON object."""
    return {
        "type": "call",
        "time": (call.time - start) / 1e9,
        "connection": call.connection,
        "end": call.end,
        "socket": call.socket,
        "fd": call.fd,
        "name": call.name,
        "arguments": call.arguments,
        "result": call.result,
        "error": call.error,
        "local": str(call.local) if call.local else None,
        "peer": str(call.peer) if call.peer else None,
        "data": b2a_base64(call.data, newline=False).decode("ascii"),
        **({"times": call.times} if call.times > 1 else {}),
        **({"deferred": True} if call.deferred else {}),
        **({"holds": call.holds} if call.holds else {}),
    }


def _process(process: Process) -> dict[str, object]:
    """A process as a JSON object."""
    return {
        "type": "process",
        "connection": process.connection,
        "end": process.end,
        "pid": process.pid,
        "name": process.name,
    }


def _stopped(stopped: Stopped, start: int) -> dict[str, object]:
    """A program that was stopped, as a JSON object."""
    return {
        "type": "stopped",
        "time": (stopped.time - start) / 1e9,
        "end": stopped.end,
        "signal": stopped.signal,
        "why": stopped.why,
    }


def _summary(summary: Summary) -> dict[str, object]:
    """The summary as a JSON object; durations in seconds."""
    capture = summary.capture
    return {
        "type": "summary",
        "connections": [_connection(connection) for connection in summary.connections],
        "capture": {
            "interface": capture.interface,
            "frames": capture.frames,
            "dropped": capture.dropped,
        },
        **({"forgotten": summary.forgotten} if summary.forgotten else {}),
        **({"unmatched": summary.unmatched} if summary.unmatched else {}),
        **({"others": summary.others} if summary.others else {}),
        **({"kernel": summary.kernel} if summary.kernel else {}),
    }


def _connection(connection: ConnectionSummary) -> dict[str, object]:
    tunnel = {"tunnel": connection.tunnel} if connection.tunnel else {}
    return {
        "number": connection.number,
        "client": str(connection.client),
        "server": str(connection.server),
        "handshake_time": _seconds(connection.handshake_time),
        "client_bytes": connection.client_bytes,
        "server_bytes": connection.server_bytes,
        "segments": connection.client_segments + connection.server_segments,
        "client_segments": connection.client_segments,
        "server_segments": connection.server_segments,
        "retransmissions": connection.retransmissions,
        "probes": connection.probes,
        "closed_by": connection.closed_by,
        "duration": (connection.end - connection.start) / 1e9,
        "resets": connection.resets,
        "troubles": connection.troubles,
        "first_trouble": connection.first_trouble,
        "completeness": connection.completeness,
        "initial_rtt": _seconds(connection.initial_rtt),
        "client_rtt": _round_trips(connection.client_rtt),
        "server_rtt": _round_trips(connection.server_rtt),
        "client_states": {state: time / 1e9 for state, time in connection.client_states.items()},
        "server_states": {state: time / 1e9 for state, time in connection.server_states.items()},
        **tunnel,
        **({"gave_up": True} if connection.gave_up else {}),
        **({"reset_by": connection.reset_by} if connection.reset_by else {}),
        **({"stopped": connection.stopped} if connection.stopped else {}),
    }


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9


def _round_trips(rtt: RoundTrips | None) -> dict[str, float] | None:
    if rtt is None:
        return None
    return {"min": rtt.least / 1e9, "median": rtt.median / 1e9, "p95": rtt.p95 / 1e9}
