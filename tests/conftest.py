from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from needs import need_namespaces, need_wires
from network import Network, private_network

# A busy machine is slow, and that is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
