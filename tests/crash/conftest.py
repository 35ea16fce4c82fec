"""Deaths hit what other tests run, and measure, without them."""

import pytest


@pytest.fixture(autouse=True)
def _unmeasured(unmeasured):
    """Coverage of a process that is killed would be lost anyway."""
