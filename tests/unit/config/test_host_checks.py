"""Sections of host.json without effect: each is checked as the host checks it."""

from datetime import timedelta
from pathlib import Path

import pytest

from durahost.config import http_options
from durahost.config.host_json import build_host_settings
from durahost.model.errors import ConfigError
from durahost.model.functions import RetryPolicy

pytestmark = pytest.mark.feature("Functions host", "`host.json`")

OUT_OF_RANGE = "Specified argument was out of the range of valid values. (Parameter '{}')"
FLUSH = "'FlushTimeout' value must be greater than '00:00:00' and less than or equal to '00:05:00'."


def nested(path, value):
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def conversion(path, kind):
    where = f"AzureFunctionsJobHost:{path.replace('.', ':')}"
    return f"Failed to convert configuration value at '{where}' to type '{kind}'."


FAULTS = [
    ("aggregator.batchSize", 0, "'BatchSize' value must be greater than 0 and less than or equal "
     "to 10000."),
    ("aggregator.batchSize", 10001, "'BatchSize' value must be greater than 0 and less than or "
     "equal to 10000."),
    ("aggregator.flushTimeout", "00:05:01", FLUSH),
    ("aggregator.flushTimeout", "00:00:00", FLUSH),
    ("singleton.lockPeriod", "00:00:14", OUT_OF_RANGE.format("value")),
    ("singleton.listenerLockPeriod", "00:01:01", OUT_OF_RANGE.format("value")),
    ("singleton.lockAcquisitionTimeout", "00:00:00", OUT_OF_RANGE.format("value")),
    ("singleton.lockAcquisitionPollingInterval", "00:00:00.4", OUT_OF_RANGE.format("value")),
    ("singleton.listenerLockRecoveryPollingInterval", "00:00:14", OUT_OF_RANGE.format("value")),
    ("concurrency.maximumFunctionConcurrency", 0,
     OUT_OF_RANGE.format("MaximumFunctionConcurrency")),
    ("concurrency.CPUThreshold", 1, OUT_OF_RANGE.format("CPUThreshold")),
    ("concurrency.CPUThreshold", 0, OUT_OF_RANGE.format("CPUThreshold")),
    ("extensions.http.maxOutstandingRequests", 0, OUT_OF_RANGE.format("value")),
    ("extensions.http.maxConcurrentRequests", -2, OUT_OF_RANGE.format("value")),
    ("retry", {"strategy": "fixedDelay", "delayInterval": "00:00:01"},
     "Value cannot be null. (Parameter 'MaxRetryCount')"),
    ("retry", {"strategy": "fixedDelay", "maxRetryCount": 1},
     "Value cannot be null. (Parameter 'DelayInterval')"),
    ("retry", {"maxRetryCount": 1, "maximumInterval": "00:00:01"},
     "Value cannot be null. (Parameter 'MinimumInterval')"),
    ("retry", {"maxRetryCount": 1, "minimumInterval": "00:00:01"},
     "Value cannot be null. (Parameter 'MaximumInterval')"),
    ("logging.logLevel.Default", "Loud", "Configuration value 'Loud' is not supported."),
    ("logging.logLevel.Function", "7", "Configuration value '7' is not supported."),
    *(
        (path, wrong, conversion(path, kind))
        for path, wrong, kind in [
            ("fileWatchingEnabled", "yes", "System.Boolean"),
            ("aggregator.isEnabled", 1, "System.Boolean"),
            ("aggregator.batchSize", "many", "System.Int32"),
            ("healthMonitor.enabled", "on", "System.Boolean"),
            ("healthMonitor.healthCheckInterval", "soon", "System.TimeSpan"),
            ("healthMonitor.healthCheckWindow", "soon", "System.TimeSpan"),
            ("healthMonitor.healthCheckThreshold", 1.5, "System.Int32"),
            ("healthMonitor.counterThreshold", "high", "System.Single"),
            ("concurrency.dynamicConcurrencyEnabled", "x", "System.Boolean"),
            ("concurrency.snapshotPersistenceEnabled", "x", "System.Boolean"),
            ("concurrency.CPUThreshold", "x", "System.Single"),
            ("managedDependency.enabled", "x", "System.Boolean"),
            ("sendCanceledInvocationsToWorker", "x", "System.Boolean"),
            ("sequentialRestart", "x", "System.Boolean"),
            ("metadataProviderTimeout", "x", "System.TimeSpan"),
            ("logging.console.isEnabled", "x", "System.Boolean"),
            ("logging.fileLoggingMode", "sometimes",
             "Microsoft.Azure.WebJobs.Script.FileLoggingMode"),
            ("extensions.http.dynamicThrottlesEnabled", "x", "System.Boolean"),
            ("extensions.http.enableChunkedRequestBinding", "x", "System.Boolean"),
            ("extensions.http.hsts.isEnabled", "x", "System.Boolean"),
            ("extensions.http.hsts.maxAge", "x", "System.TimeSpan"),
        ]
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), FAULTS)
def test_faults(path, value, message):
    with pytest.raises(ConfigError) as caught:
        build_host_settings({"version": "2.0", **nested(path, value)}, {})
    assert str(caught.value) == message
    assert caught.value.advice
    assert caught.value.others == []


@pytest.mark.parametrize("section", ["customHandler", "httpWorker"])
def test_a_custom_handler_is_refused(section):
    document = {section: {"description": {"defaultExecutablePath": "handler"}}}
    with pytest.raises(ConfigError, match=f"^host.json has a {section} section") as caught:
        build_host_settings({"version": "2.0", **document}, {})
    assert f"Remove {section}" in caught.value.advice


def test_valid_values_of_every_section():
    document = {
        "version": "2.0",
        "aggregator": {"batchSize": 10000, "flushTimeout": "00:05:00", "isEnabled": False},
        "healthMonitor": {"enabled": False, "counterThreshold": 0.5, "healthCheckThreshold": 1},
        "singleton": {
            "lockPeriod": "00:00:15",
            "listenerLockPeriod": "00:01:00",
            "lockAcquisitionTimeout": "00:00:01",
            "lockAcquisitionPollingInterval": "00:00:00.5",
            "listenerLockRecoveryPollingInterval": "00:00:15",
        },
        "concurrency": {"maximumFunctionConcurrency": -1, "CPUThreshold": "0.5"},
        "retry": {"strategy": "FixedDelay", "maxRetryCount": -1, "delayInterval": "00:00:10"},
        "logging": {"fileLoggingMode": "DebugOnly", "console": {"isEnabled": "False"}},
        "telemetryMode": "whatever",
        "managedDependency": {"enabled": True},
        "sendCanceledInvocationsToWorker": False,
        "metadataProviderTimeout": "00:01:00",
        "queues": {"batchSize": "not looked at"},
    }
    settings = build_host_settings(document, {})
    assert set(settings.ignored) == {
        "aggregator", "healthMonitor", "singleton", "concurrency", "telemetryMode",
        "managedDependency", "sendCanceledInvocationsToWorker", "metadataProviderTimeout", "queues",
        "logging.fileLoggingMode", "logging.console",
    }  # fmt: skip
    ten = timedelta(seconds=10)
    assert settings.retry == RetryPolicy(-1, ten, ten, is_fixed=True)


def test_http():
    hsts = {"isEnabled": True, "maxAge": "10", "includeSubDomains": "true", "preload": True,
            "excludedHosts": ["a.example"]}  # fmt: skip
    http = {
        "maxOutstandingRequests": 7,
        "MaxConcurrentRequests": "3",
        "hsts": hsts,
        "customHeaders": {"X-One": "1", "X-Two": 2},
    }
    found = build_host_settings({"version": "2.0", "extensions": {"http": http}}, {}).http
    assert (found.max_outstanding_requests, found.max_concurrent_requests) == (7, 3)
    assert (found.hsts.is_enabled, found.hsts.max_age.days) == (True, 10)
    assert (found.hsts.include_subdomains, found.hsts.preload) == (True, True)
    assert found.hsts.excluded_hosts == ("localhost", "127.0.0.1", "[::1]", "a.example")
    assert found.custom_headers == {"X-One": "1", "X-Two": "2"}


@pytest.mark.parametrize(
    ("headers", "code"), [({"X": "é"}, "00E9"), ({"a b": "1"}, "0020"), ({"X": "a\nb"}, "000A")]
)
def test_headers_that_cannot_be(headers, code):
    document = {"version": "2.0", "extensions": {"http": {"customHeaders": headers}}}
    with pytest.raises(ConfigError) as caught:
        build_host_settings(document, {})
    assert str(caught.value) == f"Invalid non-ASCII or control character in header: 0x{code}"
    assert "customHeaders" in caught.value.advice


def test_headers_that_frame_an_answer_are_left_out():
    headers = {"Content-Length": "5", "X": "y"}
    document = {"version": "2.0", "extensions": {"http": {"customHeaders": headers}}}
    assert build_host_settings(document, {}).http.custom_headers == {"X": "y"}


USED_FOR = {
    "maxoutstandingrequests": "max_outstanding_requests",
    "maxconcurrentrequests": "max_concurrent_requests",
    "hsts": "hsts",
    "customheaders": "custom_headers",
}


@pytest.mark.parametrize(("key", "field"), USED_FOR.items())
def test_a_key_is_named_as_without_effect_as_long_as_nothing_uses_it(key, field):
    """Whoever makes one of them work takes it out of NOT_ACTED_ON and mends its row in the docs."""
    package = Path(http_options.__file__).parents[1]
    sources = [one for one in package.rglob("*.py") if one.parent.name != "config"]
    is_used = any(f"http.{field}" in one.read_text(encoding="utf-8") for one in sources)
    assert is_used == (key not in http_options.NOT_ACTED_ON)
