from __future__ import annotations

import signal
from collections.abc import Iterator

import hypothesis
import pytest
from needs import need_namespaces, need_wires
from network import Network, private_network

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# A job in a shell's background starts with SIGINT ignored, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def namespaces() -> None:
    """Skip the test where no private network namespace can be had."""
    need_namespaces()


@pytest.fixture
def wires() -> None:
    """Skip the test where no private wire can be had."""
    need_wires()


@pytest.fixture
def network() -> Iterator[Network]:
    """A private network in which the test's programs are root."""
    with private_network() as network:
        yield network
