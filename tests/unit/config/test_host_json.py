"""host.json: defaults, overrides, and each fault in the real host's words."""

from datetime import timedelta

import pytest

from durahost.config.durable_options import default_hub_name
from durahost.config.host_json import build_host_settings, read_host_settings
from durahost.config.settings import UNLIMITED, HostSettings
from durahost.model.errors import ConfigError
from durahost.model.status import LIVE, TERMINAL
from durahost.model.versioning import VersionFailure, VersionMatch

DURABLE = "AzureFunctionsJobHost:extensions:durableTask"


def build(values=None, **document):
    return build_host_settings({"version": "2.0", **document}, values or {})


def durable(values=None, **options):
    return build(values, extensions={"durableTask": options}).durable


@pytest.mark.feature("Functions host", "`host.json`")
def test_the_smallest_file_gives_the_defaults():
    assert build() == HostSettings()
    assert build_host_settings({}, {}) == HostSettings()


@pytest.mark.feature("Functions host", "`host.json`")
def test_a_file_is_read_leniently(tmp_path):
    (tmp_path / "host.json").write_text("{ // mine\n 'version': '2.0', 'Functions': ['A',], }")
    assert read_host_settings(tmp_path, {}).functions == {"A"}


@pytest.mark.feature("Functions host", "`host.json`")
def test_a_file_that_is_no_json(tmp_path):
    (tmp_path / "host.json").write_text('{\n "version" "2.0"\n}')
    with pytest.raises(ConfigError) as caught:
        read_host_settings(tmp_path, {})
    path = tmp_path / "host.json"
    assert str(caught.value) == f"Unable to parse host configuration file '{path}'."
    assert (caught.value.file, caught.value.line) == ("host.json", 2)
    assert "line 2, position 11" in caught.value.advice
    assert ' "version" "2.0"\n' in caught.value.advice


@pytest.mark.feature("Functions host", "`host.json`")
@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"functions": []},
            "The host.json file is missing the required 'version' property. See "
            "https://aka.ms/functions-hostjson for steps to migrate the configuration file.",
        ),
        (
            {"Version": "2.0"},
            "The host.json file is missing the required 'version' property. See "
            "https://aka.ms/functions-hostjson for steps to migrate the configuration file.",
        ),
        (
            {"version": 2.0},
            "'2' is an invalid value for host.json 'version' property. We recommend you set the "
            "'version' property to '2.0'. See https://aka.ms/functions-hostjson for more "
            "information on this configuration file.",
        ),
        (
            {"version": "3.0"},
            "'3.0' is an invalid value for host.json 'version' property. We recommend you set the "
            "'version' property to '2.0'. This does not correspond to the function runtime "
            "version, only to the schema version of the host.json file. See "
            "https://aka.ms/functions-hostjson for more information on this configuration file.",
        ),
    ],
)
def test_version_faults(document, message):
    with pytest.raises(ConfigError) as caught:
        build_host_settings(document, {})
    assert str(caught.value) == message


@pytest.mark.feature("Functions host", "`functionTimeout`")
@pytest.mark.parametrize(
    ("text", "timeout"),
    [
        ("-1", UNLIMITED),
        (-1, UNLIMITED),
        ("00:05:00", timedelta(minutes=5)),
        ("1.02:03:04.5", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("7", timedelta(days=7)),
        ("00:10", timedelta(minutes=10)),
        ("25:00:00", timedelta(days=25)),
        ("", timedelta(minutes=30)),
    ],
)
def test_function_timeout(text, timeout):
    assert build(functionTimeout=text).function_timeout == timeout


@pytest.mark.feature("Functions host", "`functionTimeout`")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "00:00:00",
            "FunctionTimeout must be greater than 00:00:01 and less than "
            "10675199.02:48:05.4775807.",
        ),
        (
            "soon",
            "Failed to convert configuration value at 'AzureFunctionsJobHost:functionTimeout' to "
            "type 'System.TimeSpan'.",
        ),
    ],
)
def test_function_timeout_faults(text, message):
    with pytest.raises(ConfigError) as caught:
        build(functionTimeout=text)
    assert str(caught.value) == message
    assert caught.value.advice


@pytest.mark.feature("Functions host", "`functionTimeout`")
@pytest.mark.parametrize(
    ("text", "days"), [("5", "5 days,"), ("24:12:30", "24 days and 12:30:00,")]
)
def test_a_duration_that_reads_as_days_is_told(text, days):
    (warning,) = build(functionTimeout=text).warnings
    assert warning.startswith(f"host.json: functionTimeout is '{text}', which is read as {days}")
    assert build(functionTimeout="-1").warnings == ()
    assert build(functionTimeout="00:05:00").warnings == ()


@pytest.mark.feature("Functions host", "`host.json`")
def test_every_fault_is_told_at_once_with_its_line(tmp_path):
    (tmp_path / "host.json").write_text(
        '{\n "version": "3",\n "fileWatchingEnabled": "yes",\n "extensions": {"http": {\n'
        '  "maxOutstandingRequests": 0 }}}'
    )
    values = {"AzureFunctionsJobHost__aggregator__batchSize": "0"}
    with pytest.raises(ConfigError) as caught:
        read_host_settings(tmp_path, values)
    found = [caught.value, *caught.value.others]
    assert {(one.file, one.line) for one in found} == {
        ("host.json", 2), ("host.json", 3), ("host.json", 5), (None, None),
    }  # fmt: skip
    assert all(one.advice for one in found)
    from_variable = next(one for one in found if one.file is None)
    assert "AzureFunctionsJobHost__aggregator__batchSize" in from_variable.advice


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "host.json").mkdir()
    with pytest.raises(ConfigError, match=r"^Cannot read '.*host\.json': Is a directory\.$"):
        read_host_settings(tmp_path, {})


@pytest.mark.feature("Functions host", "`host.json`")
def test_lists_and_switches():
    settings = build(
        functions=["A", "b"], watchDirectories=["shared"], WatchFiles=["a.txt"],
        fileWatchingEnabled=False,
    )  # fmt: skip
    assert settings.functions == {"A", "b"}
    assert settings.watch_directories == ("shared",)
    assert settings.watch_files == ("a.txt",)
    assert not settings.is_file_watching_enabled
    assert build(functions=[]).functions is None


@pytest.mark.feature("Functions host", "`host.json`")
def test_the_environment_wins_over_the_file():
    environ = {
        "AzureFunctionsJobHost__extensions__http__routePrefix": "",
        "azurefunctionsjobhost__Functions__1": "C",
        "AzureFunctionsJobHost:extensions:durableTask:hubName": "FromEnv",
    }
    settings = build(environ, functions=["A", "B"], extensions={"durableTask": {"hubName": "Mine"}})
    assert settings.http.route_prefix == ""
    assert settings.functions == {"A", "C"}
    assert settings.durable.hub_name == "FromEnv"


@pytest.mark.feature("Functions host", "`host.json`")
@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"version": "[4.*, 5.0.0)"}, "id"),
        ({"id": "Microsoft.Azure.Functions.ExtensionBundle"}, "version"),
    ],
)
def test_bundle_faults(section, message):
    with pytest.raises(ConfigError) as caught:
        build(extensionBundle=section)
    assert str(caught.value) == (
        f"The value of {message} property in extensionBundle section of host.json file is invalid "
        "or missing. See https://aka.ms/functions-hostjson for more information"
    )


@pytest.mark.feature("Functions host", "`host.json`")
def test_a_bundle_is_noticed():
    assert build(extensionBundle={"id": "x", "version": "[4.*, 5.0.0)"}).has_extension_bundle


@pytest.mark.feature("Functions host", "`host.json`")
def test_known_sections_without_effect_are_named():
    settings = build(
        logging={"logLevel": {"default": "Debug"}, "fileLoggingMode": "always"},
        singleton={"lockPeriod": "00:00:20"},
        madeUp={"a": 1},
        extensions={
            "http": {"routePrefix": "api", "dynamicThrottlesEnabled": True},
            "queues": {"batchSize": 1},
            "DurableTask": {"hubName": "Hub1", "tracing": {"version": "V2"}, "madeUp": 1},
        },
    )
    assert settings.ignored == (
        "singleton",
        "logging.fileLoggingMode",
        "extensions.http.dynamicThrottlesEnabled",
        "extensions.queues",
        "extensions.DurableTask.tracing",
    )


@pytest.mark.feature("Settings", "`maxConcurrentEntityFunctions`")
@pytest.mark.feature("Settings", "`maxConcurrentOrchestratorFunctions`")
@pytest.mark.feature("Settings", "`maxConcurrentActivityFunctions`")
def test_durable_options():
    settings = durable(
        HUBNAME="MyHub",
        maxConcurrentActivityFunctions="3",
        maxConcurrentOrchestratorFunctions=4,
        maxOrchestrationActions=5,
        overridableExistingInstanceStates="anyState",
        storeInputsInOrchestrationHistory=True,
        localRpcEndpointEnabled="False",
        defaultVersion="1.0",
        versionMatchStrategy="strict",
        versionFailureStrategy="FAIL",
        maxConcurrentEntityFunctions=6,
        maxEntityOperationBatchSize=8,
        httpSettings={"defaultAsyncRequestSleepTimeMilliseconds": 7, "useForwardedHost": True},
        storageProvider={"type": "MSSQL"},
    )
    assert settings.hub_name == "MyHub"
    assert settings.max_concurrent_activities == 3
    assert settings.max_concurrent_orchestrators == 4
    assert settings.max_orchestration_actions == 5
    assert settings.replaceable == TERMINAL | LIVE
    assert settings.replaces_any_state
    assert settings.store_inputs_in_history
    assert not settings.is_local_rpc_enabled
    assert settings.default_version == "1.0"
    assert settings.version_match is VersionMatch.STRICT
    assert settings.version_failure is VersionFailure.FAIL
    assert settings.max_concurrent_entities == 6
    assert settings.max_entity_batch == 8
    assert settings.default_http_sleep_ms == 7
    assert settings.use_forwarded_host
    assert settings.provider_type == "mssql"
    assert settings.connection_name == "SQLDB_Connection"
    assert not settings.sends_timer_limits


@pytest.mark.feature("Settings", "`hubName`")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hubName": ""}, "A non-empty HubName configuration is required."),
        (
            {"hubName": "my-hub"},
            "Task hub name 'my-hub' should contain only alphanumeric characters, start with a "
            "letter, and have length between 3 and 45.",
        ),
        (
            {"hubName": "%NO_SUCH%"},
            "Task hub name '%NO_SUCH%' should contain only alphanumeric characters, start with a "
            "letter, and have length between 3 and 45.",
        ),
        (
            {"maxConcurrentActivityFunctions": 0},
            "MaxConcurrentActivityFunctions must be a positive integer value.",
        ),
        (
            {"maxConcurrentOrchestratorFunctions": -1},
            "MaxConcurrentOrchestratorFunctions must be a positive integer value.",
        ),
        (
            {"maxOrchestrationActions": "many"},
            "Failed to convert configuration value at "
            f"'{DURABLE}:maxOrchestrationActions' to type 'System.Int32'.",
        ),
        (
            {"storeInputsInOrchestrationHistory": "yes"},
            "Failed to convert configuration value at "
            f"'{DURABLE}:storeInputsInOrchestrationHistory' to type 'System.Boolean'.",
        ),
        (
            {"overridableExistingInstanceStates": "Some"},
            "Failed to convert configuration value at "
            f"'{DURABLE}:overridableExistingInstanceStates' to type "
            "'Microsoft.Azure.WebJobs.Extensions.DurableTask.OverridableStates'.",
        ),
        (
            {"storageProvider": {"type": "redis"}},
            "Storage provider type (redis) was not found. Available storage providers: "
            "AzureStorage, mssql, Netherite, azureManaged, postgres.",
        ),
        (
            {"storageProvider": {"partitionCount": 17}},
            "PartitionCount must be an integer value between 1 and 16.",
        ),
        (
            {"storageProvider": {"controlQueueVisibilityTimeout": "00:00:30"}},
            "ControlQueueVisibilityTimeout must be between 1 and 60 minutes.",
        ),
        (
            {"storageProvider": {"controlQueueBufferThreshold": 0}},
            "ControlQueueBufferThreshold must be between 1 and 1000.",
        ),
        (
            {"storageProvider": {"controlQueueBatchSize": 0}},
            "ControlQueueBatchSize must be a non-negative integer.",
        ),
    ],
)
def test_durable_faults(options, message):
    with pytest.raises(ConfigError) as caught:
        durable(**options)
    assert str(caught.value) == message
    assert caught.value.advice


@pytest.mark.feature("Settings", "`hubName`")
def test_hub_name_takes_settings():
    assert durable({"Stage": "Test"}, hubName="Hub%STAGE%1").hub_name == "HubTest1"
    assert durable({"WEBSITE_SITE_NAME": "my-site"}).hub_name == "mysite"
    assert durable({"WEBSITE_SITE_NAME": "my-site"}, hubName="Mine").hub_name == "Mine"


@pytest.mark.feature("Settings", "`hubName`")
@pytest.mark.parametrize(
    ("site", "hub"),
    [
        (None, "TestHubName"),
        ("my-app_1", "myapp1"),
        ("1app", "t1app"),
        ("a", "aHub"),
        ("---", "DefaultTaskHub"),
        ("", "DefaultTaskHub"),
        ("x" * 60, "x" * 45),
    ],
)
def test_default_hub_name(site, hub):
    assert default_hub_name(site) == hub


@pytest.mark.feature("Settings", "`storageProvider.connectionName`")
@pytest.mark.parametrize(
    ("provider", "connection"),
    [
        ({}, "Storage"),
        ({"connectionName": "Mine"}, "Mine"),
        ({"connectionStringName": "Old"}, "Old"),
        ({"type": "postgres", "connectionStringName": "PG"}, "PG"),
        ({"type": "netherite"}, "AzureWebJobsStorage"),
    ],
)
def test_connection_name(provider, connection):
    assert durable(storageProvider=provider).connection_name == connection


def test_postgres_needs_its_connection():
    with pytest.raises(ConfigError, match="needs connectionStringName"):
        durable(storageProvider={"type": "postgres"})


@pytest.mark.feature("Functions host", "`host.json`")
def test_a_name_that_is_nearly_known_is_told():
    settings = build(extentions={"a": 1}, functiontimeout="00:05:00", mine={"a": 1})
    assert settings.warnings == (
        "host.json: 'extentions' is not known and has no effect; did you mean 'extensions'?",
    )
    assert settings.function_timeout == timedelta(minutes=5)
