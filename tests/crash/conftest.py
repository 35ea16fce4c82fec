"""Hosts here die: coverage of a process that is killed is lost, and costs a start all the same."""

import pytest


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch):
    """By this variable the processes that a test starts know that they are measured."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
