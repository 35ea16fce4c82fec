"""How a host is started for contract tests: in process, over the store in memory."""

import pytest
from api_support import Target


@pytest.fixture
def target():
    return Target()
