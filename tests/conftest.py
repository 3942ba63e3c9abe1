from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest
from needs import need_namespaces, need_wires
from network import Network, private_network

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
# For mutants: which example fails does not matter, and each run has the same ones.
hypothesis.settings.register_profile(
    "unshrunk",
    deadline=None,
    derandomize=True,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)

# A job in a shell's background starts with SIGINT ignored, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# The longest tests: they begin first, so that no processor waits for one at the end.
LONGEST = ("test_site", "test_inference", "test_blocks", "test_against_tshark", "test_lessons")


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors, since many tests wait for a kernel's timer."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONGEST)


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
