from __future__ import annotations

import pytest
from needs import need_namespaces


@pytest.fixture
def namespaces() -> None:
    """Skip the test where no private network namespace can be had."""
    need_namespaces()
