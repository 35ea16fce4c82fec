"""Every case of the contract suite against a host of its own, over a socket and in process."""

import pytest
from running_host import RunningHost

from durahost.contract.cases import load_cases
from durahost.contract.report import format_failure
from durahost.contract.runner import Outcome, run_case
from durahost.contract.target import OWN_LIMIT_S, open_target, read_master_key, write_app

CASES = load_cases()


@pytest.fixture(scope="module", params=["child", "in-process"])
def target(request, tmp_path_factory):
    """Once as on Azure, asking for keys; once as locally, in one process and in memory."""
    app = tmp_path_factory.mktemp("contract") / "app"
    write_app(app)
    is_child = request.param == "child"
    options = ("--enable-auth",) if is_child else ("--in-process", "--ephemeral")
    with RunningHost(app, "--no-reload", *options) as host:
        url = host.base.replace("localhost", "127.0.0.1")
        code = read_master_key(app) if is_child else None
        with open_target(url, code, is_disposable=True, limit_s=OWN_LIMIT_S) as target:
            yield target


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case, target):
    result = run_case(case, target)
    if result.outcome is Outcome.SKIPPED:
        pytest.skip("; ".join(result.problems))
    assert result.outcome is Outcome.PASSED, format_failure(result)


def test_there_are_enough_of_them():
    assert len(CASES) >= 150
