"""Fixtures that every kind of test shares: the async backend, and apps on disk as copies."""

import sys

import app_files
import pytest
from hypothesis import HealthCheck, settings

# Machines are shared: how long an example takes says nothing. The same examples every time, so that
# a change alone can break the suite; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("durahost", parent=settings.get_profile("explore"), derandomize=True)
settings.load_profile("durahost")


def pytest_collection_modifyitems(items):
    """What is slow comes first, so that the processes of a whole run end at the same time."""
    items.sort(key=lambda item: "slow" not in item.keywords)


def pytest_sessionfinish(session):
    """A process of several is ended when its exit takes long: what it measured is saved before."""
    measuring = _measuring()
    if measuring is not None and hasattr(session.config, "workerinput"):
        measuring.stop()
        measuring.save()


def _measuring():
    """This process's coverage, None when it is not measured."""
    return sys.modules["coverage"].Coverage.current() if "coverage" in sys.modules else None


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def unmeasured(monkeypatch):
    """Without coverage, which doubles what a test costs: for what repeats measured runs."""
    measuring = _measuring()
    if measuring is None:
        yield
        return
    # By this variable the processes that a test starts know that they are measured.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG")
    measuring.stop()
    yield
    measuring.start()


@pytest.fixture
def default_app(tmp_path):
    """A copy of the default app."""
    return app_files.copy_app(tmp_path / "app")


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory):
    """A copy of the default app for tests that leave it as it is."""
    return app_files.copy_app(tmp_path_factory.mktemp("shared") / "app")


@pytest.fixture
def write_function():
    """Writes a function folder: bindings as dicts, code as text."""
    return app_files.write_function
