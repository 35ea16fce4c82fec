"""Durable work of an app that is offline: it waits, and goes on when the app is back."""

from datetime import timedelta

import pytest
from api_support import Target

from durahost.config.settings import DurableSettings
from durahost.dispatch.renewal import Renewal
from durahost.dispatch.workbench import Workbench
from durahost.invocations import Invoker
from durahost.model.errors import AppLoadError

pytestmark = pytest.mark.feature("Functions host", "`app_offline.htm` takes the app offline")


async def test_work_has_no_app_while_it_is_offline(tmp_path):
    page = tmp_path / "app_offline.htm"
    target = Target(offline_page=page)
    bench = Workbench(
        state=target.state,
        invoker=Invoker(target.clock, lambda binding: None, timeout_s=5),
        clock=target.clock,
        settings=DurableSettings(),
        owner="me",
        renewal=Renewal(target.store.open_hub("h").renew),
        function_timeout=timedelta(minutes=5),
    )
    page.touch()
    with pytest.raises(AppLoadError, match=r"remove app_offline\.htm"):
        bench.generation()
    page.unlink()
    assert bench.generation() is target.state.generation
