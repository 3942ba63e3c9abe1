"""The settings of private hosts: quiet, the same everywhere, and what is said of them."""

from __future__ import annotations

import json
import socket

import pytest
from typer.testing import CliRunner
from wiring import kernel_info

from trioecho.cli.app import app
from trioecho.errors import TrioechoError
from trioecho.hosts.host import CONGESTION_CONTROL, open_host
from trioecho.hosts.tcp_info import parse_info
from trioecho.hosts.ways import PROBES, QUIET, Ways, give_ways, words_of
from trioecho.stage.on_wire import open_on_wire

pytestmark = pytest.mark.usefixtures("wires")


async def test_a_wire_is_quiet() -> None:
    async with open_on_wire() as stage:
        for host in (stage.wire.client, stage.wire.server):
            for name, value in QUIET.items():
                assert await host.sysctl(name) == value
            assert await host.sysctl(CONGESTION_CONTROL) in ("cubic", "reno")
            assert host.changed["net.ipv4.tcp_rmem"].startswith("4096 ")
        assert "quiet kernel (no tail loss probes), congestion control " in stage.summary().kernel


async def test_the_kernels_own_ways_but_for_congestion_control() -> None:
    async with open_on_wire(ways=Ways(quiet=False)) as stage:
        host = stage.wire.server
        assert await host.sysctl(PROBES) != "0"
        assert await host.sysctl(CONGESTION_CONTROL) in ("cubic", "reno")
        assert stage.summary().kernel.startswith("the kernel's own ways (--quiet-kernel")


async def test_what_is_set_besides_is_said() -> None:
    ways = Ways(sysctl=((PROBES, "3"), (CONGESTION_CONTROL, "reno")))
    async with open_on_wire(ways=ways) as stage:
        assert stage.summary().kernel == f"quiet kernel, congestion control reno, {PROBES} = 3"
        await stage.wire.client.sysctl("net.ipv4.tcp_sack", 0)
        assert stage.summary().kernel.endswith(", client's net.ipv4.tcp_sack = 0")


async def test_each_end_may_have_its_own() -> None:
    async with open_host() as client, open_host() as server:
        await give_ways((client, server))
        client.changed[CONGESTION_CONTROL], server.changed[CONGESTION_CONTROL] = "cubic", "reno"
        assert "congestion control cubic (client) and reno (server)" in words_of((client, server))


async def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(TrioechoError, match=r"net\.ipv4\.tcp_nothing"):
        async with open_on_wire(ways=Ways(sysctl=(("net.ipv4.tcp_nothing", "1"),))):
            raise AssertionError


async def test_a_socket_tells_its_congestion_control() -> None:
    async with open_host() as host:
        await host.sysctl(CONGESTION_CONTROL, "reno")
        with await host.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
            assert kernel_info(made).congestion_control == "reno"
    assert parse_info(bytes([1]) + bytes(103), b"bbr\0").congestion_control == "bbr"


def test_trace_says_it_and_sets_others() -> None:
    done = CliRunner().invoke(
        app, ["trace", "hi", "--kernel", "--sysctl", f"{CONGESTION_CONTROL}=reno"]
    )
    assert "congestion control reno" in " ".join(done.stdout.split())
    done = CliRunner().invoke(
        app,
        ["trace", "hi", "--format", "json", "--kernel", "--sysctl", f"{CONGESTION_CONTROL}=reno"],
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["kernel"].endswith("congestion control reno")
    kernels = [line["client_kernel"] for line in lines if line.get("client_kernel")]
    assert "reno" in {one["congestion_control"] for one in kernels}


def test_a_setting_without_a_value_is_a_usage_error() -> None:
    done = CliRunner().invoke(app, ["trace", "--sysctl", "net.ipv4.tcp_sack"])
    assert done.exit_code == 2
