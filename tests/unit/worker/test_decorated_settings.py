"""Settings that decorators give a function: its retry policy."""

from datetime import timedelta

import pytest

from durahost.model.errors import AppLoadError
from durahost.model.functions import RetryPolicy
from durahost.worker.base import AppSource

pytestmark = pytest.mark.feature("Functions host", "Decorator model: retry policies")

APP = """
import azure.functions as func
app = func.FunctionApp()

@app.retry({})
@app.timer_trigger("timer", schedule="0 0 0 1 1 *")
def f(timer): pass
"""


async def load(worker, app, **policy):
    written = ", ".join(f"{name}={value!r}" for name, value in policy.items())
    app.write("function_app.py", APP.format(written))
    (function,) = (await worker.load(AppSource(app.root))).functions
    return function.retry


async def test_a_fixed_delay(worker, app):
    policy = {"max_retry_count": "3", "delay_interval": "00:01:05"}
    found = await load(worker, app, strategy="fixed_delay", **policy)
    span = timedelta(seconds=65)
    assert found == RetryPolicy(3, span, span, is_fixed=True)


async def test_exponential_back_off_for_ever(worker, app):
    policy = {"max_retry_count": "-1", "minimum_interval": "00:00:02"}
    found = await load(
        worker, app, strategy="exponential_backoff", maximum_interval="23:00:00", **policy
    )
    assert found == RetryPolicy(-1, timedelta(seconds=2), timedelta(hours=23))


@pytest.mark.parametrize("interval", ["24:00:00", "5", "1.00:00:00"])
async def test_an_interval_that_is_no_time_of_day_fails_the_app(processes, app, interval):
    policy = {"max_retry_count": "3", "delay_interval": interval}
    with pytest.raises(AppLoadError) as caught:
        await load(processes(), app, strategy="fixed_delay", **policy)
    text = f"ValueError: time data '{interval}' does not match format '%H:%M:%S'"
    assert str(caught.value) == text
