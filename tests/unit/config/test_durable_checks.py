"""Every documented key of extensions.durableTask: accepted, of its type, in its range."""

from datetime import timedelta

import pytest
from durable_keys import EVERY_KEY, GRID, KEYS, is_inert

from durahost.config.host_json import build_host_settings
from durahost.config.settings import SessionUse
from durahost.model.errors import ConfigError
from durahost.model.versioning import VersionFailure, VersionMatch

DURABLE = "AzureFunctionsJobHost:extensions:durableTask"
NO_NOTIFICATIONS = "Failed to start lifecycle notification feature."


def durable(values=None, **options):
    document = {"version": "2.0", "extensions": {"durableTask": options}}
    return build_host_settings(document, values or {}).durable


def test_every_documented_key_is_accepted():
    assert durable({"GridKey": "secret"}, **EVERY_KEY).warnings == ()


INERT = "accepted and checked; changes nothing here"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(
            key, marks=pytest.mark.feature("Settings", f"`{key}`", INERT if is_inert(key) else None)
        )
        for key in KEYS
    ],
)
def test_a_key_is_accepted_alone(key):
    """Event Grid's topic needs its key setting, and is what one wants to be told of."""
    value = EVERY_KEY
    for name in key.split("."):
        value = value[name]
    for name in reversed(key.split(".")):
        value = {name: value}
    if key.endswith("topicEndpoint"):
        with pytest.raises(ConfigError, match="Failed to start lifecycle notification feature"):
            durable(**value)
    else:
        durable(**value)


def test_a_null_is_no_value():
    assert durable(**dict.fromkeys(EVERY_KEY)) == durable()


@pytest.mark.feature("Settings", "`storageProvider.type`")
@pytest.mark.parametrize("type_", ["mssql", "Netherite", "azureManaged"])
def test_keys_of_other_providers_are_not_checked(type_):
    durable(storageProvider={"type": type_, "partitionCount": 32, "taskEventBatchSize": "x"})


@pytest.mark.feature("Settings", "`versionFailureStrategy`")
@pytest.mark.feature("Settings", "`versionMatchStrategy`")
def test_versions_default_to_current_or_older_and_reject():
    settings = durable()
    assert settings.default_version is None
    assert settings.version_match is VersionMatch.CURRENT_OR_OLDER
    assert settings.version_failure is VersionFailure.REJECT


@pytest.mark.parametrize(
    ("options", "path", "type_name"),
    [
        ({"useAppLease": "maybe"}, "useAppLease", "System.Boolean"),
        ({"tracing": {"traceReplayEvents": 1}}, "tracing:traceReplayEvents", "System.Boolean"),
        (
            {"extendedSessionIdleTimeoutInSeconds": "soon"},
            "extendedSessionIdleTimeoutInSeconds",
            "System.Int32",
        ),
        (
            {"appLeaseOptions": {"renewInterval": "25s"}},
            "appLeaseOptions:renewInterval",
            "System.TimeSpan",
        ),
        (
            {"tracing": {"version": "V3"}},
            "tracing:version",
            "Microsoft.Azure.WebJobs.Extensions.DurableTask.Options."
            "DurableDistributedTracingVersion",
        ),
        (
            {"versionMatchStrategy": "Newest"},
            "versionMatchStrategy",
            "DurableTask.Core.Settings.VersioningSettings+VersionMatchStrategy",
        ),
        (
            {"versionFailureStrategy": "Ignore"},
            "versionFailureStrategy",
            "DurableTask.Core.Settings.VersioningSettings+VersionFailureStrategy",
        ),
    ],
)
def test_a_value_of_another_type_is_refused(options, path, type_name):
    with pytest.raises(ConfigError) as caught:
        durable(**options)
    assert str(caught.value) == (
        f"Failed to convert configuration value at '{DURABLE}:{path}' to type '{type_name}'."
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"maxConcurrentEntityFunctions": 0},
            "MaxConcurrentEntityFunctions must be a positive integer value.",
        ),
        (
            {"maxEntityOperationBatchSize": -1},
            "MaxEntityOperationBatchSize must be a positive integer value.",
        ),
        (
            {"notifications": {"eventGrid": {"publishRetryInterval": "01:00:01"}}},
            "PublishRetryInterval must be non-negative and no more than 60 minutes.",
        ),
        (
            {"notifications": {"eventGrid": {"publishRetryInterval": "00:00:00"}}},
            "PublishRetryInterval must be non-negative and no more than 60 minutes.",
        ),
        (
            {"notifications": {"eventGrid": {"topicEndpoint": "https://t"}}},
            f"{NO_NOTIFICATIONS} Please check the configuration values for https://t and .",
        ),
        (
            {"notifications": {"eventGrid": {**GRID, "publishEventTypes": ["Pending"]}}},
            f"{NO_NOTIFICATIONS} Unsupported event types detected in 'EventGridPublishEventTypes'."
            " You may only specify one or more of the following 'Started', 'Completed', 'Failed', "
            "'Terminated'.",
        ),
        (
            {"notifications": {"eventGrid": GRID}},
            f"{NO_NOTIFICATIONS} Please check the configuration values for GridKey on AppSettings.",
        ),
    ],
)
def test_what_keeps_a_host_from_starting(options, text):
    with pytest.raises(ConfigError) as caught:
        durable(**options)
    assert str(caught.value) == text
    assert caught.value.advice


@pytest.mark.feature("Settings", "`extendedSessionsEnabled`")
def test_what_the_extension_warns_of():
    settings = durable(
        extendedSessionsEnabled=True,
        storageProvider={"controlQueueBatchSize": 300, "controlQueueBufferThreshold": 200},
    )
    assert settings.session_use is SessionUse.ALWAYS
    sessions, batch = settings.warnings
    assert sessions.startswith(
        "Durable Functions does not work with extendedSessions = true for non-.NET languages. "
    )
    assert batch.startswith(
        "ControlQueueBatchSize cannot be larger than ControlQueueBufferThreshold. "
    )


@pytest.mark.feature("Settings", "`extendedSessionsEnabled`")
def test_when_an_orchestrator_lives_on():
    default = durable()
    assert (default.session_use, default.checks_sessions) == (SessionUse.WHEN_LONG, False)
    assert durable(extendedSessionsEnabled="false").session_use is SessionUse.NEVER
    assert durable({"DURAHOST_CHECK_SESSIONS": "1"}).checks_sessions


@pytest.mark.feature("Settings", "`extendedSessionIdleTimeoutInSeconds`")
def test_how_long_an_orchestrator_lives_on_without_an_episode():
    assert durable().session_idle == timedelta(seconds=30)
    settings = durable(extendedSessionIdleTimeoutInSeconds=5)
    assert settings.session_idle == timedelta(seconds=5)


@pytest.mark.feature("Settings", "`hubName`")
def test_a_slot_needs_a_hub_name_of_its_own():
    slot = {"WEBSITE_SLOT_NAME": "staging", "WEBSITE_SITE_NAME": "shop"}
    with pytest.raises(ConfigError) as caught:
        durable(slot)
    assert str(caught.value) == (
        "Task Hub name must be specified in host.json when using slots. Specified name must not "
        "equal the default HubName (shop).See documentation on Task Hubs for information on how "
        "to set this: https://docs.microsoft.com/azure/azure-functions/durable/"
        "durable-functions-task-hubs"
    )
    assert durable(slot, hubName="Staging").hub_name == "Staging"
    assert durable({**slot, "WEBSITE_SLOT_NAME": "PRODUCTION"}).hub_name == "shop"
