"""Every case of the contract suite against a host of its own, over a socket and in process."""

import socket
from urllib.parse import urlsplit

import pytest
from in_process_host import InProcessHost
from running_host import RunningHost

from durahost.contract.cases import load_cases
from durahost.contract.report import format_failure
from durahost.contract.runner import Outcome, run_case
from durahost.contract.target import OWN_LIMIT_S, open_target, read_master_key, write_app

CASES = load_cases()

pytestmark = pytest.mark.filterwarnings(
    # The SDK tells an app of every event that it does not wait for; in process the app is here.
    "ignore:Potential duplicate Task completion:UserWarning"
)


@pytest.fixture(scope="module", params=["socket", "in-process"])
def target(request, tmp_path_factory):
    """Once as on Azure, asking for keys; once as locally, in this process and in memory."""
    app = tmp_path_factory.mktemp("contract") / "app"
    write_app(app)
    options = {"is_disposable": True, "limit_s": OWN_LIMIT_S}
    if request.param == "in-process":
        with InProcessHost(app) as host, open_target(host.origin, transport=host, **options) as one:
            yield one
        return
    with RunningHost(app, "--no-reload", "--enable-auth") as host:
        url = host.base.replace("localhost", "127.0.0.1")
        with open_target(url, read_master_key(app), **options) as one:
            yield one


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case, target):
    result = run_case(case, target)
    if result.outcome is Outcome.SKIPPED:
        pytest.skip("; ".join(result.problems))
    assert result.outcome is Outcome.PASSED, format_failure(result)


def test_in_process_there_is_no_public_socket(target):
    address = urlsplit(target.origin)
    with socket.socket() as one:
        is_open = one.connect_ex((address.hostname, address.port)) == 0
    assert is_open == ("auth" in target.capabilities)


def test_there_are_enough_of_them():
    assert len(CASES) >= 150
